"""Which of the kubelet's own probes fail, and how often? Event counts are not failure counts; this metric is."""

from datetime import UTC, datetime

from domain.text import Text
from evidence.checks.check import Ask, Check, Measure, Told, chart
from evidence.clients.prometheus import Line
from evidence.etcd_series import increase
from evidence.pods import about_probes, ask_pod, end_ms, onset_ms

TYPES = {"Readiness": "kubelet-readiness-failing", "Liveness": "kubelet-liveness-failing",
         "Startup": "kubelet-startup-failing"}  # fmt: skip


def _collect(ask: Ask) -> dict[str, Told]:
    answered = ask_pod(ask, "prober_probe_total")
    start, end = onset_ms(ask.scope), end_ms(ask.scope)
    return {slug: _told(kind, answered.lines, start, end) for kind, slug in TYPES.items()}


def _told(kind: str, lines: tuple[Line, ...], start: int, end: int) -> Told:
    of_kind = [line for line in lines if line.labels.get("probe_type") == kind]
    failed = [line for line in of_kind if line.labels.get("result") == "failed" and line.points]
    if not of_kind:
        return Told(False, Text(f"The pod has no {kind.lower()} probe.", f"该 Pod 没有 {kind} 探针。"), 0.0, 0)
    # A counter that begins within the window began at zero: its first value is already a count of failures.
    count = sum(increase(line, start, end) + _born(line, start) for line in failed)
    yes = Text(
        f"The kubelet's {kind.lower()} probe failed {count:.0f} times.", f"kubelet 的 {kind} 探针失败 {count:.0f} 次。"
    )
    no = Text(f"The kubelet's {kind.lower()} probe did not fail.", f"kubelet 的 {kind} 探针没有失败。")
    first = min((line.points[0].at_ms for line in failed), default=None)
    return Told(count > 0, yes if count > 0 else no, count, 0, series=chart(failed, lambda line: kind),
                first_seen_at=datetime.fromtimestamp(first / 1000, UTC) if first and count else None)  # fmt: skip


def _born(line: Line, start: int) -> float:
    first = line.points[0]
    return first.value if first.at_ms >= start else 0.0


CHECK = Check(
    "kubelet-probes",
    Text("Which kubelet probes fail?", "哪些 kubelet 探针失败？"),
    tuple(
        Measure(slug, Text(f"Does the {kind.lower()} probe fail?", f"{kind} 探针是否失败？"), "failures")
        for kind, slug in TYPES.items()
    ),
    about_probes,
    _collect,
)
