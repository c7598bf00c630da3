"""Each check asks those whom it says, and not more often than it says."""

from dataclasses import dataclass, field, replace

import httpx
import msgspec
import pytest

from domain.connections import Access, BlackboxDecl, KubernetesDecl, ProbeTargetDecl, PrometheusDecl, SourceDecl
from evidence.check import Ask, run
from evidence.checks import all_checks
from evidence.clients.zabbix_token import ZabbixAccess
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
