"""What happened around the incident: changes, rollouts, and gaps in the measuring itself."""

from domain.entities import EntityKind
from domain.scope import ChangeRef, Scope
from domain.text import Text
from evidence.checks.check import Ask, Check, Measure, Told, chart
from evidence.clients.prometheus import matcher
from evidence.pods import ask_any, end_ms, named, onset_ms


def _collect(ask: Ask) -> dict[str, Told]:
    told = {"change-before": _change(ask.scope)}
    namespaces = sorted({e.namespace for e in ask.scope.of_kind(EntityKind.POD) if e.namespace})
    where = matcher({"namespace": namespaces[0]}) if namespaces else ""
    if where:
        metrics = "kube_deployment_status_replicas_updated|kube_deployment_spec_replicas"
        told["rollout-in-progress"] = _rollout(ask, f'{{__name__=~"{metrics}",{where}}}')
    told["scrape-gap"] = _gap(ask)
    return told


def _change(scope: Scope) -> Told:
    keys = {e.key for e in scope.entities} | {r.end for r in scope.relations}
    near: list[ChangeRef] = [c for c in scope.changes if c.at <= scope.started_at and (keys & set(c.entities))]
    if not near:
        return Told(False, Text("No recorded change touched it shortly before.", "此前没有相关变更记录。"))
    last = near[-1]
    minutes = (scope.started_at - last.at).total_seconds() / 60
    sentence = Text(f"{minutes:.0f} minutes before: {last.title}.", f"{minutes:.0f} 分钟前：{last.title}。")
    return Told(True, sentence, minutes, subject=last.kind, first_seen_at=last.at)


def _rollout(ask: Ask, query: str) -> Told:
    answered = ask_any(ask, query)
    wanted = {x.labels.get("deployment"): x for x in named(answered, "kube_deployment_spec_replicas")}
    if not wanted:
        why = Text(
            "kube-state-metrics has no deployments of this namespace", "kube-state-metrics 没有该命名空间的 Deployment"
        )
        return Told(None, Text("Whether a rollout ran is unknown.", "是否在发布未知。"), why_unknown=why)
    start, end = onset_ms(ask.scope), end_ms(ask.scope)
    rolling = []
    for line in named(answered, "kube_deployment_status_replicas_updated"):
        want = wanted.get(line.labels.get("deployment"))
        spec = want.points[-1].value if want and want.points else 0
        if any(v < spec for v in line.between(start, end)):
            rolling.append(line.labels.get("deployment", ""))
    yes = Text(f"A rollout of {', '.join(rolling)} was in progress.", f"{', '.join(rolling)} 正在发布。")
    no = Text("No rollout was in progress.", "没有正在进行的发布。")
    return Told(bool(rolling), yes if rolling else no, float(len(rolling)), 0, ", ".join(rolling))


def _gap(ask: Ask) -> Told:
    answered = ask_any(ask, "count(up == 0) / count(up)")
    lines = answered.lines
    values = [v for line in lines for v in line.between(onset_ms(ask.scope), end_ms(ask.scope))]
    share = max(values, default=0.0)
    yes = Text(f"{share:.0%} of all scrape targets were down at the same time.", f"{share:.0%} 的采集目标同时失联。")
    no = Text(f"At most {share:.0%} of all scrape targets were down at once.", f"同时失联的采集目标最多 {share:.0%}。")
    return Told(share >= 0.8, yes if share >= 0.8 else no, share, 0.8, series=chart(lines, lambda _: "down"))


CHECK = Check(
    "surroundings",
    Text("What happened around it?", "周围发生了什么？"),
    (
        Measure("change-before", Text("Was something changed shortly before?", "此前是否有变更？"), "min"),
        Measure("rollout-in-progress", Text("Was a rollout in progress?", "是否正在发布？"), "deployments"),
        Measure("scrape-gap", Text("Did the measuring itself have a gap?", "采集本身是否中断？"), "share"),
    ),
    lambda scope: bool(scope.entities),
    _collect,
)
