"""What happened around the incident: changes, rollouts, and gaps in the measuring itself."""

from dataclasses import replace

from domain.errors import Refused
from domain.scope import ChangeRef, Scope
from domain.text import Text
from evidence.change_impact import changes, verdict
from evidence.check import Ask, Check, Measure, MeasureResult, chart, either, measured_by
from evidence.clients.kubernetes import of
from evidence.clients.prometheus import matcher
from evidence.pods import ask_any, ask_namespace, end_ms, keys, named, namespace, onset_ms, places, workload
from evidence.unready import crowd

PLANNED_KINDS = {"maintenance", "planned", "drain"}
CLOSED = "(kube_node_spec_unschedulable == 1) or count(kube_node_spec_unschedulable)"


def _collect(ask: Ask) -> dict[str, MeasureResult]:
    told = {"change-before": replace(_change(ask.scope), asked=False)}
    told |= measured_by(ask, ("rollout-in-progress",), _rolling) | measured_by(ask, ("scrape-gap",), _gap)
    told |= measured_by(ask, ("rollout-stuck",), _stuck) | measured_by(ask, ("planned-work",), _planned)
    return told | measured_by(ask, ("change-guilty",), _guilty)


def _rolling(ask: Ask) -> dict[str, MeasureResult]:
    where = matcher({"namespace": namespace(ask.scope)})
    metrics = "kube_deployment_status_replicas_updated|kube_deployment_spec_replicas"
    return {"rollout-in-progress": _rollout(ask, f'{{__name__=~"{metrics}",{where}}}')}


def _change(scope: Scope) -> MeasureResult:
    about = keys(scope)
    near: list[ChangeRef] = [c for c in scope.changes if c.at <= scope.started_at and about & set(c.entities)]
    if not near:
        return MeasureResult(False, Text("No recorded change touched it shortly before.", "此前没有相关变更记录。"))
    last = near[-1]
    minutes = (scope.started_at - last.at).total_seconds() / 60
    sentence = Text(f"{minutes:.0f} minutes before: {last.title}.", f"{minutes:.0f} 分钟前：{last.title}。")
    return MeasureResult(True, sentence, minutes, subject=last.kind, first_seen_at=last.at)


def _rollout(ask: Ask, query: str) -> MeasureResult:
    answered = ask_any(ask, query)
    wanted = {x.labels.get("deployment"): x for x in named(answered, "kube_deployment_spec_replicas")}
    if not wanted:
        why = Text(
            "kube-state-metrics has no deployments of this namespace", "kube-state-metrics 没有该命名空间的 Deployment"
        )
        return MeasureResult(None, Text("Whether a rollout ran is unknown.", "是否在发布未知。"), why_unknown=why)
    start, end = onset_ms(ask.scope), end_ms(ask.scope)
    rolling = []
    for line in named(answered, "kube_deployment_status_replicas_updated"):
        want = wanted.get(line.labels.get("deployment"))
        spec = want.points[-1].value if want and want.points else 0
        # The first rollout is the workload's own start: nothing that was whole is being replaced.
        whole = next((p.at_ms for p in line.points if p.value >= spec), end)
        if any(v < spec for v in line.between(max(start, whole), end)):
            rolling.append(line.labels.get("deployment", ""))
    yes = Text(f"A rollout of {', '.join(rolling)} was in progress.", f"{', '.join(rolling)} 正在发布。")
    no = Text("No rollout was in progress.", "没有正在进行的发布。")
    return MeasureResult(bool(rolling), yes if rolling else no, float(len(rolling)), 0, ", ".join(rolling))


def _gap(ask: Ask) -> dict[str, MeasureResult]:
    answered = ask_any(ask, "count(up == 0) / count(up)")
    lines = answered.lines
    values = [v for line in lines for v in line.between(onset_ms(ask.scope), end_ms(ask.scope))]
    share = max(values, default=0.0)
    yes = Text(f"{share:.0%} of all scrape targets were down at the same time.", f"{share:.0%} 的采集目标同时失联。")
    no = Text(f"At most {share:.0%} of all scrape targets were down at once.", f"同时失联的采集目标最多 {share:.0%}。")
    told = MeasureResult(share >= 0.8, yes if share >= 0.8 else no, share, 0.8, series=chart(lines, lambda _: "down"))
    return {"scrape-gap": told}


def _stuck(ask: Ask) -> dict[str, MeasureResult]:
    return {"rollout-stuck": either(ask, _stuck_measured, _stuck_listed)}


def _stuck_measured(ask: Ask) -> MeasureResult:
    own = workload(ask.scope)
    lines = [x for x in named(ask_namespace(ask), "kube_deployment_status_condition")
             if x.labels.get("deployment") == own and x.labels.get("condition") == "Progressing"]  # fmt: skip
    if not lines:
        raise Refused(
            Text(
                f"kube-state-metrics tells no conditions of deployment {own}",
                f"kube-state-metrics 没有部署 {own} 的状态数据",
            )
        )
    window = onset_ms(ask.scope), end_ms(ask.scope)
    bad = [x for x in lines if x.labels.get("status") == "false" and any(v == 1 for v in x.between(*window))]
    return _stuck_told(bool(bad), own)


def _stuck_listed(ask: Ask) -> MeasureResult:
    where, own = namespace(ask.scope), workload(ask.scope)
    found = ask.kubernetes(of("apis/apps/v1", where, "deployments")).deployments(where)
    mine = [d for d in found if d.metadata and d.metadata.name == own]
    if not mine:
        raise Refused(Text(f"there is no deployment {own}", f"没有部署 {own}"))
    conditions = (mine[0].status.conditions or []) if mine[0].status else []
    return _stuck_told(any(c.type == "Progressing" and c.status == "False" for c in conditions), own)


def _stuck_told(seen: bool, own: str) -> MeasureResult:
    yes = Text(
        f"The rollout of {own} does not get on (Progressing is false).", f"{own} 的发布停滞（Progressing 为 false）。"
    )
    no = Text(f"No rollout of {own} is stuck.", f"{own} 没有停滞的发布。")
    return MeasureResult(seen, yes if seen else no, float(seen), 0, own)


def _planned(ask: Ask) -> dict[str, MeasureResult]:
    """A told change of that kind, or a node of the pods that is closed for new ones."""
    scope = ask.scope
    told = [c for c in scope.changes if c.kind.lower() in PLANNED_KINDS and c.at <= scope.as_of]
    if told:
        sentence = Text(f"Planned work was told: {told[-1].title}.", f"有已登记的计划作业：{told[-1].title}。")
        return {
            "planned-work": MeasureResult(True, sentence, float(len(told)), 0, told[-1].kind, first_seen_at=told[-1].at)
        }
    nodes = {place.node for place in places(ask)}
    answered = ask_any(ask, CLOSED, step_s=15)
    if not answered.lines:
        raise Refused(
            Text(
                "nobody told of planned work, and kube-state-metrics tells no closed nodes",
                "没有计划内工作的记录，kube-state-metrics 也没有节点停止调度的数据",
            )
        )
    window = onset_ms(scope), end_ms(scope)
    closed = sorted({x.labels["node"] for x in answered.lines if x.labels.get("node") in nodes and x.between(*window)})
    yes = Text(
        f"{', '.join(closed)} is closed for new pods, as before maintenance.",
        f"{', '.join(closed)} 已停止调度（维护）。",
    )
    no = Text("No planned work was told, and the node is open.", "没有登记的计划作业，节点可调度。")
    return {
        "planned-work": MeasureResult(bool(closed), yes if closed else no, float(len(closed)), 0, ", ".join(closed))
    }


def _guilty(ask: Ask) -> dict[str, MeasureResult]:
    found = crowd(ask)
    known = changes(ask.scope, found, ask_namespace(ask))
    if not known:
        return {
            "change-guilty": MeasureResult(
                False, Text("Nothing was changed in the hour before.", "此前一小时没有变更。"), 0.0
            )
        }
    fallen = [f for f in found.fallen if f.namespace == namespace(ask.scope)]
    if not fallen:
        raise Refused(
            Text(
                "no pod stopped being ready, so the order of change and symptom is not known",
                "没有 Pod 变为未就绪，无法判断变更与症状的先后",
            )
        )
    verdicts = {c: verdict(c, fallen) for c in known}
    guilty = [c for c in known if verdicts[c]]
    if not guilty and None in verdicts.values():
        raise Refused(
            Text(
                "the changed pods were ready for a while before they fell, so the order of times does not tell",
                "变更后的 Pod 曾就绪一段时间，先后顺序不能说明问题",
            )
        )
    last = (guilty or known)[-1]
    yes = Text(f"The pods fell after {last.title}, and only those that it changed.",
               f"Pod 在“{last.title}”之后才失败，且仅限被变更的 Pod。")  # fmt: skip
    no = Text(f"Pods fell before {last.title}, or others that it did not change fell too.",
              f"在“{last.title}”之前已有 Pod 失败，或未变更的 Pod 也失败。")  # fmt: skip
    return {"change-guilty": MeasureResult(bool(guilty), yes if guilty else no, float(len(fallen)), subject=last.title,
                                  first_seen_at=last.at if guilty else None)}  # fmt: skip


CHECK = Check(
    "surroundings",
    Text("What happened around it?", "周围发生了什么？"),
    (
        Measure("change-before", Text("Was something changed shortly before?", "此前是否有变更？"), "min"),
        Measure("rollout-in-progress", Text("Was a rollout in progress?", "是否正在发布？"), "deployments"),
        Measure("rollout-stuck", Text("Is a rollout stuck?", "发布是否停滞？"), "deployments"),
        Measure("planned-work", Text("Is it planned work?", "是否为计划作业？")),
        Measure(
            "change-guilty",
            Text(
                "Do the symptoms start after a change, on what it changed only?", "症状是否始于变更之后且仅限被变更者？"
            ),
            "pods",
        ),
        Measure("scrape-gap", Text("Did the measuring itself have a gap?", "采集本身是否中断？"), "share"),
    ),
    lambda scope: bool(scope.entities),
    _collect,
    needs=("prometheus", "kubernetes api"),
    cost=9,
)
