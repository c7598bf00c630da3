"""Pages and API ask the record as often for many rows as for few."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.db import connection
from django.http import HttpResponse
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from connections import declare
from domain.alerts import AlertState, ParsedAlert, ParsedDelivery, Severity
from domain.connections import ChatDecl, Connections
from domain.entities import EntityKind, EntityRef
from incidents import burst, changes, deliveries, feedback, investigations, sources, verdicts
from incidents.models import Delivery, Incident, Source
from notify import outbox
from notify.models import Outbox
from tests.web.conftest import finding, verdict
from web.pages.outbox import narrowed

PAGES = ["/", "/incidents/1/", "/sources/", "/connections/", "/outbox/", "/deliveries/"]
API = [f"/api/v1/{path}" for path in (
    "incidents/", "incidents/1/", "incidents/1/verdict/", "incidents/1/timeline/", "incidents/1/similar/",
    "changes/", "deliveries/", "outbox/",
)]  # fmt: skip

ENRICH = "/api/v1/tickets/enrich/"


def grown(first: int, last: int, alerts: int) -> None:
    """Incidents of that many alerts, each with all that hangs on it: targets, looks, verdicts, feedback."""
    now = timezone.now()
    declare.declare(Connections(chat=[chat(n) for n in range(first, last)]))
    for n in range(first, last):
        source, _ = sources.make_source("alertmanager", f"source-{n}")
        pods = [EntityRef(EntityKind.POD, f"pod-{n}-{a}", f"cluster-{n}", "shop") for a in range(alerts)]
        member = EntityRef(EntityKind.ETCD_MEMBER, f"etcd-{n}", f"cluster-{n}")
        parsed_alerts = tuple(
            ParsedAlert(f"f{n}-{a}", "1", AlertState.FIRING, "Down", f"{pod.name} is down", Severity.HIGH, now,
                        entities=(member, pod))
            for a, pod in enumerate(pods)
        )  # fmt: skip
        for part in (parsed_alerts[:1], parsed_alerts):
            delivery = deliveries.accept(source, b"{}", {}, now)
            parsed = ParsedDelivery(part, ticket_labels=(f"OPS-{n}",))
            row = burst.apply_burst([(delivery, parsed)], Connections())[0]
            investigations.ask_investigation(row)  # where the second part only repeats the first, nobody else asks
            look = row.investigations.get(state="asked")
            investigations.save_investigation(look, now, [finding(now)], b"")
            verdicts.save_verdict(row, look, verdict(str(row.pk), now))
        feedback.add(row, "ada", "confirmed", "etcd-slow-disk")
        changes.add_change(kind="deploy", reference=f"r{n}", title="cart", at=now - timedelta(minutes=1), url="",
                          entities=list(row.entities.all()))  # fmt: skip
        parked = deliveries.accept(source, b"{", {}, now)
        Delivery.objects.filter(pk=parked.pk).update(state="parked", reason="no JSON")


def chat(number: int) -> ChatDecl:
    return ChatDecl(kind="wecom", name=f"chat-{number}", url="https://chat.example/hook")


@pytest.mark.parametrize("path", [*PAGES, *API])
def test_more_rows_cost_no_more_queries(person, path):
    grown(0, 2, alerts=2)
    few = asked(lambda: person.get(path))
    grown(2, 6, alerts=5)
    assert (
        Incident.objects.count() == Source.objects.count() == 6 and Incident.objects.get(number=6).alerts.count() == 5
    )
    assert Outbox.objects.filter(target__startswith="chat:").count() == 2 * 2 + 4 * 6
    assert asked(lambda: person.get(path.replace("/1/", "/6/"))) == few


def test_the_answer_for_a_ticket_costs_no_more_for_more_alerts_and_reads_no_finding(person):
    ticket = {"ticket": "OPS-0", "format": "markdown"}
    grown(0, 2, alerts=2)
    few = asked(lambda: person.post(ENRICH, ticket, content_type="application/json"))
    grown(2, 6, alerts=5)
    with CaptureQueriesContext(connection) as caught:
        assert person.post(ENRICH, {"ticket": "OPS-5"}, content_type="application/json").status_code == 200
    assert len(caught) == few
    assert not any('"findings"' in query["sql"] for query in caught.captured_queries)


def test_a_page_reads_the_beginning_of_a_raw_body_only(person):
    grown(0, 1, alerts=1)
    Delivery.objects.update(body=b"<" * 3 * deliveries.BEGINNING_BYTES)
    for path in ("/incidents/1/", "/deliveries/"):
        page = person.get(path).content
        assert page.count(b"&lt;") % deliveries.BEGINNING_BYTES == 0 and page.count(b"&lt;") > 0
    rows = deliveries.with_beginnings(deliveries.stuck_deliveries())
    assert all(row.get_deferred_fields() == {"body"} for row in rows) and len(rows) == 1


@pytest.mark.parametrize(
    ("table", "plan"),
    [("incidents_incident", "INDEX incident_latest"), ("notify_outbox", "INDEX outbox_object (object=?)")],
)
def test_what_watched_pages_ask_reads_no_whole_table(person, incident, table, plan):
    with CaptureQueriesContext(connection) as caught:
        person.get("/incidents/stamp/")
        outbox.of_incident(incident)
    (sql,) = [query["sql"] for query in caught.captured_queries if f'FROM "{table}"' in query["sql"]]
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN QUERY PLAN {sql}")
        assert plan in str(cursor.fetchall())


def test_the_outbox_page_reads_no_row_that_is_done(db):
    assert "INDEX outbox_shown" in narrowed("", "").explain()


def test_the_list_is_fresh_again_when_a_later_verdict_names_another_cause(person, incident):
    before = person.get("/incidents/stamp/").content
    assert person.get("/incidents/stamp/").content == before
    verdicts.save_verdict(incident, incident.investigations.first(), verdict(str(incident.pk), timezone.now()))
    assert person.get("/incidents/stamp/").content != before


def asked(call: Callable[[], HttpResponse]) -> int:
    call()
    with CaptureQueriesContext(connection) as caught:
        assert call().status_code == 200
    return len(caught)
