"""Whether a failure keeps to one zone: zones by either label, by metrics or by the API; and what cannot be told."""

from typing import Any

import pytest

from domain.connections import Connections, KubernetesDecl
from domain.entities import EntityKind, EntityRef
from domain.findings import Finding
from evidence.checks.peer_zones import LABELS, SHOWN_AS
from evidence.unready import UNREADY
from tests.evidence.scene import POD, Values, World, findings, scope, steady

MATES = {POD: "a1", "cart-6c8f9d7b5-aaaaa": "a2", "cart-6c8f9d7b5-bbbbb": "b1"}
ZONES = {"a1": "zone-a", "a2": "zone-a", "b1": "zone-b", "b2": "zone-b"}
MINE = ("shop", POD, "a1")


def down(since: float = -30) -> Values:
    return lambda t: 0.0 if t >= since else None


def world(*fallen: tuple[str, str, str], zones: dict[str, str] = ZONES, label: str = SHOWN_AS[0]) -> World:
    """Four nodes with six pods each, of which three are the workload's."""
    made = World()
    made.computed[UNREADY] = [({"namespace": n, "pod": p, "node": node}, down()) for n, p, node in fallen]
    made.computed["count by (node) (kube_pod_info"] = [({"node": node}, steady(6)) for node in ZONES] + [
        ({"namespace": "shop", "pod": pod, "node": node}, steady(1)) for pod, node in MATES.items()
    ]
    made.computed["kube_node_labels"] = [({"node": node, label: zone}, steady(1)) for node, zone in zones.items()]
    return made


def pay(*nodes: str) -> list[tuple[str, str, str]]:
    """Pods of another workload that fall with it, one more on each of these nodes."""
    return [("pay", f"pay{i}-0", node) for i, node in enumerate(nodes)]


def zone_findings(made: World, **more: Any) -> tuple[Finding, Finding]:
    found = findings("peer-zones", made, scope(**more))
    return found["peers-other-zones-fail"], found["peers-keep-to-zone"]


ZONE_A = pay("a1", "a1", "a1", "a2", "a2")


@pytest.mark.parametrize(
    ("fallen", "elsewhere", "kept"),
    [
        ([MINE], False, False),
        ([MINE, *ZONE_A], False, True),
        ([MINE, *ZONE_A, ("pay", "x1", "b1")], False, True),
        ([MINE, *ZONE_A, ("pay", "x1", "b1"), ("pay", "x2", "b1")], False, False),
        ([MINE, *pay(*["a1"] * 5)], False, False),
        ([MINE, ("shop", "cart-6c8f9d7b5-bbbbb", "b1")], True, False),
        ([MINE, *ZONE_A, ("shop", "cart-6c8f9d7b5-bbbbb", "b1")], True, False),
        ([MINE, *pay(*["a1"] * 3, *["a2"] * 3, *["b1"] * 3, *["b2"] * 3)], True, False),
        ([MINE, ("other", "cart-6c8f9d7b5-bbbbb", "b1")], False, False),
    ],
    ids=["one pod", "the zone", "the zone and a stray", "the zone and two more", "one node", "the workload",
         "the zone and the workload", "all", "a namesake"],
)  # fmt: skip
@pytest.mark.parametrize("label", SHOWN_AS)
def test_a_failure_is_compared_with_the_other_zones(
    fallen: list[tuple[str, str, str]], elsewhere: bool, kept: bool, label: str
) -> None:
    first, second = zone_findings(world(*fallen, label=label))
    assert (first.seen, second.seen) == (elsewhere, kept), (first.sentence, second.sentence)
    assert first.query == UNREADY and first.connection == "main"
    assert {item.name for item in first.items} == {"zone-a", "zone-b"}


def nodes(label: str) -> list[dict[str, Any]]:
    return [{"metadata": {"name": node, "labels": {label: zone}}} for node, zone in ZONES.items()]


@pytest.mark.parametrize("label", LABELS)
def test_where_the_metrics_show_no_labels_the_api_gives_the_zones(label: str) -> None:
    made = world(MINE, *ZONE_A, zones={})
    made.api["/api/v1/nodes"] = nodes(label)
    assert [f.seen for f in zone_findings(made)] == [False, True]
    assert ("/api/v1/nodes", "") in made.asked
    metrics = world(MINE, *ZONE_A)
    zone_findings(metrics)
    assert ("/api/v1/nodes", "") not in metrics.asked


def test_without_a_zone_of_any_node_the_reason_names_what_to_set() -> None:
    declared = Connections(prometheus=scope().connections.prometheus, kubernetes=[KubernetesDecl(name="prod-a")])
    for finding in zone_findings(world(MINE, zones={}), connections=declared):
        assert finding.seen is None and f"nodes=[{LABELS[0]}]" in str(finding.why_unknown)
        assert "kubeconfig_file" in str(finding.why_unknown)


@pytest.mark.parametrize(
    ("zones", "why"),
    [
        (dict.fromkeys(ZONES, "zone-a"), "no other zone"),
        ({"b1": "zone-b", "b2": "zone-c"}, "carry no zone"),
    ],
)
def test_one_zone_or_none_of_the_own_nodes_is_unknown(zones: dict[str, str], why: str) -> None:
    assert all(f.seen is None and why in str(f.why_unknown) for f in zone_findings(world(MINE, zones=zones)))


def test_a_workload_of_several_zones_whose_pods_stayed_ready_has_no_zone_of_its_own() -> None:
    cart = (EntityRef(EntityKind.WORKLOAD, "cart", "prod-a", "shop"),)
    unknown = zone_findings(world(*ZONE_A), entities=cart)
    assert all(f.seen is None and "several zones" in str(f.why_unknown) for f in unknown)
    fallen = zone_findings(world(*ZONE_A, ("shop", "cart-6c8f9d7b5-aaaaa", "a2")), entities=cart)
    assert [f.seen for f in fallen] == [False, True]


def test_a_zone_of_one_node_is_the_same_as_that_node() -> None:
    zones = ZONES | {"a2": "zone-c"}
    first, second = zone_findings(world(MINE, *pay(*["a1"] * 4), zones=zones))
    assert first.seen is False and second.seen is None


def test_a_namesake_in_another_namespace_is_another_pod() -> None:
    both = world(MINE, ("other", POD, "b1"))
    assert findings("peers", both, scope())["peers-most-pods-fail"].value == pytest.approx(2 / 24)
    first, _ = zone_findings(both)
    assert first.seen is False
