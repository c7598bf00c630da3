"""What happened around the incident: changes, rollouts, and planned work."""

from collections.abc import Sequence
from dataclasses import replace

from domain.errors import ProductError, Refused
from domain.scope import ChangeRef, Scope
from domain.text import Text
from evidence.change_impact import Changed, changes, verdict
from evidence.check import Ask, Check, Measure, MeasureResult, alternatives, either, measured_by
from evidence.clients.kubernetes import of
from evidence.clients.prometheus import matcher
from evidence.onset import end_ms, onset_ms
from evidence.pods import about_probes, ask_any, ask_namespace, keys, named, namespace, places, workload
from evidence.rollouts import generations, new_ones, unready_now
from evidence.unready import Fallen, crowd

PLANNED_KINDS = {"maintenance", "planned", "drain"}
CLOSED = "(kube_node_spec_unschedulable == 1) or count(kube_node_spec_unschedulable)"
ROLLING = "kube_deployment_status_replicas_updated|kube_deployment_spec_replicas"


def _collect(ask: Ask) -> dict[str, MeasureResult]:
    results = {"change-before": replace(_change(ask.scope), asked=False)}
    results |= measured_by(ask, ("rollout-in-progress",), _rolling)
    results |= measured_by(ask, ("rollout-stuck",), _stuck) | measured_by(ask, ("planned-work",), _planned)
    return results | measured_by(ask, ("change-guilty",), _caused_by_change)


def _rolling(ask: Ask) -> dict[str, MeasureResult]:
    return {"rollout-in-progress": either(ask, _rolling_measured, _rolling_listed)}


def _rolling_measured(ask: Ask) -> MeasureResult:
    where = matcher({"namespace": namespace(ask.scope)})
    counted = _rollout(ask, f'{{__name__=~"{ROLLING}",{where}}}')
    if counted.seen or not about_probes(ask.scope):
        return counted
    # A deployment of one replica is updated at once: its new replica set has that replica before the old one is gone.
    try:
        with ask.aside():
            replaced = _new_replica_set(ask)
    except ProductError:
        return counted
    return _rolling_result([workload(ask.scope)]) if replaced else counted


def _new_replica_set(ask: Ask) -> bool:
    """Whether a replica set of the workload was made in the window while it had another one."""
    own, window = workload(ask.scope), (onset_ms(ask.scope), end_ms(ask.scope))
    lines = named(ask_namespace(ask), "kube_replicaset_created")
    same = [x for x in lines if x.points and x.labels.get("replicaset", "").rpartition("-")[0] == own]
    made = [x.points[-1].value * 1000 for x in same]
    return len(made) > 1 and window[0] <= max(made) <= window[1]


def _rolling_listed(ask: Ask) -> MeasureResult:
    """By the pods that are there now: two replica sets of the workload have some."""
    where = namespace(ask.scope)
    found = generations(ask.kubernetes(of("api/v1", where, "pods")).pods(where), ask.scope)
    if not found:
        raise Refused(Text("no pods of the workload that a deployment made are there"))
    return _rolling_result([workload(ask.scope)] if len(found) > 1 else [])


def _rolling_result(rolling: Sequence[str]) -> MeasureResult:
    names = ", ".join(rolling)
    yes = Text("A rollout of {deployments} was in progress.", deployments=names)
    no = Text("No rollout was in progress.")
    return MeasureResult(bool(rolling), yes if rolling else no, float(len(rolling)), 0, names)


def _change(scope: Scope) -> MeasureResult:
    about = keys(scope)
    near: list[ChangeRef] = [c for c in scope.changes if c.at <= scope.started_at and about & set(c.entities)]
    if not near:
        return MeasureResult(False, Text("No recorded change touched it shortly before."))
    last = near[-1]
    minutes = (scope.started_at - last.at).total_seconds() / 60
    sentence = Text("{minutes:.0f} minutes before: {title}.", minutes=minutes, title=last.title)
    return MeasureResult(True, sentence, minutes, subject=last.kind, first_seen_at=last.at)


def _rollout(ask: Ask, query: str) -> MeasureResult:
    answered = ask_any(ask, query)
    wanted = {x.labels.get("deployment"): x for x in named(answered, "kube_deployment_spec_replicas")}
    if not wanted:
        raise Refused(Text("kube-state-metrics has no deployments of this namespace"))
    start, end = onset_ms(ask.scope), end_ms(ask.scope)
    rolling = []
    for line in named(answered, "kube_deployment_status_replicas_updated"):
        want = wanted.get(line.labels.get("deployment"))
        spec = want.points[-1].value if want and want.points else 0
        # The first rollout is the workload's own start: nothing that was whole is being replaced.
        whole = next((p.at_ms for p in line.points if p.value >= spec), end)
        if any(v < spec for v in line.between(max(start, whole), end)):
            rolling.append(line.labels.get("deployment", ""))
    return _rolling_result(rolling)


def _stuck(ask: Ask) -> dict[str, MeasureResult]:
    return {"rollout-stuck": either(ask, _stuck_measured, _stuck_listed)}


def _stuck_measured(ask: Ask) -> MeasureResult:
    own = workload(ask.scope)
    lines = [x for x in named(ask_namespace(ask), "kube_deployment_status_condition")
             if x.labels.get("deployment") == own and x.labels.get("condition") == "Progressing"]  # fmt: skip
    if not lines:
        raise Refused(Text("kube-state-metrics tells no conditions of deployment {deployment}", deployment=own))
    window = onset_ms(ask.scope), end_ms(ask.scope)
    bad = [x for x in lines if x.labels.get("status") == "false" and any(v == 1 for v in x.between(*window))]
    return _stuck_result(bool(bad), own)


def _stuck_listed(ask: Ask) -> MeasureResult:
    where, own = namespace(ask.scope), workload(ask.scope)
    found = ask.kubernetes(of("apis/apps/v1", where, "deployments")).deployments(where)
    mine = [d for d in found if d.metadata and d.metadata.name == own]
    if not mine:
        raise Refused(Text("there is no deployment {deployment}", deployment=own))
    conditions = (mine[0].status.conditions or []) if mine[0].status else []
    return _stuck_result(any(c.type == "Progressing" and c.status == "False" for c in conditions), own)


def _stuck_result(seen: bool, own: str) -> MeasureResult:
    yes = Text("The rollout of {deployment} does not get on (Progressing is false).", deployment=own)
    no = Text("No rollout of {deployment} is stuck.", deployment=own)
    return MeasureResult(seen, yes if seen else no, float(seen), 0, own)


def _planned(ask: Ask) -> dict[str, MeasureResult]:
    """A recorded change of that kind, or a node of the pods that is closed for new ones."""
    scope = ask.scope
    recorded = [c for c in scope.changes if c.kind.lower() in PLANNED_KINDS and c.at <= scope.as_of]
    if recorded:
        last = recorded[-1]
        sentence = Text("Planned work was told: {title}.", title=last.title)
        result = MeasureResult(True, sentence, float(len(recorded)), 0, last.kind, first_seen_at=last.at, asked=False)
        return {"planned-work": result}
    nodes = {place.node for place in places(ask)}
    answered = ask_any(ask, CLOSED, step_s=15)
    if not answered.lines:
        raise Refused(Text("nobody told of planned work, and kube-state-metrics tells no closed nodes"))
    window = onset_ms(scope), end_ms(scope)
    closed = sorted({x.labels["node"] for x in answered.lines if x.labels.get("node") in nodes and x.between(*window)})
    yes = Text("{nodes} is closed for new pods, as before maintenance.", nodes=", ".join(closed))
    no = Text("No planned work was told, and the node is open.")
    return {
        "planned-work": MeasureResult(bool(closed), yes if closed else no, float(len(closed)), 0, ", ".join(closed))
    }


def _caused_by_change(ask: Ask) -> dict[str, MeasureResult]:
    """Whether pods fell only after a change, and only those that it changed."""
    return {"change-guilty": either(ask, _blame_measured, _blame_listed)}


def _blame_measured(ask: Ask) -> MeasureResult:
    found = crowd(ask)
    known = changes(ask.scope, found, ask_namespace(ask))
    return _blame(known, [f for f in found.fallen if f.namespace == namespace(ask.scope)])


def _blame_listed(ask: Ask) -> MeasureResult:
    """By the pods that are there now: who made them, when, and since when they are not ready."""
    where = namespace(ask.scope)
    pods = ask.kubernetes(of("api/v1", where, "pods")).pods(where)
    found = generations(pods, ask.scope)
    deployments = () if len(found) > 1 else ask.kubernetes(of("apis/apps/v1", where, "deployments")).deployments(where)
    known = [generation.changed for generation in new_ones(found, deployments, ask.scope)]
    if not known and len(found) < 2:
        raise Refused(Text("the pods that are there do not tell whether something was rolled out"))
    return _blame(known, unready_now(pods))


def _blame(known: Sequence[Changed], fallen: list[Fallen]) -> MeasureResult:
    if not known:
        return MeasureResult(False, Text("Nothing was changed in the hour before."), 0.0)
    if not fallen:
        raise Refused(Text("no pod stopped being ready, so the order of change and symptom is not known"))
    verdicts = {change: verdict(change, fallen) for change in known}
    culprits = [change for change in known if verdicts[change]]
    if culprits:
        last = culprits[-1]
        sentence = Text("The pods fell after {title}, and only those that it changed.", title=last.title)
        return MeasureResult(True, sentence, float(len(fallen)), subject=last.title, first_seen_at=last.at)
    if None in verdicts.values():
        raise Refused(
            Text("the changed pods were ready for a while before they fell, so the order of times does not tell")
        )
    last = known[-1]
    sentence = Text("Pods fell before {title}, or others that it did not change fell too.", title=last.title)
    return MeasureResult(False, sentence, float(len(fallen)), subject=last.title)


CHECK = Check(
    "surroundings",
    Text("What happened around it?"),
    (
        Measure("change-before", Text("Was something changed shortly before?"), "min"),
        Measure("rollout-in-progress", Text("Was a rollout in progress?"), "deployments"),
        Measure("rollout-stuck", Text("Is a rollout stuck?"), "deployments"),
        Measure("planned-work", Text("Is it planned work?")),
        Measure(
            "change-guilty",
            Text("Do the symptoms start after a change, on what it changed only?"),
            "pods",
        ),
    ),
    lambda scope: bool(scope.entities),
    _collect,
    needs=("prometheus", "kubernetes api"),
    cost=8,
    metrics=(*alternatives(ROLLING), "kube_deployment_status_condition", "kube_node_spec_unschedulable"),
)
