"""Each check asks those whom it says, and not more often than it says."""

import re
from dataclasses import dataclass, field, replace
from urllib.parse import parse_qsl

import httpx
import msgspec
import pytest

from domain.connections import Access, BlackboxDecl, KubernetesDecl, ProbeTargetDecl, PrometheusDecl, SourceDecl
from evidence.check import Ask, Check, alternatives, run
from evidence.checks import all_checks
from evidence.clients.zabbix_token import ZabbixAccess
from evidence.pods import more_query
from evidence.unready import UNREADY
from tests.evidence.made_series import MEMBER, etcd_decl
from tests.evidence.made_series import scope as etcd_scope
from tests.evidence.scene import POD, World, scope
from tests.evidence.test_metric_checks import CASES, info


@dataclass
class Counting(World):
    """Counts who is asked what."""

    questions: set[tuple[str, str, str]] = field(default_factory=set)
    kinds: set[type] = field(default_factory=set)

    def client(self, connection: str, base_url: str, access: Access) -> httpx.Client:
        self.kinds.add(type(access))
        client = super().client(connection, base_url, access)
        client.event_hooks = {"request": [lambda r: self.questions.add((connection, str(r.url), r.read().decode()))]}
        return client


KINDS = {PrometheusDecl: "prometheus", KubernetesDecl: "kubernetes api", BlackboxDecl: "blackbox", ProbeTargetDecl: "target",
         ZabbixAccess: "zabbix api"}  # fmt: skip
EVERYTHING = World([one for *_, world, _ in CASES for one in world.series],
                   {part: lines for *_, world, _ in CASES for part, lines in world.computed.items()})  # fmt: skip


@pytest.mark.parametrize("slug", [c.slug for c in all_checks() if not c.slug.startswith("etcd")])
@pytest.mark.parametrize("there", [EVERYTHING, info(), World()], ids=["all series", "only its node", "no series"])
def test_a_check_asks_whom_it_declares_and_no_more_than_it_declares(slug: str, there: World) -> None:
    check, about = next(c for c in all_checks() if c.slug == slug), scope()
    targets = [ProbeTargetDecl(name=f"t{i}", url="tcp://127.0.0.1:1", pod=POD, used_by=["cart"]) for i in range(9)]
    exporter = BlackboxDecl(name="probes", prometheus="main", url="http://127.0.0.1:9115")
    fronts = [SourceDecl(kind="zabbix", name=f"z{i}", api_url=f"http://127.0.0.1:1/z{i}") for i in range(3)]
    declared = msgspec.structs.replace(about.connections, target=targets, blackbox=[exporter], source=fronts)
    alerts = [replace(about.alerts[0], url=f"{s.api_url}/x", labels={"trigger_id": "7"}) for s in fronts]
    world = Counting(there.series, there.computed)
    run(check, Ask(replace(about, connections=declared, alerts=(*about.alerts, *alerts)), world))
    assert {KINDS[kind] for kind in world.kinds} <= set(check.needs)
    assert len(world.questions) <= check.cost, sorted(world.questions)


def plain(wanted: str) -> str:
    """One name that a wanted expression matches."""
    return re.sub(r"\(([^|()]*)[^()]*\)\??", r"\1", alternatives(wanted)[0])


def queries_of(check: Check) -> list[str]:
    """What a check asks of Prometheus: about a pod with all series, and about an etcd cluster without any.

    The queries that several checks share are among them: some ask them only when the API answered before.
    """
    worlds = (
        (Counting(EVERYTHING.series, EVERYTHING.computed), scope()),
        (Counting(), etcd_scope([etcd_decl()], [MEMBER])),
    )
    for world, about in worlds:
        run(check, Ask(about, world))
    shared = [more_query(scope()), UNREADY]
    return shared + [dict(parse_qsl(body)).get("query", "") for world, _ in worlds for *_, body in world.questions]


def test_the_alternatives_of_a_pattern_are_those_outside_of_parentheses() -> None:
    assert alternatives("a_(b|c)_d|e(f|g)?|up") == ("a_(b|c)_d", "e(f|g)?", "up")


@pytest.mark.parametrize("check", [c for c in all_checks() if c.metrics], ids=lambda check: check.slug)
def test_what_a_check_wants_is_what_it_asks_for(check: Check) -> None:
    names = [
        name for q in queries_of(check) for name in (*re.findall(r'__name__=~"([^"]*)"', q), *re.findall(r"\w+", q))
    ]
    for wanted in check.metrics:
        assert any(re.fullmatch(name, plain(wanted)) for name in names), wanted


def test_every_check_that_asks_prometheus_says_what_it_wants() -> None:
    without = {c.slug for c in all_checks() if "prometheus" in c.needs and not c.metrics}
    # The one asks the exporter, and its targets by the exporter's series; the other what a server keeps of its alerts.
    assert without == {"live-probe", "fault-time"}
