"""An outage of a declared etcd, as three monitoring systems report it: one incident and one ticket, in any order."""

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from itertools import permutations
from pathlib import Path
from typing import Any

import pytest
from django.core.cache import cache
from django.db import transaction
from django.test import Client

from connections.declare import declare
from domain.connections import Connections, EtcdDecl, EtcdMemberDecl
from incidents import deliveries, sources
from incidents.models import Alert, Delivery, Incident
from ingest import parse
from notify import dispatch
from notify.models import Outbox
from tests.fakes import jira_contract as contract
from tests.fakes.jira import JiraFake
from tests.notify.scene import ManualClock, judged
from tests.notify.test_jira_end_to_end import declare_jira, jira

__all__ = ["jira"]
pytestmark = pytest.mark.django_db
TOKEN = "a-token-of-the-tests"
ETCD = Connections(etcd=[EtcdDecl(name="etcd-prod", cluster="prod-a", selector={"job": "etcd"}, member=[
    EtcdMemberDecl(name=f"etcd{n}", endpoint=f"https://10.1.0.1{n}:2379", instance=f"10.1.0.1{n}:2379",
                   host=[f"master-{n}", f"db-{n}"])
    for n in (1, 2, 3)
])])  # fmt: skip
Sent = tuple[str, dict[str, Any]]


def prometheus(minute: int = 44, **labels: str) -> Sent:
    alert = {"status": "firing", "labels": {"severity": "critical", **labels}, "annotations": {},
             "startsAt": f"2026-11-30T19:{minute:02}:00Z", "endsAt": "0001-01-01T00:00:00Z"}  # fmt: skip
    return "alertmanager", {"version": "4", "groupKey": "{}", "status": "firing", "alerts": [alert]}


def zabbix(number: int, name: str, host: int, minute: int = 44, **more: Any) -> Sent:
    return "zabbix", {
        "event_id": str(number), "trigger_id": str(number), "event_value": "1", "event_update_status": "0",
        "event_nseverity": "4", "event_name": name, "trigger_name": name, "event_date": "2026.11.30",
        "event_time": f"19:{minute:02}:30", "message_date": "2026.11.30", "message_time": f"19:{minute:02}:30",
        "sent_at": 1796067870 + 60 * (minute - 44), "host_host": f"db-{host}", "host_name": f"db-{host}",
        "host_ip": f"10.1.0.1{host}", "event_tags": [], **more,
    }  # fmt: skip


NO_LEADER = zabbix(1, "Etcd: Member has no leader", 1)
TAGGED = zabbix(2, "Service is unavailable", 2, item_key='net.tcp.service["http","10.1.0.12","2379"]',
                event_tags=[{"tag": "class", "value": "software"}, {"tag": "target", "value": "etcd"}])  # fmt: skip
WITHOUT_CLUSTER = prometheus(alertname="etcdNoLeader", job="etcd", instance="10.1.0.13:2379")
OF_CLUSTER = prometheus(alertname="etcdInsufficientMembers", job="etcd", cluster="prod-a")
OF_POD = prometheus(
    alertname="etcdNoLeader", job="kube-etcd", service="kps-kube-etcd", endpoint="http-metrics",
    namespace="kube-system", pod="etcd-master-1", instance="10.1.0.11:2381",
)  # fmt: skip
WATCHED = ("kubernetes", {
    "version": 1, "state": "firing", "cluster": "prod-a", "namespace": "kube-system",
    "workload": {"kind": "StaticPod", "name": "etcd-master-2"}, "reason": "Unhealthy", "probe": "Liveness",
    "failure": "Liveness", "containers": [{"name": "etcd", "only": True}],
    "first": "2026-11-30T19:44:00Z", "last": "2026-11-30T19:44:40Z", "count": 4,
    "pods": [{"name": "etcd-master-2", "node": "master-2"}],
    "messages": ["Liveness probe failed: HTTP probe failed with statuscode: 503"],
})  # fmt: skip
OUTAGE = [NO_LEADER, WITHOUT_CLUSTER, OF_CLUSTER, OF_POD, WATCHED, TAGGED]
ABOUT = {
    "EtcdMember/prod-a//etcd1", "EtcdMember/prod-a//etcd2", "EtcdMember/prod-a//etcd3", "EtcdCluster/prod-a//etcd-prod",
}  # fmt: skip
# Members of one etcd that began to fail so far apart that only a third alert between them connects them.
EARLY, LATE = zabbix(3, "Etcd: Member has no leader", 3, 30), prometheus(50, **OF_POD[1]["alerts"][0]["labels"])
BETWEEN = prometheus(40, **OF_CLUSTER[1]["alerts"][0]["labels"])


class Undo(Exception):
    """Rolls back what an order has written."""


@pytest.fixture(autouse=True)
def doors() -> Iterator[None]:
    cache.clear()
    for kind in ("alertmanager", "zabbix", "kubernetes"):
        sources.make_source(kind, "prod", TOKEN)
    declare(ETCD)
    yield
    cache.clear()


def arrive(sent: Sent) -> None:
    """Through the sender's door into the record."""
    kind, body = sent
    answer = Client().post(
        f"/ingest/{kind}/prod", json.dumps(body).encode(), content_type="application/json",
        headers={"Authorization": f"Bearer {TOKEN}"},
    )  # fmt: skip
    assert answer.status_code == 202, answer.content
    for waiting in deliveries.waiting_deliveries():
        parse.ingest(waiting)
    assert set(Delivery.objects.values_list("state", flat=True)) == {"done"}


def notified(clock: ManualClock) -> None:
    """Every incident that is open is judged, and the ticket system is notified at its pace."""
    for incident in Incident.objects.filter(state="open"):
        judged(incident)
    clock.move(minutes=2)
    while dispatch.dispatch_waiting(clock):
        clock.move(minutes=2)


def subjects() -> set[str]:
    return {alert.subject.key for alert in Alert.objects.select_related("subject") if alert.subject}


def created(jira: JiraFake) -> int:
    """How many tickets were asked for."""
    return len([call for call in jira.calls if call.method == "POST" and call.path.endswith("/issue")])


@contextmanager
def undone() -> Iterator[None]:
    """What is written within is rolled back."""
    with suppress(Undo), transaction.atomic():
        yield
        raise Undo


def in_any_order(waiting: Sequence[Sent], last: Sent) -> None:
    """All orders of what waits; what several of them begin with is sent once for all of them."""
    if not waiting:
        arrive(last)
        assert (Incident.objects.count(), Alert.objects.count(), subjects()) == (1, len(OUTAGE), ABOUT)
    for number, sent in enumerate(waiting):
        with undone():
            arrive(sent)
            assert Incident.objects.count() == 1
            in_any_order([*waiting[:number], *waiting[number + 1 :]], last)


@pytest.fixture
def ticketed(jira: JiraFake, tmp_path: Path) -> JiraFake:
    declare_jira(jira, tmp_path)
    return jira


def test_five_alerts_in_any_order_and_a_sixth_are_one_incident() -> None:
    *five, last = OUTAGE
    in_any_order(five, last)


@pytest.mark.parametrize("first", range(len(OUTAGE)))
def test_the_outage_is_one_ticket_whichever_alert_comes_first(
    first: int, ticketed: JiraFake, clock: ManualClock
) -> None:
    for sent in [*OUTAGE[first:], *OUTAGE[:first]]:
        arrive(sent)
        notified(clock)
    assert (Incident.objects.count(), len(ticketed.issues), created(ticketed)) == (1, 1, 1)
    assert not Outbox.objects.exclude(state="done").exists()


def test_an_outage_that_is_joined_before_anything_is_sent_is_one_ticket(ticketed: JiraFake, clock: ManualClock) -> None:
    for sent in (EARLY, LATE, BETWEEN):
        arrive(sent)
    notified(clock)
    assert (Incident.objects.count(), len(ticketed.issues), created(ticketed)) == (2, 1, 1)
    assert Incident.objects.get(merged_into=None).alerts.count() == 3


@pytest.mark.parametrize("order", list(permutations((EARLY, LATE, BETWEEN))))
def test_an_alert_that_joins_two_incidents_makes_no_third_ticket(
    order: tuple[Sent, ...], ticketed: JiraFake, clock: ManualClock
) -> None:
    for sent in order:
        arrive(sent)
        notified(clock)
    for sent in OUTAGE:
        arrive(sent)
        notified(clock)
    survivor = Incident.objects.get(merged_into=None)
    tickets = 2 if order[2] is BETWEEN else 1
    assert (Incident.objects.count(), len(ticketed.issues), created(ticketed)) == (tickets, tickets, tickets)
    assert survivor.alerts.count() == 3 + len(OUTAGE)
    for merged in Incident.objects.exclude(merged_into=None):
        key = Outbox.objects.get(object=str(merged.pk)).key
        (comment,) = next(issue for issue in ticketed.issues if issue.key == key).comments.values()
        assert f"Merged into incident #{survivor.number}" in contract.text_of(comment.body)
    assert not Outbox.objects.exclude(state="done").exists()
