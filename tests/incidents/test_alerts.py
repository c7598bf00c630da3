"""Which stored occurrence a message is about, what it changes there, and what a new occurrence ends."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from domain import codec
from domain.alerts import AlertState, ParsedAlert, Severity
from incidents.alerts import end_merged, nearby_occurrences, new_occurrence, stored_occurrence
from incidents.models import Alert, Delivery, Source

BEGAN = datetime(2026, 7, 1, 6, 0, tzinfo=UTC)
FIRING, RESOLVED, UPDATE = AlertState.FIRING, AlertState.RESOLVED, AlertState.UPDATE


def at(minutes: float) -> datetime:
    return BEGAN + timedelta(minutes=minutes)


def maybe(minutes: float | None) -> datetime | None:
    return None if minutes is None else at(minutes)


def message(start: float, state: AlertState = FIRING, end: float | None = None, **more: object) -> ParsedAlert:
    made = ParsedAlert("f1", f"at {start}", state, "Probe", "probe fails", Severity.HIGH, at(start), maybe(end))
    return replace(made, **more)


def stored(start: float, end: float | None = None, state: AlertState = FIRING, **more: object) -> Alert:
    """A row that is not saved, firing where it has no end."""
    told = message(start, state, title="as stored")
    values = {"firing": end is None, "occurrence": told.occurrence, "severity": told.severity.rank} | more
    return Alert(
        identity="f1", name="Probe", title="as stored", started_at=at(start), ended_at=maybe(end),
        last_seen_at=at(start), parsed=codec.encode(told), **values,
    )  # fmt: skip


def delivery(minutes: float = 60) -> Delivery:
    return Delivery(source=Source(kind="alertmanager", name="prod"), received_at=at(minutes))


@pytest.mark.parametrize(
    ("near", "told", "position"),
    [
        ([stored(0), stored(10)], message(10), 1),
        ([stored(0, occurrence="o" * 64)], message(90, occurrence="o" * 80), 0),
        ([stored(0, occurrence="o" * 63)], message(90, occurrence="o" * 80), None),
        # An end that carries an earlier start than the open episode's.
        ([stored(10)], message(0, RESOLVED, 15), 0),
        ([stored(10)], message(0, RESOLVED, 10), 0),
        ([stored(10)], message(0, RESOLVED, 9), None),
        ([stored(10)], message(0, RESOLVED), 0),
        ([stored(10, occurrence="own")], message(10, RESOLVED, 15), 0),
        ([stored(10)], message(11, RESOLVED, 15), None),
        ([stored(10, 12)], message(0, RESOLVED, 15), None),
        ([stored(5), stored(10)], message(0, RESOLVED, 15), 0),
        # A start within an episode that is over.
        ([stored(0, 10)], message(5), 0),
        ([stored(0, 10, occurrence="own")], message(0), 0),
        ([stored(0, 10)], message(10), None),
        ([stored(0, 10)], message(-1), None),
        ([stored(0, 10)], message(5, UPDATE), 0),
        ([stored(0, 10)], message(5, RESOLVED, 20), None),
        ([stored(0)], message(5), None),
        ([stored(0, firing=False)], message(5), None),
        ([stored(0, 10), stored(1, 9)], message(5), 0),
        ([], message(5), None),
    ],
)
def test_a_message_is_about_the_occurrence_of_its_name_or_the_one_around_it(
    near: list[Alert], told: ParsedAlert, position: int | None
) -> None:
    found = stored_occurrence(near, delivery(), told)
    assert found is (None if position is None else near[position])


@pytest.mark.parametrize(
    ("before", "now", "replaced"),
    [
        (FIRING, FIRING, True), (FIRING, RESOLVED, False), (FIRING, UPDATE, False),
        (RESOLVED, FIRING, True), (RESOLVED, RESOLVED, True), (RESOLVED, UPDATE, False),
        (UPDATE, FIRING, True), (UPDATE, RESOLVED, True), (UPDATE, UPDATE, True),
    ],
)  # fmt: skip
def test_what_tells_more_of_an_alert_replaces_what_tells_less(
    before: AlertState, now: AlertState, replaced: bool
) -> None:
    told = message(0, now, name="n" * 400, title="as told")
    row = stored_occurrence([stored(0, state=before)], delivery(), told)
    assert row is not None
    assert (row.title, row.name) == (("as told", "n" * 300) if replaced else ("as stored", "Probe"))
    assert codec.decode(row.parsed, ParsedAlert).title == row.title


@pytest.mark.parametrize(
    ("known", "told", "ended"), [(None, 15, 15), (10, 15, 10), (15, 10, 10), (10, None, 10), (None, None, 60)]
)
def test_an_alert_ended_at_the_earliest_end_that_is_known_or_when_the_message_came(
    known: float | None, told: float | None, ended: float
) -> None:
    row = stored_occurrence([stored(0, known)], delivery(60), message(0, RESOLVED, told))
    assert row is not None and (row.firing, row.ended_at) == (False, at(ended))


def test_a_message_that_ends_nothing_leaves_the_alert_firing() -> None:
    for state in (FIRING, UPDATE):
        row = stored_occurrence([stored(0)], delivery(), message(0, state, 15))
        assert row is not None and (row.firing, row.ended_at) == (True, None)


@pytest.mark.parametrize(("start", "began", "occurrence"), [(-5, -5, "o" * 64), (0, 0, "at 0"), (5, 0, "at 0")])
def test_an_earlier_start_moves_the_beginning_and_a_later_one_does_not(
    start: float, began: float, occurrence: str
) -> None:
    told = replace(message(start, RESOLVED, 15), occurrence="o" * 80 if start else "at 0")
    near = [stored(0)] if start <= 0 else [stored(0, occurrence="o" * 64)]
    row = stored_occurrence(near, delivery(), told)
    assert row is not None
    assert (row.started_at, row.occurrence) == (at(began), occurrence if start <= 0 else "o" * 64)


@pytest.mark.parametrize("severity", [Severity.INFO, Severity.HIGH, Severity.CRITICAL])
def test_the_worst_severity_and_the_latest_message_are_kept(severity: Severity) -> None:
    row = stored_occurrence([stored(0)], delivery(60), message(0, severity=severity))
    assert row is not None
    assert row.severity == max(severity.rank, Severity.HIGH.rank) and row.last_seen_at == at(60)
    late = stored_occurrence([row], delivery(30), message(0))
    assert late is not None and late.last_seen_at == at(60)


@pytest.mark.parametrize(
    ("near", "told", "firing", "ended", "known"),
    [
        ([], message(0), True, None, True),
        ([], message(0, UPDATE), True, None, False),
        ([], message(0, RESOLVED), False, 60, False),
        ([], message(0, RESOLVED, 15), False, 15, False),
        ([stored(10)], message(0), False, 10, True),
        ([stored(20), stored(30)], message(0), False, 20, True),
        ([stored(10)], message(0, RESOLVED, 5), False, 5, False),
        ([stored(10)], message(0, RESOLVED, 15), False, 10, False),
        ([stored(10)], message(0, RESOLVED), False, 10, False),
        ([stored(0, 0)], message(0), True, None, True),
    ],
)
def test_a_new_occurrence_fires_unless_it_is_over_or_a_later_one_is_known(
    near: list[Alert], told: ParsedAlert, firing: bool, ended: float | None, known: bool
) -> None:
    row = new_occurrence(near, delivery(60), told)
    assert (row.firing, row.ended_at, row.known_started) == (firing, maybe(ended), known)
    assert (row.started_at, row.last_seen_at, row.severity) == (at(0), at(60), Severity.HIGH.rank)
    assert (row.title, row.name, row.identity, row.occurrence) == ("probe fails", "Probe", "f1", told.occurrence)
    assert codec.decode(row.parsed, ParsedAlert) == told and row.source.name == "prod"


def test_what_is_longer_than_its_column_is_cut() -> None:
    row = new_occurrence([], delivery(), message(0, identity="i" * 400, occurrence="o" * 400, name="n" * 400))
    assert [len(text) for text in (row.identity, row.occurrence, row.name)] == [200, 64, 300]


@pytest.fixture
def source(db: None) -> Source:
    return Source.objects.create(kind="alertmanager", name="prod")


def saved(source: Source, *rows: Alert) -> list[Alert]:
    for row in rows:
        row.source = source
        row.save()
    return list(rows)


def ends() -> list[tuple[bool, datetime | None]]:
    return list(Alert.objects.order_by("started_at").values_list("firing", "ended_at"))


def test_a_new_occurrence_ends_the_older_ones_that_still_fire(source: Source) -> None:
    near = saved(source, stored(0), stored(5, 8), stored(20))
    new_occurrence(near, delivery(), message(10))
    assert ends() == [(False, at(10)), (False, at(8)), (True, None)]


def test_one_that_began_at_the_same_time_goes_on(source: Source) -> None:
    near = saved(source, stored(10, occurrence="own"))
    new_occurrence(near, delivery(), message(10))
    assert ends() == [(True, None)]


def test_an_end_takes_every_open_episode_between_its_start_and_its_end_with_it(source: Source) -> None:
    near = saved(source, stored(4), stored(5), stored(7, 8), stored(10), stored(11))
    end_merged(near, message(5, RESOLVED))
    assert [firing for firing, _ in ends()] == [True, True, False, True, True]
    end_merged(near, message(5, RESOLVED, 10))
    assert ends() == [(True, None), (False, at(10)), (False, at(8)), (False, at(10)), (True, None)]


def test_occurrences_are_near_that_fire_or_have_the_name_or_reach_beyond_the_beginning(source: Source) -> None:
    saved(
        source, stored(20, 30), stored(0, 5), stored(1, 10), stored(2, 11), stored(3), stored(4, 5, occurrence="o" * 64),
        stored(6, occurrence="other", firing=False), stored(21, firing=False),
    )  # fmt: skip
    other = Source.objects.create(kind="alertmanager", name="other")
    saved(other, stored(7))
    foreign = stored(8)
    foreign.identity = "f2"
    saved(source, foreign)
    received = Delivery(source=source, received_at=at(60))
    near = nearby_occurrences(received, message(10, occurrence="o" * 80))
    assert [row.started_at for row in near] == [at(2), at(3), at(4), at(20), at(21)]


def test_an_identity_longer_than_its_column_is_found_again(source: Source) -> None:
    row = stored(0)
    row.identity = "i" * 200
    saved(source, row)
    assert nearby_occurrences(Delivery(source=source, received_at=at(60)), message(0, identity="i" * 300)) == [row]
