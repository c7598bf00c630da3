"""The scene of etcd episodes: a drawn cluster with monitoring, first without a fault, and checks that a fault shows."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from domain.connections import Connections, PrometheusDecl, SourceDecl
from domain.scope import ChangeRef
from lab.episode import Setting, Truth
from lab.episodes.etcd_shapes import Site
from lab.stage import monitoring, zabbix
from lab.stage.etcd import Etcd, Member
from lab.stage.monitoring import Monitoring, rule
from lab.stage.programs import Stage, StageBroken, log_progress, wait_until
from lab.stage.sink import Sink

SWITCHED, RTT_HIGH, DOWN = "EtcdLeaderChanged", "EtcdPeerRoundTripHigh", "EtcdMemberDown"
NO_LEADER, SLOW_DISK, SPACE_LOW = "EtcdNoLeader", "EtcdSlowFsync", "EtcdDatabaseNearQuota"


def rules(job: str, noisy: bool) -> list[dict[str, Any]]:
    """The site's alerting rules; `noisy` adds an alert that always fires and means nothing."""
    rtt = "etcd_network_peer_round_trip_time_seconds_bucket"
    fsync = "etcd_disk_wal_fsync_duration_seconds_bucket"
    made = [
        rule(SWITCHED, "increase(etcd_server_leader_changes_seen_total[1m]) > 0", "etcd leader changed"),
        rule(RTT_HIGH, f"histogram_quantile(0.99, sum by (cluster, instance, le) (rate({rtt}[3m]))) > 0.15",
             "etcd peer round trip P99 is above 150 ms", hold="20s"),
        rule(DOWN, f'up{{job="{job}"}} == 0', "etcd member does not answer", hold="15s", severity="critical"),
        rule(NO_LEADER, "etcd_server_has_leader == 0", "etcd member has no leader", hold="10s", severity="critical"),
        rule(SLOW_DISK, f"histogram_quantile(0.99, sum by (cluster, instance, le) (rate({fsync}[1m]))) > 0.1",
             "etcd WAL fsync P99 is above 100 ms", hold="15s"),
        rule(SPACE_LOW, "etcd_mvcc_db_total_size_in_bytes / etcd_server_quota_backend_bytes > 0.95",
             "etcd database is over 95 % of its quota", hold="5s", severity="critical"),
    ]  # fmt: skip
    return [*made, rule("Watchdog", "vector(1)", "alerting works", severity="none")] if noisy else made


@dataclass
class Scene:
    """A monitored cluster; `leader` and `changes` (leader changes by member) are those before the fault."""

    stage: Stage
    site: Site
    etcd: Etcd
    monitoring: Monitoring
    sink: Sink
    leader: Member
    changes: dict[str, float]
    by_zabbix: bool = False

    def switches(self) -> float:
        """Leader changes since before the fault that all running members counted; below 1 if one does not answer."""
        running = [m for m in self.etcd.members if m.process and m.process.poll() is None]
        return min((m.leader_changes() or 0.0) - self.changes[m.name] for m in running)

    def value(self, promql: str) -> float:
        """The highest value of an instant query, 0 when it finds nothing."""
        return max((float(row["value"][1]) for row in self.monitoring.query(promql)), default=0.0)

    def alerted(self, name: str, seconds: float = 90.0) -> None:
        """Wait until the alert is delivered."""
        wait_until(lambda: self.sink.firing(name), f"the alert {name}", seconds)
        log_progress(f"{name} was delivered")

    def must(self, true: Callable[[], Any], what: str, seconds: float = 20.0) -> None:
        """Wait until the condition is true. Raises StageBroken, as a fault that does not show must not be recorded."""
        wait_until(true, f"the fault must show: {what}", seconds, step=1.0)

    def must_not_switch(self) -> None:
        """Raise StageBroken if the leader is not the one from before the fault."""
        if self.switches() > 0 or self.etcd.leader() is not self.leader:
            raise StageBroken("the leader switched, which this episode must not show")

    def burst_until_switch(self, fault: Callable[[], Any], times: int = 5) -> int:
        """Make the short fault until the leader switches, at most `times` times; how often it was made."""
        for number in range(1, times + 1):
            fault()
            time.sleep(4)
            if self.switches() > 0:
                log_progress(f"the leader switched after {number} burst(s)")
                return number
        raise StageBroken("the leader did not switch")

    def member(self, member: Member) -> str:
        """Key of a member's entity."""
        return f"EtcdMember/{self.site.shape.cluster}//{member.name}"

    def cluster(self) -> str:
        """Key of the cluster's entity."""
        return f"EtcdCluster/{self.site.shape.cluster}//{self.site.shape.name}"

    def setting(self, cause: str, entity: str, note: str, *changes: ChangeRef) -> Setting:
        """The setting to record: declared connections, truth, notes and changes."""
        return Setting(self.connections(), Truth(cause, entity), [note, self.site.description()], changes)

    def change(self, number: int, title: str, ago_s: float) -> ChangeRef:
        """A reported configuration change of the whole cluster, made `ago_s` seconds ago."""
        at = datetime.now(UTC).replace(microsecond=0) - timedelta(seconds=ago_s)
        return ChangeRef(f"config-{number}", "config", title, at, (self.cluster(),))

    def connections(self) -> Connections:
        """The connections that a user would declare."""
        clusters = [self.site.shape.cluster] if self.site.shape.cluster else []
        sources = [SourceDecl(kind="alertmanager", name="prod")]
        return Connections(
            source=[*sources, SourceDecl(kind="zabbix", name="zabbix")] if self.by_zabbix else sources,
            prometheus=[PrometheusDecl(name="main", url=self.monitoring.prometheus, clusters=clusters)],
            etcd=[self.etcd.declaration()],
        )


@contextmanager
def calm_scene(
    stage: Stage, sink: Sink, site: Site, *, prepare: Callable[[Etcd], object] | None = None, by_zabbix: bool = False
) -> Iterator[Scene]:
    """A monitored cluster after a time without a fault, which gives every series a usual level.

    `prepare` is called before that time.
    """
    etcd = Etcd(stage, site.shape)
    etcd.start()
    if prepare:
        prepare(etcd)
    watch = monitoring.start(stage, [etcd.scrape_job()], rules(site.shape.job, site.noisy),
                             sink=sink.url("alertmanager", "prod"), watchers=site.watchers)  # fmt: skip
    if by_zabbix:
        seat = site.shape.seats[0]
        host = zabbix.Host(etcd.members[0].endpoint, seat.host, site.shape.cluster)
        zabbix.watch(stage, host, sink.url("zabbix", "zabbix"))
    log_progress(f"{site.description()} Calm for {site.calm_s:.0f} s")
    time.sleep(site.calm_s)
    changes = {m.name: m.leader_changes() or 0.0 for m in etcd.members}
    yield Scene(stage, site, etcd, watch, sink, etcd.leader(), changes, by_zabbix)
