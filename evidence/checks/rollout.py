"""What did the rollout change? Read from the pods that the old and the new replica set made."""

from domain.errors import Refused
from domain.findings import Item
from domain.text import Text
from evidence.check import Ask, Check, Measure, MeasureResult
from evidence.clients.kubernetes import of
from evidence.pods import about_probes, namespace
from evidence.rollouts import Differences, differences, generations, new_ones


def _collect(ask: Ask) -> dict[str, MeasureResult]:
    where = namespace(ask.scope)
    pods = ask.kubernetes(of("api/v1", where, "pods")).pods(where)
    found = generations(pods, ask.scope)
    new = new_ones(found, (), ask.scope)
    if not new:
        raise Refused(Text("the pods that are there are of one replica set, so there is nothing to compare"))
    made, before = new[-1], found[found.index(new[-1]) - 1]
    changed = differences(before.pods[0], made.pods[0])
    return {
        "rollout-changed-image": _result(
            changed.images, changed, Text("Replica set {name} has another image.", name=made.name), made.name
        ),
        "rollout-changed-settings": _result(
            changed.besides_probes, changed, Text("Replica set {name} has other settings.", name=made.name), made.name
        ),
        "rollout-changed-probe": _result(
            changed.probes, changed, Text("Replica set {name} has another probe.", name=made.name), made.name
        ),
    }


def _result(parts: tuple[str, ...], changed: Differences, seen: Text, name: str) -> MeasureResult:
    no = Text("Replica set {name} differs in something else.", name=name)
    if not changed.images and not changed.settings:
        no = Text("The pods of replica set {name} show no difference; a ConfigMap may have changed.", name=name)
    items = tuple(Item(part, None) for part in parts[:8])
    return MeasureResult(bool(parts), seen if parts else no, float(len(parts)), 0, name, items=items)


CHECK = Check(
    "rollout",
    Text("What did the rollout change?"),
    (
        Measure("rollout-changed-image", Text("Did the rollout bring another image?"), "images"),
        Measure("rollout-changed-settings", Text("Did the rollout bring other settings?"), "settings"),
        Measure("rollout-changed-probe", Text("Did the rollout bring another probe?"), "settings"),
    ),
    about_probes,
    _collect,
    needs=("kubernetes api",),
)
