"""One investigated incident, built through the record's own functions, with hostile alert text."""

from datetime import UTC, datetime, timedelta

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from domain.alerts import AlertState, ParsedAlert, ParsedDelivery, Severity
from domain.connections import Connections
from domain.entities import EntityKind, EntityRef
from domain.findings import Finding, Item, Point, Series
from domain.text import Text
from domain.verdict import Outcome, RankedCause, RuledOut, TermResult, Verdict, VerdictState
from incidents import burst, deliveries, investigations, sources, verdicts
from incidents.models import Incident

HOSTILE = "<script>alert(1)</script> & cart is down"


@pytest.fixture
def incident(db) -> Incident:
    now = timezone.now().astimezone(UTC)
    source, _ = sources.make_source("alertmanager", "prod")
    delivery = deliveries.accept(source, b'{"note": "<b>raw</b>"}', {}, now)
    member = EntityRef(EntityKind.ETCD_MEMBER, "etcd1", "prod-a")
    alert = ParsedAlert("f1", "1", AlertState.FIRING, "EtcdLeader", HOSTILE, Severity.HIGH, now, entities=(member,))
    row = burst.apply_burst([(delivery, ParsedDelivery((alert,), ticket_labels=("ALERT{1}",)))], Connections())[0]
    look = row.investigations.get()
    investigations.save_investigation(look, now, [finding(now), clocks()], b"")
    verdicts.save_verdict(row, look, verdict(str(row.pk), now))
    row.refresh_from_db()
    return row


def finding(now: datetime) -> Finding:
    start = int((now - timedelta(minutes=20)).timestamp() * 1000)
    points = tuple(Point(start + i * 60_000, 0.002 + (0.4 if i > 15 else 0.001 * (i % 3))) for i in range(21))
    lines = tuple(Series(f"etcd{n}", tuple(Point(p.at_ms, p.value / n) for p in points)) for n in (1, 2, 3))
    return Finding("etcd-fsync-one-slow", "etcd-disk", True, Text.rendered("etcd1 is slow", "etcd1 慢"), 0.39, "s", 0.01,
                   "etcd1", "rate(x)", now, now, "main", series=lines)  # fmt: skip


def clocks() -> Finding:
    """No clock is known, and the time alignment's details are shown all the same; no cause reads them."""
    items = (Item("Zabbix's delay of <b>leader</b>", 60.0), Item("scrape interval of etcd", 15.0))
    return Finding("clock-differs", "alignment", None, Text("Whether the clocks agree is unknown."),
                   unit="s", why_unknown=Text.rendered("no node tells its clock", "没有节点提供时钟"), items=items)  # fmt: skip


def verdict(incident: str, now: datetime) -> Verdict:
    slow = TermResult(
        "etcd-fsync-one-slow", Outcome.FOR, 2.1,
        Text.rendered("The write-ahead log of etcd1 took 390 ms to sync", "etcd1 的预写日志同步用了 390 毫秒"),
        "histogram_quantile(0.99, rate(etcd_disk_wal_fsync_duration_seconds_bucket[5m]))", now, now, 0.39, "s", 0.01, "main",
    )  # fmt: skip
    lost = TermResult("etcd-rtt-rise", Outcome.UNKNOWN, 0.0, Text.rendered("Round trips between members", "成员间往返时间"),
                      why_unknown=Text.rendered("Prometheus did not answer in 10 s", "Prometheus 10 秒内没有应答"))  # fmt: skip
    over = TermResult(
        "etcd-member-restarted", Outcome.AGAINST, -1.2, Text.rendered("No member restarted", "没有成员重启")
    )
    causes = (
        RankedCause("etcd-slow-disk", "infrastructure", Text.rendered("Slow disk under one etcd member", "某个 etcd 成员的磁盘慢"), 1,
                    0.83, (slow, over, lost), (Text.rendered("Look at the disk: iostat -x 1", "查看磁盘：iostat -x 1"),)),
        RankedCause("cross-az-network-jitter", "network", Text.rendered("Network jitter between zones", "可用区之间网络抖动"), 2, 0.11, (lost,)),
    )  # fmt: skip
    return Verdict(
        incident, 1, VerdictState.RANKED, Text.rendered("The disk of etcd1 is slow, so etcd lost its leader", "etcd1 的磁盘慢，导致 etcd 失去主节点"),
        now, causes, 0.06, (RuledOut("etcd-quorum-lost", Text.rendered("Three of three members answered", "三个成员全部应答")),),
        (Text.rendered("Round trips between members", "成员间往返时间"),), (), "terms", "1", "sha256:" + "a" * 64,
        (Text.rendered("The round trip of the pair etcd1–etcd2", "etcd1 与 etcd2 之间的往返时间"),),
    )  # fmt: skip


@pytest.fixture
def person(db) -> Client:
    client = Client()
    client.force_login(User.objects.create_user("ada", password="a long enough one"))
    return client
