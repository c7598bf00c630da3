"""What becomes of an alert's row, and what a delivery leaves alone."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from domain import codec
from domain.alerts import AlertState, Family, ParsedAlert, ParsedDelivery, Severity
from domain.connections import Connections
from domain.entities import EntityKind, EntityRef, Relation, RelationKind
from domain.text import Text
from incidents import burst, connections, deliveries, lifecycle, queries, sources
from incidents.correlate import refresh_state
from incidents.entities import DECLARED, store_relations
from incidents.grouping import Rules
from incidents.models import Alert, Entity, EntityRelation, GraphQueue, Incident, Investigation, Source

BEGAN = datetime(2026, 7, 1, 6, 0, tzinfo=UTC)
POD = EntityRef(EntityKind.POD, "cart-1", "prod", "shop")
ALERT = ParsedAlert("f1", "1", AlertState.FIRING, "Probe", "probe fails", Severity.HIGH, BEGAN, entities=(POD,))

pytestmark = pytest.mark.django_db


def place(*alerts: ParsedAlert) -> None:
    source = Source.objects.first() or sources.make_source("alertmanager", "prod")[0]
    burst.apply_burst([(deliveries.accept(source, b"{}", {}, BEGAN), ParsedDelivery(alerts))], Connections())


def facts() -> list[tuple[datetime, bool, datetime | None]]:
    return list(Alert.objects.order_by("started_at").values_list("started_at", "firing", "ended_at"))


def at(minutes: int) -> datetime:
    return BEGAN + timedelta(minutes=minutes)


def occurrence(minutes: int, state: AlertState = AlertState.FIRING, ended: int | None = None) -> ParsedAlert:
    return replace(ALERT, occurrence=str(minutes), started_at=at(minutes), state=state,
                   ended_at=None if ended is None else at(ended))  # fmt: skip


@pytest.mark.parametrize("sign", ["p", "/", "%2F", "é"])
def test_names_longer_than_their_columns_are_one_alert_and_one_entity_whenever_they_come(sign: str) -> None:
    pods = [replace(POD, name=sign * 600 + end, cluster=sign * 300, namespace=sign * 300) for end in "ab"]
    service = replace(POD, kind=EntityKind.SERVICE)
    place(replace(ALERT, identity="f" * 300, occurrence="o" * 80, entities=(*pods, service)))
    place(replace(ALERT, identity="f" * 300, occurrence="o" * 80, entities=(*pods, service)))
    place(replace(ALERT, identity="other", entities=(pods[0],)))
    assert Alert.objects.count() == 2 and Incident.objects.count() == 1
    (entity,) = Entity.objects.filter(kind="Pod")
    assert EntityRef.from_key(entity.key).key == entity.key == pods[0].bounded().key
    assert EntityRelation.objects.get().start == entity
    assert queries.snapshot(str(Incident.objects.get().pk)).relations


def test_a_newer_occurrence_ends_the_older_one_and_a_late_older_one_is_over_already() -> None:
    place(occurrence(10))
    place(occurrence(20))
    assert facts() == [(at(10), False, at(20)), (at(20), True, None)]
    place(occurrence(0))
    assert facts()[0] == (at(0), False, at(10))


def test_an_end_that_began_earlier_ends_every_open_episode_within_it() -> None:
    place(occurrence(10))
    place(occurrence(0, AlertState.RESOLVED, ended=15))
    assert facts() == [(at(0), False, at(15))]
    place(occurrence(5))
    assert facts() == [(at(0), False, at(15))]


def test_a_relation_of_entities_that_are_not_stored_yet_stores_them_and_again_changes_nothing() -> None:
    relation = Relation(POD.key, RelationKind.RUNS_ON, EntityRef(EntityKind.HOST, "n-1", "prod").key)
    for _ in range(2):
        store_relations([relation], DECLARED)
        assert EntityRelation.objects.count() == 1 and Entity.objects.count() == 2


def test_the_graph_is_asked_to_remember_once_for_each_change_however_far_behind_it_is() -> None:
    place(ALERT)
    row = GraphQueue.objects.get()
    since, revision = row.wanted_at, row.revision
    GraphQueue.objects.update(attempts=4, next_at=at(10_000_000), reason="away")
    place(occurrence(5))
    row.refresh_from_db()
    assert (row.attempts, row.reason, row.wanted_at) == (0, "", since) and row.revision != revision
    assert row.next_at < at(10_000_000)


def test_a_message_that_repeats_what_is_stored_asks_for_no_look_and_a_worse_or_ended_alert_does() -> None:
    place(ALERT)
    Investigation.objects.update(state="done", finished_at=at(1))
    place(ALERT)
    assert not Investigation.objects.filter(state="asked").exists()
    for again in (
        replace(ALERT, severity=Severity.CRITICAL),
        replace(ALERT, state=AlertState.RESOLVED, ended_at=at(9)),
    ):
        place(again)
        assert Investigation.objects.filter(state="asked").update(state="done", finished_at=at(2)) == 1
    place(replace(ALERT, state=AlertState.RESOLVED, ended_at=at(9)))
    assert not Investigation.objects.filter(state="asked").exists()


def test_an_alert_that_comes_again_after_hours_joins_its_open_incident_and_another_one_opens_a_new_one() -> None:
    place(occurrence(0))
    place(replace(ALERT, identity="f2", started_at=at(100)))
    place(occurrence(300))
    first, second = Incident.objects.order_by("number")
    assert [a.started_at for a in first.alerts.order_by("started_at")] == [at(0), at(300)]
    assert second.alerts.get().identity == "f2"


def test_an_end_that_reaches_over_a_later_episode_ends_that_too_and_only_an_end_does() -> None:
    place(occurrence(0, AlertState.RESOLVED, ended=5))
    place(occurrence(10))
    place(replace(occurrence(0), ended_at=at(15)))
    assert facts() == [(at(0), False, at(5)), (at(10), True, None)]
    place(occurrence(0, AlertState.RESOLVED, ended=15))
    assert facts() == [(at(0), False, at(5)), (at(10), False, at(15))]


def test_an_alert_of_another_source_is_another_alert() -> None:
    place(ALERT)
    other = sources.make_source("alertmanager", "other")[0]
    foreign = replace(ALERT, started_at=at(300), entities=(replace(POD, name="db-1"),))
    burst.apply_burst([(deliveries.accept(other, b"{}", {}, BEGAN), ParsedDelivery((foreign,)))], Connections())
    assert [i.alerts.count() for i in Incident.objects.order_by("number")] == [1, 1]


def test_an_incident_that_is_over_does_not_count_for_a_storm(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("incidents.correlate.RULES", Rules(storm_cap=2))
    over, *others = [replace(ALERT, identity=n, entities=(replace(POD, name=n),)) for n in ("cart-1", "db-1", "web-1")]
    for one in (replace(over, state=AlertState.RESOLVED, ended_at=at(1)), *others):
        place(one)
    assert [i.alerts.count() for i in Incident.objects.order_by("number")] == [1, 1, 1]
    place(replace(over, identity="api-1", entities=(replace(POD, name="api-1"),)))
    assert Incident.objects.count() == 3, "two that are open are a storm"


def the_incident() -> Incident:
    return Incident.objects.get()


def test_an_incident_lasts_from_its_first_alert_to_its_last_end_and_has_the_worst_severity() -> None:
    place(replace(ALERT, severity=Severity.WARNING), replace(ALERT, identity="f2", started_at=at(2)))
    found = the_incident()
    assert (found.state, found.severity, found.resolved_at) == ("open", Severity.HIGH.rank, None)
    assert (found.started_at, found.last_alert_at, found.opened_at, found.number) == (at(0), at(2), BEGAN, 1)
    place(occurrence(0, AlertState.RESOLVED, ended=3))
    found = the_incident()
    assert (found.state, found.resolved_at, found.last_alert_at) == ("open", None, at(2))
    place(replace(ALERT, identity="f2", started_at=at(2), state=AlertState.RESOLVED, ended_at=at(9)))
    found = the_incident()
    assert (found.state, found.resolved_at, found.last_alert_at, found.reopened) == ("resolved", at(9), at(9), 0)
    place(occurrence(12))
    found = the_incident()
    assert (found.state, found.resolved_at, found.last_alert_at, found.reopened) == ("open", None, at(12), 1)


def test_a_state_that_did_not_change_is_told_and_not_written() -> None:
    place(ALERT)
    found = the_incident()
    assert refresh_state(found) is False
    Incident.objects.filter(pk=found.pk).update(title="another title", severity=0)
    assert refresh_state(found) is False
    assert (the_incident().title, the_incident().severity) == ("another title", Severity.HIGH.rank)
    Alert.objects.update(firing=False, ended_at=at(4))
    assert refresh_state(found) is True
    assert (the_incident().state, the_incident().resolved_at) == ("resolved", at(4))
    assert refresh_state(found) is False


def test_alerts_from_before_a_person_closed_it_do_not_hold_an_incident_open() -> None:
    place(ALERT)
    Incident.objects.update(closed_at=at(3))
    assert refresh_state(the_incident()) is True
    found = the_incident()
    assert (found.state, found.resolved_at, found.closed_at, found.last_alert_at) == ("resolved", at(3), at(3), at(3))
    place(replace(ALERT, identity="f2", started_at=at(3)))
    assert the_incident().state == "resolved"
    place(replace(ALERT, identity="f3", started_at=at(4)))
    found = the_incident()
    assert (found.state, found.resolved_at, found.closed_at, found.reopened) == ("open", None, None, 1)


def test_the_first_acknowledgement_of_an_alert_is_its_incidents() -> None:
    place(ALERT)
    place(replace(ALERT, identity="f2", started_at=at(100)))
    assert set(Incident.objects.values_list("acknowledged_at", flat=True)) == {None}
    place(replace(ALERT, acknowledged=True))
    source = Source.objects.get()
    by_number = Incident.objects.order_by("number").values_list("acknowledged_at", "acknowledged_by")
    assert list(by_number) == [(BEGAN, str(source)), (None, "")]
    Incident.objects.update(acknowledged_by="ada", acknowledged_at=at(1))
    place(replace(ALERT, acknowledged=True))
    assert list(by_number.all()) == [(at(1), "ada")] * 2


def test_why_an_alert_joined_is_kept_with_it_in_both_languages() -> None:
    place(ALERT, replace(ALERT, identity="f2", started_at=at(1)))
    first, second = Alert.objects.order_by("started_at")
    reasons = [codec.convert(alert.joined_because, Text) for alert in (first, second)]
    assert [str(reason) for reason in reasons] == ["no open incident is related", "same entity, pod cart-1"]
    assert reasons[1].in_language("zh") not in ("", str(reasons[1]))
    assert first.incident == second.incident
    place(ALERT)
    assert Alert.objects.order_by("started_at")[0].joined_because == first.joined_because
    assert [e.key for e in the_incident().entities.all()] == [e.key for e in second.entities.all()] == [POD.key]


@pytest.mark.parametrize(("minutes", "number"), [(15, 1), (16, 2)])
def test_a_quarter_of_an_hour_after_its_last_alert_an_open_incident_is_left_alone(minutes: int, number: int) -> None:
    place(ALERT)
    place(replace(ALERT, identity="f2", started_at=at(minutes)))
    assert Incident.objects.count() == number
    assert sorted(Incident.objects.values_list("number", flat=True)) == list(range(1, number + 1))


@pytest.mark.parametrize(("minutes", "number"), [(15, 1), (16, 2)])
def test_ten_minutes_after_its_end_a_resolved_incident_is_left_alone(minutes: int, number: int) -> None:
    place(occurrence(0, AlertState.RESOLVED, ended=5))
    place(replace(ALERT, identity="f2", started_at=at(minutes)))
    assert Incident.objects.count() == number


def test_a_recording_keeps_to_itself() -> None:
    place(ALERT)
    connections.put_recording(Source.objects.get(), Path("/recorded"))
    place(replace(ALERT, identity="f2"))
    first, second = Incident.objects.order_by("number")
    assert (first.recorded_from, second.recorded_from) == ("", "/recorded")
    place(replace(ALERT, identity="f3"))
    assert Incident.objects.count() == 2 and second.alerts.count() == 2


def test_two_pods_of_one_workload_are_one_incident_and_two_of_one_host_are_two() -> None:
    def about(name: str, *others: EntityRef) -> ParsedAlert:
        return replace(ALERT, identity=name, title=f"{name} fails", entities=(replace(POD, name=name), *others))

    workload, host = replace(POD, kind=EntityKind.WORKLOAD, name="cart"), EntityRef(EntityKind.HOST, "n-1", "prod")
    store_relations([
        Relation(replace(POD, name=n).key, kind, other.key)
        for n, kind, other in (
            ("cart-1", RelationKind.PART_OF, workload), ("cart-2", RelationKind.PART_OF, workload),
            ("db-1", RelationKind.RUNS_ON, host), ("db-2", RelationKind.RUNS_ON, host),
        )
    ], DECLARED)  # fmt: skip
    place(about("cart-1"), about("cart-2"), about("db-1"), about("db-2"))
    assert [i.alerts.count() for i in Incident.objects.order_by("number")] == [2, 1, 1]
    assert Incident.objects.order_by("number").last().title == "db-2 fails"


def of(name: str, minutes: int, family: Family = Family.POD, *others: EntityRef) -> ParsedAlert:
    """An alert whose subject is a pod, with its family."""
    subject = replace(POD, name=name)
    identity = f"{name} {family} {minutes}"
    return replace(ALERT, identity=identity, started_at=at(minutes), entities=(subject, *others), subject=subject,
                   family=family)  # fmt: skip


def over(alert: ParsedAlert, minutes: int) -> ParsedAlert:
    return replace(alert, state=AlertState.RESOLVED, ended_at=at(minutes))


def test_an_alert_keeps_its_subject_and_its_family() -> None:
    host = EntityRef(EntityKind.HOST, "n-1", "prod", "", ("10.0.0.1",))
    named = replace(of("cart-1", 0, Family.PROBE, host), names_from=Text("an inventory has both"))
    place(named, replace(ALERT, identity="none"))
    probe, none = Alert.objects.order_by("-family")
    assert (probe.subject, probe.family, none.subject, none.family) == (
        Entity.objects.get(kind="Pod"),
        "probe",
        None,
        "",
    )
    known_by_address = replace(host, name="10.0.0.1", aliases=())
    place(replace(ALERT, identity="host", entities=(known_by_address,), subject=known_by_address))
    assert Alert.objects.get(identity="host").subject == Entity.objects.get(name="n-1")


def test_another_failure_after_the_first_is_over_is_an_incident_that_follows_it() -> None:
    place(over(of("cart-1", 0), 2))
    place(of("cart-1", 8, Family.PROBE))
    first, second = Incident.objects.order_by("number")
    assert (first.follows, first.state, first.reopened, second.follows) == (None, "resolved", 0, first)
    reason = codec.convert(second.alerts.get().joined_because, Text)
    assert str(reason) == "another failure of pod cart-1, after incident #1"
    place(of("cart-1", 9))
    first.refresh_from_db(), second.refresh_from_db()
    assert second.merged_into == first and first.reopened == 1, "the same failure came back while the other one lasts"


def test_an_incident_that_began_first_and_came_last_is_followed_too() -> None:
    place(of("cart-1", 8, Family.PROBE))
    place(over(of("cart-1", 0), 2))
    probe, pod = Incident.objects.order_by("number")
    assert (probe.follows, pod.follows) == (pod, None)


def test_the_same_failure_within_ten_minutes_reopens_and_later_it_does_not() -> None:
    place(over(of("cart-1", 0), 2))
    place(over(of("cart-1", 12), 13))
    assert the_incident().reopened == 0 and the_incident().alerts.count() == 2
    place(of("cart-1", 20))
    assert (the_incident().state, the_incident().reopened) == ("open", 1)
    place(over(of("db-1", 0), 2), of("db-1", 13))
    assert Incident.objects.count() == 3


def test_the_same_alert_returns_to_its_incident_as_long_as_another_one_holds_it_open() -> None:
    first = over(of("cart-1", 0), 2)
    place(first, of("cart-1", 1, Family.PROBE))
    place(replace(first, occurrence="60", started_at=at(60), state=AlertState.FIRING, ended_at=None))
    assert the_incident().alerts.count() == 3
    place(over(of("db-1", 0), 2), replace(over(of("db-1", 0), 61), occurrence="60", started_at=at(60)))
    assert Incident.objects.count() == 3, "nothing held that one open, whatever came in the same burst"


def test_an_incident_that_a_person_opened_again_takes_the_same_alert_back() -> None:
    first = over(of("cart-1", 0), 2)
    place(first)
    assert lifecycle.reopen(the_incident())
    place(replace(first, occurrence="60", started_at=at(60), state=AlertState.FIRING, ended_at=None))
    assert the_incident().alerts.count() == 2


def test_pods_of_a_node_that_is_down_are_one_in_whatever_order_they_come() -> None:
    host = EntityRef(EntityKind.HOST, "n-1", "prod")
    down = replace(ALERT, identity="down", entities=(host,), subject=host, family=Family.NODE)
    pods = of("cart-1", 10, Family.POD, host), of("db-1", 24, Family.POD, host)
    for order in ((down, *pods), (pods[1], pods[0], down), (pods[1], down, pods[0])):
        for alert in order:
            place(alert)
        assert Incident.objects.filter(merged_into=None).count() == 1
        Incident.objects.update(merged_into=None), Incident.objects.all().delete()


def test_an_alert_that_is_over_in_the_same_burst_does_not_count_for_a_storm(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("incidents.correlate.RULES", Rules(storm_cap=2))
    place(over(of("cart-1", 0), 1), over(of("db-1", 0), 1), of("web-1", 1), of("api-1", 2))
    assert Incident.objects.count() == 4
    place(of("cron-1", 3))
    assert Incident.objects.count() == 4 and Incident.objects.get(number=4).alerts.count() == 2


def test_a_title_longer_than_its_column_is_cut() -> None:
    place(replace(ALERT, title="t" * 400))
    assert the_incident().title == "t" * 300
