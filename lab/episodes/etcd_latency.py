"""Episodes with high round trips: steady ones, ones just below the limit, and ones to a single member."""

import time
from functools import partial

from lab.episode import Draw, Episode, Setting
from lab.episodes.etcd_scene import RTT_HIGH, Scene, calm_scene
from lab.episodes.etcd_shapes import site
from lab.faults.network import late_member
from lab.stage.etcd import Etcd
from lab.stage.programs import Stage, StageBroken, log_progress
from lab.stage.sink import Sink

RTT = "etcd_network_peer_round_trip_time_seconds"
# How long the smoothed round trip of a pair needs until it is steady.
STEADY_AFTER_S = 100
# What etcd measures beyond twice the delay of one way: its own work and the proxy, on a machine with other work.
EXTRA_S = 0.009


def _late(etcd: Etcd, *, one_way_s: float) -> None:
    etcd.delay(one_way_s)
    log_progress(f"{one_way_s * 1000:.1f} ms one way from the start")
    time.sleep(STEADY_AFTER_S)


def _mean(scene: Scene) -> float:
    """The highest mean of a pair in the last minutes, in seconds."""
    return scene.value(f"max(increase({RTT}_sum[3m]) / increase({RTT}_count[3m]))")


def _p99(scene: Scene) -> float:
    """The P99 that the usual alerting rule uses, in seconds."""
    return scene.value(f"max(histogram_quantile(0.99, sum by (instance, To, le) (rate({RTT}_bucket[3m]))))")


def steady_latency(stage: Stage, sink: Sink, draw: Draw) -> Setting:
    """A steady delay: nothing is broken, the leader stays."""
    chosen, one_way_s = site(draw, apart=True), draw.uniform(0.09, 0.16)
    with calm_scene(stage, sink, chosen, prepare=partial(_late, one_way_s=one_way_s)) as scene:
        scene.alerted(RTT_HIGH, 120)
        time.sleep(draw.uniform(5, 15))
        scene.must_not_switch()
        return scene.setting(
            "no-fault", scene.cluster(),
            f"Always {one_way_s * 1000:.0f} ms one way between zones, which etcd measures as "
            f"{_mean(scene) * 1000:.0f} ms; nothing is broken, the leader stays.",
        )  # fmt: skip


def steady_near_limit(stage: Stage, sink: Sink, draw: Draw) -> Setting:
    """A steady round trip well below the limit, whose P99 reads as far above it: the bucket is that wide."""
    # With this election timeout the limit is 150 ms, which lies inside the bucket.
    chosen, wanted_s = site(draw, apart=True, election_ms=1000), draw.uniform(0.112, 0.122)
    one_way_s = (wanted_s - EXTRA_S) / 2
    with calm_scene(stage, sink, chosen, prepare=partial(_late, one_way_s=one_way_s)) as scene:
        scene.alerted(RTT_HIGH, 120)
        time.sleep(draw.uniform(5, 15))
        mean, p99 = _mean(scene), _p99(scene)
        log_progress(f"mean {mean * 1000:.1f} ms, P99 {p99 * 1000:.1f} ms")
        if not (0.108 <= mean <= 0.126 and p99 > 0.2):
            raise StageBroken(f"mean {mean * 1000:.1f} ms and P99 {p99 * 1000:.1f} ms are not what was wanted")
        scene.must_not_switch()
        return scene.setting(
            "no-fault", scene.cluster(),
            f"Always {one_way_s * 1000:.1f} ms one way between zones: the highest mean of a pair is "
            f"{mean * 1000:.0f} ms, P99 reads as {p99 * 1000:.1f} ms.",
        )  # fmt: skip


def network_to_one_member(stage: Stage, sink: Sink, draw: Draw) -> Setting:
    """Only the links of one member are late: its host or its cable, and no zone."""
    chosen, delay_s, jitter_s = site(draw), draw.uniform(0.1, 0.2), draw.uniform(0.02, 0.06)
    with calm_scene(stage, sink, chosen) as scene:
        slow = draw.choice(scene.etcd.followers())
        with late_member(scene.etcd, slow, delay_s, jitter_s):
            time.sleep(draw.uniform(70, 90))
            scene.alerted(RTT_HIGH)
            time.sleep(draw.uniform(5, 15))
        scene.must_not_switch()
        return scene.setting(
            "", scene.member(slow),
            f"All links of {slow.name} and of no other {delay_s * 1000:.0f} to {(delay_s + jitter_s) * 1000:.0f} ms "
            "late one way: that member's network. The catalogue has no such cause; unknown is the right answer.",
        )  # fmt: skip


EPISODES = (
    Episode("etcd-steady-latency", "a steady high round trip, and no leader switch", steady_latency,
            "no-fault", "etcd"),
    Episode("etcd-steady-near-limit", "a steady round trip below the limit that P99 reads as above", steady_near_limit,
            "no-fault", "etcd"),
    Episode("etcd-network-to-one-member", "the links of one etcd member are slow", network_to_one_member,
            "", "etcd"),
)  # fmt: skip
