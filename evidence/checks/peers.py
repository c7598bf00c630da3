"""Is it this pod alone, its workload, its node, or everything? Other pods are the cheapest second witness."""

from domain.findings import Item
from domain.text import Text
from evidence.check import Ask, Check, Measure, MeasureResult, unmeasured
from evidence.pods import about_probes, namespace, workload, workload_of
from evidence.unready import CROWD, LEAST, SHARE, Crowd, Fallen, crowd

MOST = 0.5


def _collect(ask: Ask) -> dict[str, MeasureResult]:
    found = crowd(ask)
    scope = ask.scope
    own = found.own(scope)
    others = found.beside(own)
    return {
        "peers-same-workload-fail": _same(found, others, own, (namespace(scope), workload(scope))),
        "peers-same-node-fail": _node(found, others, own, workload(scope)),
        "peers-most-pods-fail": _most(found, (*others, *found.fell(own))),
    }


def _items(fallen: list[Fallen]) -> tuple[Item, ...]:
    return tuple(Item(f"{f.namespace}/{f.pod}", None, f.node, True) for f in fallen[:12])


def _same(found: Crowd, others: tuple[Fallen, ...], own: set[str], who: tuple[str, str]) -> MeasureResult:
    where, name = who
    peers = [pod for pod in found.nodes if pod not in own and workload_of(pod) == name]
    hits = [f for f in others if f.namespace == where and f.workload == name]
    if not peers and not hits:
        return unmeasured(Text("{name} has no other pod to compare with", name=name))
    yes = Text("{unready} other pods of {name} were not ready either.", unready=len(hits), name=name)
    no = Text("The {peers} other pods of {name} stayed ready.", peers=len(peers), name=name)
    return MeasureResult(bool(hits), yes if hits else no, float(len(hits)), 0, name, items=_items(hits))


def _node(found: Crowd, others: tuple[Fallen, ...], own: set[str], name: str) -> MeasureResult:
    """Pods of other workloads on the same node; those of the own workload share the application."""
    nodes = sorted({found.nodes[pod] for pod in own} - {""})
    rest = _other_pods(found, nodes, own, name)
    if not nodes or rest < LEAST:
        return unmeasured(Text("too few other pods run on its node to compare with"))
    hits = [f for f in others if f.node in nodes and f.workload != name]
    share = len(hits) / rest
    seen = len(hits) >= LEAST and share >= SHARE
    shown = ", ".join(nodes)
    sentence = Text(
        "{unready} of {pods} pods of other workloads on {nodes} were not ready.",
        unready=len(hits),
        pods=rest,
        nodes=shown,
    )
    return MeasureResult(seen, sentence, share, SHARE, shown, items=_items(hits))


def _other_pods(found: Crowd, nodes: list[str], own: set[str], name: str) -> int:
    """How many pods of other workloads than `name` run on these nodes."""
    mates = {pod for pod in found.nodes if pod in own or workload_of(pod) == name}
    mates_there = sum(found.nodes[pod] in nodes for pod in mates)
    return sum(found.per_node.get(node, 0) for node in nodes) - mates_there


def _most(found: Crowd, fallen: tuple[Fallen, ...]) -> MeasureResult:
    if found.total < 4:
        return unmeasured(Text("the cluster has too few pods to compare with"))
    share = len(fallen) / found.total
    sentence = Text(
        "{fallen} of {total} pods of the cluster stopped being ready together.", fallen=len(fallen), total=found.total
    )
    return MeasureResult(share >= MOST, sentence, share, MOST, items=_items(list(fallen)) if share >= MOST else ())


CHECK = Check(
    "peers",
    Text("Do other pods fail as well?"),
    (
        Measure(
            "peers-same-workload-fail",
            Text("Do other pods of the workload fail?"),
            "pods",
        ),
        Measure(
            "peers-same-node-fail",
            Text("Do other workloads on the node fail?"),
            "share",
        ),
        Measure("peers-most-pods-fail", Text("Do most pods fail?"), "share"),
    ),
    about_probes,
    _collect,
    cost=3,
    metrics=CROWD,
)
