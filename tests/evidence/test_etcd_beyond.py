"""What the field taught about etcd: short faults, the past, silence, one bad path, dead links, load; on made series."""

from dataclasses import replace

import pytest

from domain.findings import Finding
from domain.verdict import VerdictState
from evidence.checks.etcd_peer_rtt import OF_SAMPLES
from tests.evidence.etcd_world import FSYNC, between, disk, judged, recorded, said_now
from tests.evidence.made_series import (
    MEMBER,
    NAMES,
    Level,
    Made,
    asked,
    away,
    buckets,
    calm,
    etcd_decl,
    round_trips,
    scope,
    step,
)

QUICK: Level = lambda s: 0.0006  # noqa: E731
SWITCHED = {name: step(0, 1, 2) for name in NAMES}


def fsync(measure: str, series: list[Made], *spreads: list[dict[str, object]]) -> Finding:
    lines = [line for spread in spreads for line in spread]
    return asked("etcd-disk", series, None, {f"increase({FSYNC}": lines})[measure]


def spread(name: str, at_8: float, at_16: float, total: float) -> list[dict[str, object]]:
    """Writes of at most 8 ms, at most 16 ms, and all."""
    counts = {"0.001": at_8 / 2, "0.008": at_8, "0.016": at_16, "1.024": total, "+Inf": total}
    return buckets({"instance": f"{name}:2379"}, counts)


# --- the fault's own time ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("start_s", "end_s", "mean"),
    [(-100, -80, 0.9), (-100, -60, 0.2), (-140, -50, 0.06), (0, 120, 0.3)],
    ids=["20 s long ago", "40 s long ago", "six times the guidance", "until now"],
)
def test_a_slow_disk_is_as_slow_at_each_later_look(start_s: int, end_s: int, mean: float) -> None:
    series = disk("etcd1", between(start_s, end_s, mean, 0.0006)) + disk("etcd2", QUICK) + disk("etcd3", QUICK)
    slow = 2.0 * (end_s - start_s)
    told = [
        spread("etcd1", 540 - slow, 540 - slow, 540),
        spread("etcd2", 540, 540, 540),
        spread("etcd3", 540, 540, 540),
    ]
    found = fsync("etcd-fsync-one-slow", series, *told)
    assert found.seen and found.subject == "etcd1" and found.value == pytest.approx(mean, rel=0.3)
    assert fsync("etcd-fsync-over-guidance", series, *told).seen
    assert fsync("etcd-fsync-one-slow", series).seen


@pytest.mark.parametrize(
    ("at_8", "at_16", "seen"),
    [(540, 540, False), (538, 540, False), (520, 540, None), (500, 520, True)],
    ids=["all quick", "two writes", "P99 in the bucket of the limit", "P99 above it while the mean is low"],
)
def test_guidance_for_p99_is_held_against_p99(at_8: float, at_16: float, seen: bool | None) -> None:
    series = [made for name in NAMES for made in disk(name, lambda s: 0.002)]
    told = [spread(name, at_8 if name == "etcd2" else 540, at_16 if name == "etcd2" else 540, 540) for name in NAMES]
    found = fsync("etcd-fsync-over-guidance", series, *told)
    assert found.seen is seen
    assert all("P99" in item.note and "ms" in item.note for item in found.items)


def test_a_low_mean_without_a_histogram_does_not_say_that_p99_is_low() -> None:
    series = [made for name in NAMES for made in disk(name, lambda s: 0.002)]
    assert fsync("etcd-fsync-over-guidance", series).seen is None


@pytest.mark.parametrize(
    ("slow", "seen"), [(("etcd1", "etcd3"), True), (NAMES, False)], ids=["two of three", "all of them"]
)
def test_two_slow_disks_of_three_stand_out_and_three_do_not(slow: tuple[str, ...], seen: bool) -> None:
    series = [m for n in NAMES for m in disk(n, between(-60, 0, 0.3 if n in slow else 0.0006, 0.0006))]
    found = fsync("etcd-fsync-one-slow", series)
    assert found.seen is seen and ("slow as well" in found.sentence.en) is seen
    assert fsync("etcd-fsync-over-guidance", series).seen
    if seen:
        verdict = judged(calm() + series)
        assert verdict.causes[0].cause == "etcd-slow-disk" and verdict.state is VerdictState.RANKED


def test_a_process_that_begins_anew_does_not_hide_what_its_disk_did_before() -> None:
    slow = disk("etcd1", between(-100, -60, 0.5, 0.0006))
    again = [replace(m, value=lambda s, m=m: (m.value(s) or 0.0) - ((m.value(-20) or 0.0) if s >= -20 else 0.0))  # type: ignore[misc]
             for m in slow]  # fmt: skip
    assert fsync("etcd-fsync-one-slow", again + disk("etcd2", QUICK) + disk("etcd3", QUICK)).seen


# --- the past counts -----------------------------------------------------------------------------------------------

WELL_NOW = said_now("etcd-quorum-lost", "etcd-member-unhealthy", "etcd-member-hangs", "etcd-space-alarm")
GONE = {"etcd2": away(-60, -50), "etcd3": away(-60, -50)}


@pytest.mark.parametrize(
    ("up", "led", "seen"),
    [
        (GONE, {"etcd1": away(-60, -45)}, True),
        ({}, {name: away(-60, -35) for name in NAMES}, True),
        (GONE, {}, False),
        ({"etcd2": away(-60, -30)}, {}, False),
        ({}, {name: away(-60, -55) for name in NAMES}, False),
        ({name: away(-60, -30) for name in NAMES}, {}, None),
    ],
    ids=["two of three for ten seconds", "nobody saw a leader", "two not scraped while the third has a leader", "one",
         "an election", "nobody scraped"],
)  # fmt: skip
def test_a_majority_that_was_lost_is_found_in_its_time(
    up: dict[str, Level], led: dict[str, Level], seen: bool | None
) -> None:
    found = asked("etcd-leader", calm(up=up, led=led))["etcd-quorum-was-lost"]
    assert found.seen is seen and (found.first_seen_at is not None) is (seen is True)


def test_a_quorum_lost_for_ten_seconds_is_named_although_all_is_well_now() -> None:
    verdict = judged(calm(up=GONE, led={"etcd1": away(-60, -45)}), now=WELL_NOW)
    assert verdict.state is VerdictState.RANKED and verdict.causes[0].cause == "etcd-quorum-lost"
    assert "etcd-quorum-lost" in {r.cause for r in judged(calm(), now=WELL_NOW).ruled_out}


# --- silence is no proof -------------------------------------------------------------------------------------------

UNWATCHED = ("etcd-member-scrape-gap", "etcd-no-leader-seen", "etcd-quorum-was-lost")


@pytest.mark.parametrize("until_s", [45, 10_000], ids=["for a while", "until the end"])
@pytest.mark.parametrize("absent", [False, True], ids=["failed scrapes", "no samples"])
def test_when_no_member_is_scraped_what_they_did_is_unknown(absent: bool, until_s: int) -> None:
    series = calm(up={name: away(-60, until_s) for name in NAMES}, changes=SWITCHED)
    if absent:
        series = [Made(m.metric, m.member, lambda s, m=m: None if -60 <= s < until_s else m.value(s), m.labels)  # type: ignore[misc]
                  for m in calm(changes=SWITCHED)]  # fmt: skip
    found = asked("etcd-leader", series)
    assert [found[measure].seen for measure in UNWATCHED] == [None] * 3
    assert found["etcd-old-leader-silent"].seen is None
    assert found["etcd-member-down"].seen is (False if until_s < 120 or absent else None)
    assert not [c for c in judged(series).causes if c.cause == "etcd-leader-stalled" and c.probability > 0.2]


def late(name: str, high: float = 0.4, noise: float = 0.004) -> list[Made]:
    """All wait for one member, and it for nobody."""
    return round_trips(lambda start, end: between(0, 90, high if end == name else noise, 0.004))


@pytest.mark.parametrize(
    ("series", "seen"),
    [
        (late("etcd1"), True),
        (late("etcd1", noise=0.09), True),
        (round_trips(lambda a, b: between(0, 90, 0.4 if "etcd1" in (a, b) else 0.004, 0.004)), False),
        (round_trips(lambda a, b: between(0, 90, 0.4, 0.004)), False),
        (round_trips(lambda a, b: lambda s: 0.004), False),
        (round_trips(lambda a, b: between(0, 90, 0.4 if (a, b) == ("etcd2", "etcd1") else 0.004, 0.004)), None),
    ],
    ids=["late", "late in noise", "both directions", "all", "flat", "one direction of one pair"],
)
def test_a_process_that_stands_still_between_scrapes_is_late_for_the_others_only(
    series: list[Made], seen: bool | None
) -> None:
    assert asked("etcd-peer-rtt", calm() + series)["etcd-rtt-towards-one"].seen is seen


def test_a_leader_that_stood_still_between_scrapes_was_not_moved_on_purpose() -> None:
    quick = [made for name in NAMES for made in disk(name, QUICK)]
    verdict = judged(calm(changes=SWITCHED) + late("etcd1") + quick)
    assert verdict.causes[0].cause == "etcd-leader-stalled" and verdict.causes[0].entity.endswith("etcd1")
    follower = judged(calm(changes=SWITCHED) + late("etcd2") + quick)
    assert follower.state is VerdictState.UNKNOWN or follower.causes[0].cause != "etcd-leader-stalled"


def test_several_switches_in_a_row_are_nobodys_doing() -> None:
    often: Level = lambda s: 1.0 + (s >= -60) + (s >= -30) + (s >= 0)  # noqa: E731
    quick = [made for name in NAMES for made in disk(name, QUICK)]
    flat = round_trips(lambda a, b: lambda s: 0.004)
    series = calm(changes=dict.fromkeys(NAMES, often)) + quick + flat
    assert asked("etcd-leader", series)["etcd-switches-repeated"].value == 3
    once = judged(calm(changes=SWITCHED) + quick + flat)
    assert once.causes[0].cause == "etcd-leadership-moved"
    again = judged(series)
    assert again.state is VerdictState.UNKNOWN or again.causes[0].cause != "etcd-leadership-moved"


# --- one bad path --------------------------------------------------------------------------------------------------


def between_two(first: str, second: str, noise: float = 0.004) -> list[Made]:
    return round_trips(lambda a, b: between(-60, 90, 0.9 if {a, b} == {first, second} else noise, 0.004))


@pytest.mark.parametrize(
    ("series", "zones", "cross", "one"),
    [
        (between_two("etcd1", "etcd2"), ("za", "zb", "zc"), True, False),
        (between_two("etcd1", "etcd2", noise=0.06), ("za", "zb", "zc"), True, False),
        (between_two("etcd2", "etcd3"), ("za", "zb", "zb"), False, False),
        (between_two("etcd1", "etcd2"), ("", "", ""), None, False),
        (late("etcd1"), ("za", "zb", "zc"), False, True),
    ],
    ids=["two zones", "two zones in noise", "one zone", "no zones", "a process"],
)
def test_a_bad_path_between_two_members_is_no_member(
    series: list[Made], zones: tuple[str, ...], cross: bool | None, one: bool
) -> None:
    found = asked("etcd-peer-rtt", calm() + series, scope([etcd_decl(zones=zones)], [MEMBER]))
    assert (found["etcd-rtt-cross-zone"].seen, found["etcd-rtt-one-member"].seen) == (cross, one)


def test_jitter_that_unseats_no_leader_is_named() -> None:
    verdict = judged(calm() + between_two("etcd1", "etcd3"))
    assert verdict.state is VerdictState.RANKED and verdict.causes[0].cause == "cross-az-network-jitter"
    assert "za – zc" in verdict.headline.en


@pytest.mark.parametrize(
    "series", [late("etcd1"), between_two("etcd1", "etcd2"), round_trips(lambda a, b: lambda s: 0.3)]
)
def test_without_a_sample_of_the_faults_time_round_trips_are_unknown(series: list[Made]) -> None:
    seen_until = [Made(m.metric, m.member, lambda s, m=m: m.value(s) if s < -160 else None, m.labels) for m in series]  # type: ignore[misc]
    found = asked("etcd-peer-rtt", calm() + seen_until)
    assert {found[m].seen for m in OF_SAMPLES} == {None}
    assert all("since the fault" in str(found[m].why_unknown) for m in OF_SAMPLES)


# --- a usual level takes its time ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("level", "since_s", "title", "seen"),
    [
        (0.34, -1800, "", True),
        (0.34, -400, "", None),
        (0.08, -1800, "", False),
        (0.08, -1800, "etcdMemberCommunicationSlow", True),
        (0.08, -400, "etcdMemberCommunicationSlow", None),
        (0.02, -1800, "etcdMemberCommunicationSlow", False),
    ],
    ids=["long", "too short a record", "below the guidance", "below it, and the rules complained",
         "that, too short a record", "quick"],
)  # fmt: skip
def test_a_usual_level_needs_ten_minutes_of_record(level: float, since_s: int, title: str, seen: bool | None) -> None:
    series = recorded(calm() + round_trips(lambda a, b: lambda s: level), since_s)
    found = asked("etcd-peer-rtt", series, scope(entities=[MEMBER], title=title or "etcd"))["etcd-rtt-steady-high"]
    assert found.seen is seen and bool(found.why_unknown) is (seen is None)


def test_jitter_after_a_short_calm_is_not_steady() -> None:
    jitter: Level = lambda s: 0.004 if s < -915 else (0.15, 0.26, 0.2)[s // 30 % 3]  # noqa: E731
    found = asked("etcd-peer-rtt", recorded(calm() + round_trips(lambda a, b: jitter), -1000))
    assert found["etcd-rtt-steady-high"].seen is False
