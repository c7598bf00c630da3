"""Two incidents that a later alert connects become one."""

from datetime import UTC, datetime, timedelta

import pytest

from domain.alerts import AlertState, Family, ParsedAlert, ParsedDelivery, Severity
from domain.connections import Connections
from domain.entities import EntityKind, EntityRef
from incidents import burst, deliveries, feedback, investigations, lifecycle, queries, sources, tickets
from incidents.models import Alert, AuditEntry, GraphQueue, Incident, Investigation, Source, TicketLink

BEGAN = datetime(2026, 7, 1, 6, 0, tzinfo=UTC)
PODS = [EntityRef(EntityKind.POD, f"cart-{n}", "prod", "shop") for n in (1, 2, 3)]
CART = EntityRef(EntityKind.WORKLOAD, "cart", "prod", "shop")

pytestmark = pytest.mark.django_db


def at(minutes: int) -> datetime:
    return BEGAN + timedelta(minutes=minutes)


def about(subject: EntityRef, minutes: int = 0, *others: EntityRef, family: Family = Family.POD) -> ParsedAlert:
    return ParsedAlert(
        f"{subject.name} {family} {minutes}", "1", AlertState.FIRING, "Rule", f"{subject.name} fails", Severity.HIGH,
        at(minutes), entities=(subject, *others), subject=subject, family=family,
    )  # fmt: skip


def place(*alerts: ParsedAlert, labels: tuple[str, ...] = ()) -> list[Incident]:
    source = Source.objects.first() or sources.make_source("alertmanager", "prod")[0]
    delivery = deliveries.accept(source, b"{}", {}, BEGAN)
    return burst.apply_burst([(delivery, ParsedDelivery(alerts, ticket_labels=labels))], Connections())


CONNECTS = about(CART, 2, PODS[0], PODS[1])


@pytest.fixture
def pair() -> tuple[Incident, Incident]:
    """Two incidents of two pods whose workload is not known yet."""
    place(about(PODS[0]), labels=("ALERT{1}", "both"))
    place(about(PODS[1], 1), labels=("ALERT{2}", "both"))
    first, second = Incident.objects.order_by("number")
    return first, second


def test_a_later_alert_makes_one_of_two_incidents_and_the_older_one_stays(pair: tuple[Incident, Incident]) -> None:
    first, second = pair
    deliveries_before = second.deliveries.count()
    feedback.add(second, "ada", "confirmed", "etcd-slow-disk")
    (changed,) = place(CONNECTS)
    first.refresh_from_db(), second.refresh_from_db()
    assert changed == first and first.alerts.count() == 3 and not second.alerts.exists()
    assert (first.state, first.merged_into, second.state, second.merged_into) == ("open", None, "resolved", first)
    assert second.resolved_at is not None and (first.started_at, first.last_alert_at) == (at(0), at(2))
    assert deliveries_before == 1 and first.deliveries.count() == 3 and not second.deliveries.exists()
    assert set(first.entities.values_list("name", flat=True)) == {"cart", "cart-1", "cart-2"}
    assert first.feedback.get().by == "ada" and not second.feedback.exists()
    assert sorted(link.key for link in tickets.links(first)) == ["ALERT{1}", "ALERT{2}", "both"]
    assert queries.survivor(second) == first == queries.survivor(first)
    entry = AuditEntry.objects.get(action="merge")
    assert (entry.object, entry.detail["number"], entry.detail["into"]) == (str(second.pk), "2", "1")


def test_of_the_merged_one_nothing_is_investigated_and_the_other_one_is_again(pair: tuple[Incident, Incident]) -> None:
    first, second = pair
    running = investigations.claim_investigation(second.investigations.get().pk)
    assert running is not None
    done = first.investigations.get()
    Investigation.objects.filter(pk=done.pk).update(state="done")
    place(CONNECTS)
    cancelled = second.investigations.get()
    assert (cancelled.state, cancelled.reason) == ("dead", "merged into incident #1")
    investigations.fail_investigation(running, "no alerts any more")
    assert second.investigations.get().state == "dead"
    assert sorted(first.investigations.values_list("state", flat=True)) == ["asked", "done"]
    assert set(GraphQueue.objects.values_list("incident", flat=True)) == {first.pk, second.pk}


def test_three_incidents_become_one_in_one_burst_and_the_burst_may_come_again() -> None:
    for number, pod in enumerate(PODS):
        place(about(pod, number))
    third = Incident.objects.get(number=3)
    for _ in range(2):
        changed = place(about(CART, 3, PODS[1], PODS[2]), about(CART, 4, *PODS), about(PODS[0], 5))
        assert [row.number for row in changed] == [1]
    assert Incident.objects.get(merged_into=None).alerts.count() == 6
    assert set(Incident.objects.values_list("merged_into__number", flat=True)) == {None, 1}
    third.refresh_from_db()
    assert queries.survivor(third).number == 1


def test_incidents_that_one_burst_opened_and_joined_leave_one_row_with_alerts() -> None:
    (changed,) = place(about(PODS[0]), about(PODS[1], 1), CONNECTS)
    assert changed.number == 1 and changed.deliveries.count() == 1
    assert list(Alert.objects.values_list("incident", flat=True)) == [changed.pk] * 3
    assert TicketLink.objects.count() == 0


def test_who_acknowledged_either_one_and_has_it_is_known_of_the_one_that_stays(pair: tuple[Incident, Incident]) -> None:
    lifecycle.assign(pair[1], "ada")
    place(CONNECTS)
    first = Incident.objects.get(number=1)
    assert (first.acknowledged_by, first.assigned_to) == ("ada", "ada") and first.acknowledged_at


def test_what_followed_the_merged_one_follows_the_one_that_stays(pair: tuple[Incident, Incident]) -> None:
    first, second = pair
    follower = Incident.objects.create(
        number=9, title="later", started_at=at(60), opened_at=at(60), last_alert_at=at(60), follows=second
    )
    Incident.objects.filter(pk=first.pk).update(follows=second)
    place(CONNECTS)
    follower.refresh_from_db(), first.refresh_from_db(), second.refresh_from_db()
    assert (follower.follows, first.follows, second.follows) == (first, None, None)
    ties = queries.ties(first)
    assert (ties.merged, ties.followed_by, ties.follows, ties.merged_into) == ((second,), (follower,), None, None)


def test_lists_and_counts_leave_merged_incidents_out(pair: tuple[Incident, Incident]) -> None:
    place(CONNECTS)
    assert [row.number for row in queries.incidents(queries.IncidentFilter())] == [1]
    assert queries.counts_by_state()["incidents"] == {"open": 1}
    assert lifecycle.reopen(pair[1]) is False
