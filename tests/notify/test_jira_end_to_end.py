"""An incident through the outbox into Jira and back through the door: real record, real HTTP, a Jira with state."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from django.db import connections
from django.test import Client
from django.utils import timezone

from domain.alerts import AlertState
from domain.connections import TicketDecl
from incidents.models import Feedback, Incident, TicketLink
from notify import dispatch, inbox, targets, ticket_events
from notify.models import AppliedTicketEvent, InboundWebhook, Outbox, RequestCount, TargetStatus
from tests.fakes import jira_contract as contract
from tests.fakes.jira import DATA_CENTER, Event, JiraFake
from tests.fakes.process_kill import killed_at
from tests.fakes.server import lost_answer
from tests.notify.scene import ManualClock, an_incident, declared, judged
from tickets.jira import users

PATH = "a-path-that-nobody-guesses"


@pytest.fixture
def jira() -> Iterator[JiraFake]:
    users._own.clear()
    with JiraFake() as served:
        yield served


def declare_jira(jira: JiraFake, folder: Path, **more: Any) -> None:
    for name, secret in {"token": jira.secret, "key": jira.webhook_secret, "path": PATH}.items():
        (folder / name).write_text(secret)
    base: dict[str, Any] = {
        "kind": "jira",
        "name": "ops",
        "url": jira.url,
        "project": "OPS",
        "mode": "create-and-update",
    }
    if jira.cloud:
        own = {"basic_user": jira.basic()[0], "basic_password_file": str(folder / "token"), "webhook_secret_file": str(folder / "key")}  # fmt: skip
    else:
        own = {"bearer_file": str(folder / "token"), "webhook_path_file": str(folder / "path")}
    transitions = {"acknowledged": "Start", "resolved": "Resolve", "reopened": "Reopen"}
    declared(ticket=TicketDecl(**{**base, **own, "transitions": transitions, **more}))


def row() -> Outbox:
    return Outbox.objects.get()


def process_webhooks(jira: JiraFake, *events: Event, path: str = "") -> None:
    for event in events:
        headers = {name: value for name, value in event.headers.items() if name != "Content-Type"}
        answer = Client().post(
            f"/tickets/ops/webhook{path}", event.body, content_type="application/json", headers=headers
        )
        assert answer.status_code == 202
    for webhook_id in ticket_events.waiting(timezone.now()):
        inbox.process(webhook_id)
    assert not InboundWebhook.objects.exclude(state="done").exists()


@pytest.mark.django_db
def test_an_incidents_whole_life_is_one_ticket(jira: JiraFake, clock: ManualClock, tmp_path: Path) -> None:
    declare_jira(jira, tmp_path)
    judged(an_incident())
    dispatch.dispatch_waiting(clock)
    (issue,) = jira.issues
    assert (row().key, row().url) == ("OPS-1", f"{jira.url}/browse/OPS-1")
    assert TicketLink.objects.get(key="OPS-1").target == "ticket:ops"
    clock.move(seconds=1)
    judged(Incident.objects.get(), "network-path-drop")
    dispatch.dispatch_waiting(clock)
    clock.move(seconds=1)
    an_incident(state=AlertState.RESOLVED)
    dispatch.dispatch_waiting(clock)
    (comment,) = issue.comments.values()
    assert "It is network-path-drop" in contract.text_of(comment.body)
    assert issue.status == "Done"
    assert "ig-cause-network-path-drop" in issue.labels
    assert "ig-cause-etcd-slow-disk" not in issue.labels


@pytest.mark.django_db
@pytest.mark.parametrize("kind", ["cloud", DATA_CENTER])
def test_what_people_do_comes_back_and_ends_there(kind: str, clock: ManualClock, tmp_path: Path) -> None:
    """Through the door: acknowledged, assigned, judged and closed; our own writes come back as nothing."""
    users._own.clear()
    with JiraFake(kind) as jira:
        path = "" if jira.cloud else f"/{PATH}"
        declare_jira(jira, tmp_path)
        judged(an_incident())
        dispatch.dispatch_waiting(clock)
        process_webhooks(jira, *jira.events, path=path)
        assert AppliedTicketEvent.objects.count() == 0
        process_webhooks(
            jira, jira.person_moves("OPS-1", "In Progress"), jira.person_assigns("OPS-1", "bob"), path=path
        )
        spoke = jira.person_comments("OPS-1", "/cause dns-failure  the resolver was down")
        process_webhooks(jira, spoke, spoke, path=path)
        incident = Incident.objects.get()
        assert (incident.acknowledged_by, incident.assigned_to) == ("Ada", "Bob")
        feedback = Feedback.objects.get()
        assert (feedback.kind, feedback.cause, feedback.by, feedback.note) == (
            "corrected", "dns-failure", "Ada", "the resolver was down",
        )  # fmt: skip
        process_webhooks(jira, jira.person_moves("OPS-1", "Done"), path=path)
        assert Incident.objects.get().state == "resolved"
        before = AppliedTicketEvent.objects.count()
        for _ in range(4):
            clock.move(minutes=5)
            dispatch.dispatch_waiting(clock)
            process_webhooks(jira, *jira.events, path=path)
        (issue,) = jira.issues
        assert (issue.status, len(issue.comments)) == ("Done", 2)
        assert AppliedTicketEvent.objects.count() == before, "what we wrote meanwhile is nobody's word"
        counts = RequestCount.objects.filter(target="ticket:ops").values_list("count", flat=True)
        assert sum(counts) == len(jira.calls), "what is asked to understand a webhook is counted too"
        jira.calls.clear()
        dispatch.dispatch_waiting(clock)
        assert jira.calls == [], "nothing is left to send"


@pytest.mark.django_db
def test_without_a_webhook_the_tickets_are_asked(jira: JiraFake, clock: ManualClock, tmp_path: Path) -> None:
    declare_jira(jira, tmp_path, webhook_secret_file="")
    judged(an_incident())
    dispatch.dispatch_waiting(clock)
    jira.person_moves("OPS-1", "Done")
    jira.person_comments("OPS-1", "/cause etcd-slow-disk")
    assert inbox.poll(timezone.now()) == 2
    assert (Incident.objects.get().state, Feedback.objects.get().kind) == ("resolved", "confirmed")
    assert inbox.poll(timezone.now() + timedelta(minutes=10)) == 0


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("after_commit", [False, True])
def test_a_kill_at_any_call_of_the_outbox_leaves_one_of_each(
    jira: JiraFake, clock: ManualClock, tmp_path: Path, after_commit: bool
) -> None:
    """The worker dies at its first call, the next one at its second, and so on; the search lags all the while."""
    jira.shop.lag_s = 30
    declare_jira(jira, tmp_path)
    judged(an_incident())
    number, deaths = 1, 0
    while row().state != "done" and number < 40:
        died = killed_at(jira, number, lambda: dispatch.dispatch_waiting(clock), after_commit=after_commit)
        deaths += died
        number = number + 1 if died else 1
        clock.move(seconds=140)
        jira.shop.ahead_s += 140
        Outbox.objects.update(lost=0)
        TargetStatus.objects.update(failures=0, open_until=None, slot_at=None)
    assert deaths >= 4
    (issue,) = jira.issues
    assert (len(issue.comments), len(issue.links), row().state, row().key) == (1, 1, "done", "OPS-1")


@pytest.mark.django_db(transaction=True)
def test_two_workers_on_one_incident_make_one_ticket(jira: JiraFake, clock: ManualClock, tmp_path: Path) -> None:
    declare_jira(jira, tmp_path)
    judged(an_incident())
    jira.latency_s = 0.05
    pk, target = row().pk, targets.declared_targets()["ticket:ops"]

    def work() -> None:
        dispatch.notify([pk], target, clock)
        connections.close_all()

    workers = [Thread(target=work) for _ in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(30)
    (issue,) = jira.issues
    assert (len(issue.comments), len(issue.links)) == (1, 1)


@pytest.mark.django_db
def test_what_waits_for_the_search_alone_does_not_hold_up_others(
    jira: JiraFake, clock: ManualClock, tmp_path: Path
) -> None:
    jira.shop.lag_s = 30
    declare_jira(jira, tmp_path)
    judged(an_incident("p1"))
    jira.fault(lost_answer(), method="POST", part="/issue")
    dispatch.dispatch_waiting(clock)
    clock.move(seconds=90)
    TargetStatus.objects.update(slot_at=None)
    dispatch.dispatch_waiting(clock)
    first = Outbox.objects.get()
    assert (first.state, "its label is looked for" in first.reason) == ("waiting", True)
    judged(an_incident("p2"))
    clock.move(seconds=1)
    dispatch.dispatch_waiting(clock)
    assert {r.state for r in Outbox.objects.exclude(pk=first.pk)} == {"done"}
    jira.shop.ahead_s += 200
    clock.move(minutes=30)
    dispatch.dispatch_waiting(clock)
    assert len(jira.issues) == 2


@pytest.mark.django_db
def test_a_refusal_is_shown_in_one_sentence_without_the_token(
    jira: JiraFake, clock: ManualClock, tmp_path: Path
) -> None:
    declare_jira(jira, tmp_path)
    judged(an_incident())
    jira.allowed.discard("CREATE_ISSUES")
    dispatch.dispatch_waiting(clock)
    assert row().state == "dead"
    assert row().reason.startswith("Jira does not permit a new ticket (You do not have permission to create issues")
    assert jira.secret not in str(Outbox.objects.values_list())
