"""Four ways in which an etcd cluster gets another leader."""

import time

from lab.episode import Draw, Episode, Setting
from lab.episodes.etcd_scene import RTT_HIGH, SWITCHED, Scene, calm_scene
from lab.episodes.etcd_shapes import site
from lab.faults.disk import slow_fsync
from lab.faults.network import late
from lab.faults.process import frozen
from lab.stage.programs import Stage, StageBroken, log_progress, wait_until
from lab.stage.sink import Sink


def network_burst(stage: Stage, sink: Sink, draw: Draw) -> Setting:
    """Rising delay with jitter between the zones, then bursts of seconds, as seen in bad WAN hours."""
    chosen, by_zabbix = site(draw, apart=True), draw.random() < 0.5
    delay_s, jitter_s, rising_s = draw.uniform(0.11, 0.2), draw.uniform(0.03, 0.07), draw.uniform(75, 100)
    gap_s, burst_s = draw.uniform(1.9, 2.4) * chosen.shape.election_ms / 1000, draw.uniform(6, 8)
    with calm_scene(stage, sink, chosen, by_zabbix=by_zabbix) as scene:
        with late(scene.etcd, delay_s, jitter_s):
            time.sleep(rising_s)

            def burst() -> None:
                scene.etcd.delay(gap_s)
                time.sleep(burst_s)
                scene.etcd.delay(delay_s, jitter_s)

            bursts = scene.burst_until_switch(burst)
            scene.alerted(SWITCHED)
            if by_zabbix:
                wait_until(lambda: any(t.kind == "zabbix" for t in sink.taken), "Zabbix delivers", 60)
            time.sleep(draw.uniform(5, 12))
        scene.must(lambda: scene.sink.firing(RTT_HIGH), "round trips over 150 ms")
        return scene.setting(
            "cross-az-network-jitter", scene.cluster(),
            f"Links between zones {delay_s * 1000:.0f} to {(delay_s + jitter_s) * 1000:.0f} ms one way for "
            f"{rising_s:.0f} s, then {bursts} burst(s) of {gap_s:.1f} s for {burst_s:.0f} s; the leader switched.",
        )  # fmt: skip


def slow_disk(stage: Stage, sink: Sink, draw: Draw) -> Setting:
    """The leader's disk: slow for a minute, then so slow that heartbeats stop."""
    chosen, slow_ms, slow_s = site(draw), draw.randint(150, 400), draw.uniform(45, 65)
    with calm_scene(stage, sink, chosen) as scene:
        pid = scene.leader.pid
        with slow_fsync(stage, pid, slow_ms):
            time.sleep(slow_s)
        worst_ms = _slower_until_switch(scene, pid)
        with slow_fsync(stage, pid, slow_ms):
            scene.alerted(SWITCHED)
            time.sleep(draw.uniform(8, 14))
        return scene.setting(
            "etcd-slow-disk", scene.member(scene.leader),
            f"Each fdatasync of the leader {slow_ms} ms late for {slow_s:.0f} s, then {worst_ms} ms until it "
            "lost the leadership.",
        )  # fmt: skip


def _slower_until_switch(scene: Scene, pid: int) -> int:
    """Delays of some election timeouts, rising; the one in milliseconds at which the leader switched."""
    for factor in (1.5, 3, 5):
        delay_ms = round(factor * scene.site.shape.election_ms)
        with slow_fsync(scene.stage, pid, delay_ms):
            for _ in range(20):
                time.sleep(1)
                if scene.etcd.leader() is not scene.leader:
                    log_progress(f"the leader switched at {delay_ms} ms per fdatasync")
                    return delay_ms
    raise StageBroken("the slow disk did not make the leader switch")


def frozen_leader(stage: Stage, sink: Sink, draw: Draw) -> Setting:
    """The leader's process stands still for some seconds; the network is innocent."""
    chosen, still_s = site(draw), draw.uniform(9, 18)
    with calm_scene(stage, sink, chosen) as scene:
        with frozen(scene.leader.pid):
            time.sleep(still_s)
        scene.alerted(SWITCHED)
        time.sleep(draw.uniform(30, 40))  # the round trips towards it rise only now
        scene.must(lambda: scene.switches() > 0, "every member counts a leader change")
        return scene.setting("etcd-leader-stalled", scene.member(scene.leader),
                             f"SIGSTOP of the leader for {still_s:.0f} s.")  # fmt: skip


def moved_leader(stage: Stage, sink: Sink, draw: Draw) -> Setting:
    """An operator moves the leadership."""
    chosen, after_s = site(draw), draw.uniform(6, 25)
    with calm_scene(stage, sink, chosen) as scene:
        to = draw.choice(scene.etcd.followers())
        scene.etcd.move_leader(to)
        scene.alerted(SWITCHED)
        time.sleep(after_s)
        scene.must(lambda: scene.switches() > 0 and scene.etcd.leader() is to, "the leader is the chosen one")
        return scene.setting("etcd-leadership-moved", scene.cluster(), f"etcdctl move-leader to {to.name}.")


EPISODES = (
    Episode("etcd-switch-network-burst", "etcd leader switch after jitter between zones", network_burst,
            "cross-az-network-jitter", "etcd"),
    Episode("etcd-switch-slow-disk", "etcd leader switch because of the leader's disk", slow_disk,
            "etcd-slow-disk", "etcd"),
    Episode("etcd-switch-frozen-leader", "etcd leader switch because the leader's process froze", frozen_leader,
            "etcd-leader-stalled", "etcd"),
    Episode("etcd-move-leader", "etcd leadership moved by an operator", moved_leader,
            "etcd-leadership-moved", "etcd"),
)  # fmt: skip
