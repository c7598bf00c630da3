"""Does the failure keep to one zone? Pods of a zone share power, switches and ways out; pods of a workload do not."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from domain.errors import Refused
from domain.findings import Item
from domain.text import Text
from evidence.check import Ask, Check, Measure, MeasureResult, either, unmeasured
from evidence.pods import about_probes, ask_any, workload, workload_of
from evidence.unready import CROWD, LEAST, SHARE, Crowd, Fallen, crowd

# The second is what nodes carried before Kubernetes 1.17, and some still do.
LABELS = ("topology.kubernetes.io/zone", "failure-domain.beta.kubernetes.io/zone")
SHOWN_AS = ("label_topology_kubernetes_io_zone", "label_failure_domain_beta_kubernetes_io_zone")
QUERY = f"max by (node, {', '.join(SHOWN_AS)}) (kube_node_labels)"
# Elsewhere a tenth of the pods may fall for reasons of their own: somewhere something always starts or ends.
ELSEWHERE = 0.1
UNSHOWN = Text(
    "kube-state-metrics shows no node's zone; give it --metric-labels-allowlist=nodes=[{label}]", label=LABELS[0]
)
UNLABELLED = Text("no node has the label {label}", label=LABELS[0])


@dataclass(frozen=True, slots=True)
class Zone:
    """One zone: its nodes with pods, the pods of the incident's workload (`mates`) and of all others, and who fell."""

    name: str
    nodes: int
    mates: int
    others: int
    fallen_mates: tuple[Fallen, ...]
    fallen_others: tuple[Fallen, ...]

    @property
    def share(self) -> float:
        """Of the pods of other workloads, how many fell."""
        return len(self.fallen_others) / self.others if self.others else 0.0

    @property
    def fails(self) -> bool:
        """Whether the incident's workload fails there, or most of the others."""
        return bool(self.fallen_mates) or (len(self.fallen_others) >= LEAST and self.share >= SHARE)


def _collect(ask: Ask) -> dict[str, MeasureResult]:
    zone_of = either(ask, _measured, _listed)
    found = crowd(ask)
    own = found.own(ask.scope)
    zones = _zones(found, zone_of, own, workload(ask.scope))
    home = _home(zones, {zone_of.get(found.nodes[pod], "") for pod in own})
    rest = [zone for zone in zones if zone is not home]
    if not rest:
        raise Refused(Text("all pods run in {zone}, so there is no other zone to compare with", zone=home.name))
    items = tuple(_item(zone) for zone in zones)
    return {
        "peers-other-zones-fail": _elsewhere(rest, workload(ask.scope), items),
        "peers-keep-to-zone": _kept(home, rest, items),
    }


def _measured(ask: Ask) -> dict[str, str]:
    """Each node's zone; kube-state-metrics shows labels of nodes only where it is configured to."""
    zones = ((x.labels.get("node", ""), _first(x.labels, SHOWN_AS)) for x in ask_any(ask, QUERY, step_s=300).lines)
    return _known(zones, UNSHOWN)


def _listed(ask: Ask) -> dict[str, str]:
    known = [node.metadata for node in ask.kubernetes("/api/v1/nodes").nodes() if node.metadata]
    return _known(((m.name or "", _first(m.labels or {}, LABELS)) for m in known), UNLABELLED)


def _first(labels: Mapping[str, str], names: Iterable[str]) -> str:
    return next((labels[name] for name in names if labels.get(name)), "")


def _known(zones: Iterable[tuple[str, str]], otherwise: Text) -> dict[str, str]:
    found = {node: zone for node, zone in zones if node and zone}
    if not found:
        raise Refused(otherwise)
    return found


def _zones(found: Crowd, zone_of: Mapping[str, str], own: set[str], name: str) -> list[Zone]:
    """Zones that have pods, by name; what runs on a node without a zone is left out."""
    mates = {pod for pod in found.nodes if pod in own or workload_of(pod) == name}
    fallen = (*found.fell(own), *found.beside(own))
    nodes_of: dict[str, set[str]] = {}
    for node in found.per_node:
        if node in zone_of:
            nodes_of.setdefault(zone_of[node], set()).add(node)
    return [_zone(zone, nodes, found, mates, fallen) for zone, nodes in sorted(nodes_of.items())]


def _zone(name: str, nodes: set[str], found: Crowd, mates: set[str], fallen: tuple[Fallen, ...]) -> Zone:
    """The zone of these nodes, with its pods counted; `mates` are the pods of the incident's workload."""
    there = [pod for pod in fallen if pod.node in nodes]
    fallen_mates = tuple(pod for pod in there if pod.namespace == found.namespace and pod.pod in mates)
    fallen_others = tuple(pod for pod in there if pod not in fallen_mates)
    mates_there = sum(found.nodes[pod] in nodes for pod in mates)
    pods = sum(found.per_node[node] for node in nodes)
    return Zone(name, len(nodes), mates_there, pods - mates_there, fallen_mates, fallen_others)


def _home(zones: list[Zone], of_own: set[str]) -> Zone:
    """Where the incident's workload fell, most of all; where no pod of it fell, the one zone that it runs in."""
    fell = [zone for zone in zones if zone.fallen_mates]
    if fell:
        return max(fell, key=lambda z: (len(z.fallen_mates), z.name))
    found = [zone for zone in zones if zone.name in of_own]
    if not found:
        raise Refused(Text("the nodes of the incident's pods carry no zone"))
    if len(found) > 1:
        raise Refused(Text("none of the incident's pods stopped being ready, and they run in several zones"))
    return found[0]


def _elsewhere(rest: list[Zone], name: str, items: tuple[Item, ...]) -> MeasureResult:
    failing = [zone.name for zone in rest if zone.fails]
    mates, others = sum(z.mates for z in rest), sum(z.others for z in rest)
    if not failing and not mates and others < LEAST:
        return unmeasured(Text("too few pods run in other zones to compare with"))
    yes = Text("Pods fail in {failing} too.", failing=", ".join(failing))
    ready = others - sum(len(z.fallen_others) for z in rest)
    no = Text(
        "In other zones {mates} pods of {name} and {ready} of {others} other pods stayed ready.",
        mates=mates,
        name=name,
        ready=ready,
        others=others,
    )
    return MeasureResult(bool(failing), yes if failing else no, float(len(failing)), 0, items=items)


def _kept(home: Zone, rest: list[Zone], items: tuple[Item, ...]) -> MeasureResult:
    """Most of the zone on more than one node, and hardly anything elsewhere; one node alone is that node's story."""
    others = sum(zone.others for zone in rest)
    if home.nodes < LEAST or home.others < LEAST or others < LEAST:
        why = Text("its zone or the others have too few nodes and pods")
        return unmeasured(why)
    nodes = {f.node for f in (*home.fallen_mates, *home.fallen_others)}
    away = sum(len(zone.fallen_others) for zone in rest)
    well = not any(zone.fallen_mates for zone in rest) and away <= ELSEWHERE * others
    seen = well and home.share >= SHARE and min(len(home.fallen_others), len(nodes)) >= LEAST
    sentence = Text(
        "{fallen} of {pods} pods of other workloads were not ready in {zone}, {fallen_away} of {pods_away} in the"
        " other zones.",
        fallen=len(home.fallen_others),
        pods=home.others,
        zone=home.name,
        fallen_away=away,
        pods_away=others,
    )
    return MeasureResult(seen, sentence, home.share, SHARE, home.name, items=items)


def _item(zone: Zone) -> Item:
    fallen = len(zone.fallen_mates) + len(zone.fallen_others)
    return Item(zone.name, float(fallen), f"of {zone.mates + zone.others} were not ready", zone.fails)


CHECK = Check(
    "peer-zones",
    Text("Does the failure keep to one zone?"),
    (
        Measure(
            "peers-other-zones-fail",
            Text("Do pods in other zones fail too?"),
            "zones",
            Text("No single node or zone explains it: look at what they share."),
            Text("Other zones were well; so they are when one pod fails."),
            items_unit="pods",
        ),
        Measure(
            "peers-keep-to-zone",
            Text("Does most of one zone fail, and no other?"),
            "share",
            Text("What the zone shares is at fault: network, power, way out."),
            Text("The failure does not follow the zone's border."),
            items_unit="pods",
        ),
    ),
    about_probes,
    _collect,
    needs=("prometheus", "kubernetes api"),
    cost=5,
    metrics=("kube_node_labels", *CROWD),
)
