"""Six ways in which people see "etcd leader switch", only some of which are one."""

import random
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from domain.connections import Connections, PrometheusDecl, SourceDecl
from lab.episodes.episode import Episode, Setting, Truth
from lab.faults.disk import slow_fsync
from lab.faults.network import late
from lab.faults.process import frozen
from lab.stage import monitoring, zabbix
from lab.stage.etcd import CLUSTER, Etcd, Member
from lab.stage.monitoring import Monitoring, rule
from lab.stage.programs import Stage, StageBroken, tell, wait_until
from lab.stage.sink import Sink

SWITCHED = rule("EtcdLeaderChanged", "increase(etcd_server_leader_changes_seen_total[1m]) > 0", "etcd leader changed")
RTT_HIGH = rule(
    "EtcdPeerRoundTripHigh",
    "histogram_quantile(0.99, sum by (cluster, instance, le)"
    " (rate(etcd_network_peer_round_trip_time_seconds_bucket[3m]))) > 0.15",
    "etcd peer round trip P99 is above 150 ms", hold="20s",
)  # fmt: skip


@dataclass
class Scene:
    """A calm cluster under watch; `switched()` says whether the leader is another than `leader`."""

    stage: Stage
    etcd: Etcd
    monitoring: Monitoring
    sink: Sink
    leader: Member

    def switched(self) -> bool:
        """Has another member become leader?"""
        return self.etcd.leader() is not self.leader

    def connections(self) -> Connections:
        """What a user would declare."""
        return Connections(
            source=[SourceDecl(kind="alertmanager", name="prod")],
            prometheus=[PrometheusDecl(name="main", url=self.monitoring.prometheus, clusters=[CLUSTER])],
            etcd=[self.etcd.declaration()],
        )

    def burst_until_switch(self, fault: Callable[[], Any], times: int = 5) -> None:
        """Makes the short fault again until the leader has switched."""
        for number in range(1, times + 1):
            fault()
            time.sleep(4)
            if self.switched():
                tell(f"the leader switched after {number} burst(s)")
                return
        raise StageBroken("the leader did not switch")


@contextmanager
def calm_scene(stage: Stage, sink: Sink, *, prepare: str = "", calm_s: float = 75) -> Iterator[Scene]:
    """Cluster and monitoring, after a calm time that gives every series a level of its own."""
    etcd = Etcd(stage)
    etcd.start()
    if prepare == "moved before":
        # counters then stand at 2, so that a restart resets them and `increase()` sees a change
        etcd.move_leader(etcd.followers()[0])
        time.sleep(2)
    if prepare == "always late":
        # the smoothed round trip needs a minute to arrive where it stays; only then is it steady
        etcd.delay(0.052)
        time.sleep(100)
    rules = [SWITCHED, RTT_HIGH]
    watch = monitoring.start(stage, [etcd.scrape_job()], rules, sink=sink.url("alertmanager", "prod"))
    scene = Scene(stage, etcd, watch, sink, etcd.leader())
    tell(f"leader is {scene.leader.name}; calm for {calm_s:.0f} s")
    time.sleep(calm_s)
    scene.leader = etcd.leader()
    yield scene


def _setting(scene: Scene, cause: str, entity: str, *notes: str) -> Setting:
    return Setting(scene.connections(), Truth(cause, entity), list(notes))


def _alerted(scene: Scene, name: str = "EtcdLeaderChanged") -> None:
    wait_until(lambda: scene.sink.firing(name), f"the alert {name}", 90)
    tell(f"{name} was delivered")


def network_burst(stage: Stage, sink: Sink, draw: random.Random) -> Setting:
    """Rising delay with jitter between the zones, then bursts of 4 s round trip, as seen in bad WAN hours."""
    with calm_scene(stage, sink) as scene:
        zabbix.watch(stage, scene.etcd.members[0].endpoint, sink.url("zabbix", "zabbix"))
        tell("delay between zones rises")
        with late(scene.etcd, 0.16, 0.05):
            time.sleep(110)

        def burst() -> None:
            with late(scene.etcd, 2.0):
                time.sleep(6)
            scene.etcd.delay(0.16, 0.05)

        scene.burst_until_switch(burst)
        _alerted(scene)
        wait_until(lambda: any(t.kind == "zabbix" for t in sink.taken), "Zabbix delivers", 60)
        time.sleep(10)
        scene.etcd.delay(0.0)
        made = _setting(scene, "cross-az-network-jitter", f"EtcdCluster/{CLUSTER}//etcd-prod",
                        "Peer links: 160-210 ms one way for 110 s, then bursts of 2 s one way.")  # fmt: skip
        made.connections = _with_zabbix(made.connections)
        return made


def _with_zabbix(connections: Connections) -> Connections:
    sources = [*connections.source, SourceDecl(kind="zabbix", name="zabbix")]
    return Connections(source=sources, prometheus=connections.prometheus, etcd=connections.etcd)


def slow_disk(stage: Stage, sink: Sink, draw: random.Random) -> Setting:
    """The leader's disk: 300 ms per fdatasync for a minute, then so slow that heartbeats stop."""
    with calm_scene(stage, sink) as scene:
        assert scene.leader.process is not None
        pid = scene.leader.process.pid
        with slow_fsync(stage, pid, 300):
            time.sleep(60)
        for delay_ms in (1500, 3000, 5000):
            with slow_fsync(stage, pid, delay_ms):
                time.sleep(20)
                if scene.switched():
                    break
        if not scene.switched():
            raise StageBroken("the slow disk did not make the leader switch")
        tell(f"the leader switched at {delay_ms} ms per fdatasync")
        with slow_fsync(stage, pid, 300):
            _alerted(scene)
            time.sleep(10)
        return _setting(scene, "etcd-slow-disk", f"EtcdMember/{CLUSTER}//{scene.leader.name}",
                        f"fdatasync of the leader 300 ms late for 60 s, then up to {delay_ms} ms.")  # fmt: skip


def frozen_leader(stage: Stage, sink: Sink, draw: random.Random) -> Setting:
    """The leader's process stands still for 12 s; the network is innocent."""
    with calm_scene(stage, sink) as scene:
        assert scene.leader.process is not None
        with frozen(scene.leader.process.pid):
            time.sleep(12)
        _alerted(scene)
        time.sleep(35)
        return _setting(scene, "etcd-leader-stalled", f"EtcdMember/{CLUSTER}//{scene.leader.name}",
                        "SIGSTOP of the leader for 12 s.")  # fmt: skip


def moved_leader(stage: Stage, sink: Sink, draw: random.Random) -> Setting:
    """An operator moves the leadership."""
    with calm_scene(stage, sink) as scene:
        scene.etcd.move_leader(scene.etcd.followers()[0])
        _alerted(scene)
        time.sleep(10)
        return _setting(scene, "etcd-leadership-moved", f"EtcdCluster/{CLUSTER}//etcd-prod", "etcdctl move-leader")


def follower_restart(stage: Stage, sink: Sink, draw: random.Random) -> Setting:
    """A follower restarts; `increase()` on that member then claims a leader change."""
    with calm_scene(stage, sink, prepare="moved before") as scene:
        follower = scene.etcd.followers()[0]
        assert follower.process is not None
        follower.process.send_signal(signal.SIGTERM)
        follower.process.wait(10)
        time.sleep(2)
        scene.etcd.run(follower)
        _alerted(scene)
        time.sleep(15)
        return _setting(scene, "etcd-member-restart", f"EtcdMember/{CLUSTER}//{follower.name}",
                        "A follower was ended and started again; the leader did not change.")  # fmt: skip


def steady_latency(stage: Stage, sink: Sink, draw: random.Random) -> Setting:
    """A steady delay of 52 ms one way: etcd measures 340 ms, since each of its probes opens a connection anew."""
    with calm_scene(stage, sink, prepare="always late", calm_s=60) as scene:
        _alerted_within(scene, "EtcdPeerRoundTripHigh", 240)
        time.sleep(10)
        return _setting(scene, "no-fault", f"EtcdCluster/{CLUSTER}//etcd-prod",
                        "Always 52 ms one way on all peer links; nothing is broken, the leader stays.")  # fmt: skip


def _alerted_within(scene: Scene, name: str, seconds: float) -> None:
    wait_until(lambda: scene.sink.firing(name), f"the alert {name}", seconds)


EPISODES = (
    Episode("etcd-switch-network-burst", "etcd leader switch after jitter between zones", network_burst,
            "cross-az-network-jitter", "etcd"),
    Episode("etcd-switch-slow-disk", "etcd leader switch because of the leader's disk", slow_disk,
            "etcd-slow-disk", "etcd"),
    Episode("etcd-switch-frozen-leader", "etcd leader switch because the leader's process froze", frozen_leader,
            "etcd-leader-stalled", "etcd"),
    Episode("etcd-move-leader", "etcd leadership moved by an operator", moved_leader,
            "etcd-leadership-moved", "etcd"),
    Episode("etcd-follower-restart", "an etcd follower restarts, and the counter claims a switch", follower_restart,
            "etcd-member-restart", "etcd"),
    Episode("etcd-steady-latency", "a steady round trip of 340 ms, and no leader switch", steady_latency,
            "no-fault", "etcd"),
)  # fmt: skip
