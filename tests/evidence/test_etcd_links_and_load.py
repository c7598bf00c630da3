"""Members that are cut off or replaced, a database that fills, load and maintenance; on made series."""

import pytest

from domain.verdict import VerdictState
from tests.evidence.etcd_world import between, disk, integrated, judged, links, observed, recorded, said_now
from tests.evidence.made_series import (
    NAMES,
    Level,
    Made,
    asked,
    away,
    calm,
    gauge,
    step,
)

QUICK: Level = lambda s: 0.0006  # noqa: E731

# --- dead links ----------------------------------------------------------------------------------------------------

START = {"etcd2": step(-100, 1000, 1772366300.0)}  # noon less 100 s
TO_2 = {(a, "etcd2"): step(-100, 1, 0) for a in ("etcd1", "etcd3")}
FROM_2 = {("etcd2", b): step(-100, 1, 0) for b in ("etcd1", "etcd3")}


@pytest.mark.parametrize(
    ("series", "isolated", "since_start", "one_way"),
    [
        (calm(born=START) + links(TO_2), True, True, False),
        (calm() + links(TO_2 | FROM_2), True, False, False),
        (calm(born=START) + links(TO_2 | FROM_2), True, False, False),
        (calm(born=START) + links({k: between(-100, -70, 0, 1) for k in TO_2}), False, None, False),
        (calm(up={"etcd2": away(-100)}) + links(TO_2), False, None, False),
        (calm() + links({("etcd1", "etcd2"): step(-60, 1, 0)}), False, None, True),
        (calm() + links({("etcd1", "etcd2"): step(-60, 1, 0), ("etcd2", "etcd1"): step(-60, 1, 0)}), False, None, False),
        (calm(), None, None, None),
    ],
    ids=["wrong port since a start", "cut off", "cut off both ways since a start", "back within a few scrapes", "down",
         "one way", "one path both ways", "nothing exported"],
)  # fmt: skip
def test_a_member_that_is_up_and_missed_by_its_peers_is_cut_off(
    series: list[Made], isolated: bool | None, since_start: bool | None, one_way: bool | None
) -> None:
    found = asked("etcd-peers", series)
    assert found["etcd-member-isolated"].seen is isolated
    assert found["etcd-isolated-since-start"].seen is since_start
    assert found["etcd-peers-one-way"].seen is one_way


@pytest.mark.parametrize(
    ("series", "cause"),
    [
        (calm(born=START) + links(TO_2), "etcd-peer-address-wrong"),
        (calm() + links(TO_2 | FROM_2), "etcd-member-isolated"),
        (calm() + links({("etcd1", "etcd2"): step(-60, 1, 0)}), "etcd-one-way-path"),
        (calm(born=START) + links({k: between(-100, -70, 0, 1) for k in TO_2}), "etcd-member-restart"),
    ],
)
def test_what_cut_a_member_off_is_told_apart(series: list[Made], cause: str) -> None:
    verdict = judged(series)
    assert verdict.state is VerdictState.RANKED and verdict.causes[0].cause == cause


def identities(*, again: str = "a2", since_s: int = -90) -> list[Made]:
    """The id that each member reports; etcd2 is another one from then on."""
    rest = [gauge("etcd_server_id", n, 1.0, server_id=i) for n, i in (("etcd1", "a1"), ("etcd3", "a3"))]
    if again == "a2":
        return [*rest, gauge("etcd_server_id", "etcd2", 1.0, server_id="a2")]
    before = gauge("etcd_server_id", "etcd2", lambda s: 1.0 if s < since_s else None, server_id="a2")
    return [*rest, before, gauge("etcd_server_id", "etcd2", lambda s: 1.0 if s >= since_s else None, server_id=again)]


NEW_PEER = [gauge("etcd_network_active_peers", n, lambda s: 1.0 if s > -60 else None, Local=n, Remote="b7")
            for n in ("etcd1", "etcd3")]  # fmt: skip


@pytest.mark.parametrize(
    ("series", "seen", "cause"),
    [
        (calm(born=START) + links() + identities(again="b2"), True, "etcd-membership-changed"),
        (calm() + links() + identities() + NEW_PEER, True, "etcd-membership-changed"),
        (calm(born=START) + links() + identities(), False, "etcd-member-restart"),
        (calm(born=START) + links(), None, "etcd-member-restart"),
    ],
    ids=["replaced", "one more", "restarted", "no ids"],
)
def test_a_replaced_member_is_not_called_restarted(series: list[Made], seen: bool | None, cause: str) -> None:
    assert asked("etcd-peers", series)["etcd-membership-changed"].seen is seen
    assert judged(series).causes[0].cause == cause


# --- room, load and maintenance ------------------------------------------------------------------------------------

GIB = 1024.0**3


def sizes(level: Level) -> list[Made]:
    made = [gauge("etcd_mvcc_db_total_size_in_bytes", name, level) for name in NAMES]
    return made + [gauge("etcd_server_quota_backend_bytes", name, 2 * GIB) for name in NAMES]


@pytest.mark.parametrize(
    ("level", "low", "soon"),
    [
        (lambda s: 1.96 * GIB, True, False),
        (lambda s: (1.2 + 0.4 * (s + 1800) / 1920) * GIB, False, True),
        (lambda s: GIB, False, False),
        (lambda s: GIB if s > -200 else None, False, None),
    ],
    ids=["98 percent", "growing", "half", "a short record"],
)
def test_a_database_near_its_quota_is_said(level: Level, low: bool, soon: bool | None) -> None:
    found = asked("etcd-space", sizes(level))
    assert (found["etcd-disk-space-low"].seen, found["etcd-quota-forecast"].seen) == (low, soon)
    verdict = judged(calm() + sizes(level), now=said_now("etcd-space-alarm"))
    assert (verdict.state is VerdictState.RANKED and verdict.causes[0].cause == "etcd-quota-near") is bool(low or soon)


def requests(kind: str, rate: Level) -> list[Made]:
    return [gauge(f"etcd_mvcc_{kind}_total", name, integrated(rate)) for name in NAMES]


@pytest.mark.parametrize(
    ("series", "seen"),
    [
        (requests("range", between(-60, 60, 900, 20)), True),
        (requests("put", between(-60, 0, 400, 50)), True),
        (requests("put", between(-60, 0, 20, 1)), False),
        (requests("txn", lambda s: 500), False),
        (recorded(requests("put", between(-60, 0, 400, 50)), -300), None),
    ],
    ids=["ranges", "writes", "an idle one", "always much", "nothing usual on record"],
)
def test_clients_that_ask_far_more_than_usual_are_told(series: list[Made], seen: bool | None) -> None:
    assert asked("etcd-load", series)["etcd-client-surge"].seen is seen


SLOW_APPLIES = [gauge("etcd_server_slow_apply_total", "etcd1", lambda s: float(max(0, s)))]
LATE = [gauge("etcd_server_heartbeat_send_failures_total", "etcd1", lambda s: float(max(0, s)))]
EVEN = [made for name in NAMES for made in disk(name, QUICK)]
DEFRAG = "etcd_disk_backend_defrag_duration_seconds"
ONE_DEFRAG = [gauge(f"{DEFRAG}_count", "etcd1", step(-20, 0, 1)), gauge(f"{DEFRAG}_sum", "etcd1", step(-20, 0, 12))]


def cpu(rate: Level) -> list[Made]:
    return [gauge("process_cpu_seconds_total", n, integrated(rate if n == "etcd1" else lambda s: 0.1)) for n in NAMES]


@pytest.mark.parametrize(
    ("series", "cause"),
    [
        (requests("range", between(-60, 60, 900, 20)) + SLOW_APPLIES, "etcd-client-overload"),
        (ONE_DEFRAG + SLOW_APPLIES, "etcd-defragmentation"),
        (cpu(between(-30, 90, 0.98, 0.15)) + LATE + SLOW_APPLIES + requests("put", lambda s: 5), "etcd-cpu-starved"),
    ],
)
def test_load_maintenance_and_want_of_cpu_are_told_apart(series: list[Made], cause: str) -> None:
    verdict = judged(calm() + EVEN + series)
    assert verdict.state is VerdictState.RANKED and verdict.causes[0].cause == cause


def test_a_slow_disk_is_not_called_load_or_want_of_cpu() -> None:
    slow = disk("etcd1", between(-60, 60, 0.4, 0.0006)) + disk("etcd2", QUICK) + disk("etcd3", QUICK)
    series = calm() + slow + LATE + SLOW_APPLIES + cpu(between(-30, 90, 0.98, 0.15))
    assert judged(series).causes[0].cause == "etcd-slow-disk"
    assert observed(series)["etcd-cpu-busy"].seen is True
