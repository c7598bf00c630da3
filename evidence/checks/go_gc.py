"""How much of a Go process's CPU time its garbage collector takes: pauses are short even where that is most of it."""

from domain.findings import Item, Point
from domain.text import Text
from evidence.check import Ask, Check, Measure, MeasureResult, chart
from evidence.clients.prometheus import Answered, Line
from evidence.etcd_series import increase
from evidence.onset import end_ms, onset_ms
from evidence.pods import about_probes, ask_pods, by_pod, named

COLLECTOR, WORK = "go_cpu_classes_gc_total_cpu_seconds_total", "go_cpu_classes_user_cpu_seconds_total"
# The collector's own goal is a quarter of the CPU while a cycle runs (https://go.dev/doc/gc-guide); more than that,
# a minute long, is work that had to wait.
LIMIT = 0.25
MINUTE_MS = 60_000
# A process that hardly works has no share worth telling: so many CPU seconds in the minute at least.
LEAST_S = 1.0


def _collect(ask: Ask) -> dict[str, MeasureResult]:
    answered = ask_pods(ask, f"{COLLECTOR}|{WORK}")
    start, end = onset_ms(ask.scope), end_ms(ask.scope)
    shares = [Line(pod.lines[0].labels, _minutes(pod, start, end)) for pod in by_pod(answered)]
    return {"go-gc-cpu-high": _gc_share([line for line in shares if line.points])}


def _minutes(pod: Answered, start: int, end: int) -> tuple[Point, ...]:
    """The collector's share (0..1) of each minute, counted back from the end, in which the process worked."""
    found = []
    for at in range(end, start, -MINUTE_MS):
        spent, rest = (sum(increase(x, at - MINUTE_MS, at) for x in named(pod, name)) for name in (COLLECTOR, WORK))
        if spent + rest >= LEAST_S:
            found.append(Point(at, spent / (spent + rest)))
    return tuple(reversed(found))


def _gc_share(shares: list[Line]) -> MeasureResult:
    if not shares:
        why = Text("the process did hardly anything in the window")
        return MeasureResult(None, Text("The collector's share is unknown."), why_unknown=why)
    peaks = {_pod(line): max(p.value for p in line.points) for line in shares}
    pod = max(peaks, key=lambda name: (peaks[name], name))
    sentence = Text(
        "In its worst minute {pod} spent {peak:.0%} of its CPU time on garbage collection.", pod=pod, peak=peaks[pod]
    )
    items = tuple(Item(name, peak, exceeds=peak >= LIMIT) for name, peak in sorted(peaks.items()))
    return MeasureResult(peaks[pod] >= LIMIT, sentence, peaks[pod], LIMIT, pod, items=items, series=chart(shares, _pod))


def _pod(line: Line) -> str:
    return line.labels.get("pod", "")


CHECK = Check(
    "go-gc",
    Text("How much CPU does the garbage collector take?"),
    (
        Measure(
            "go-gc-cpu-high",
            Text("Does garbage collection take the CPU?"),
            "share",
            if_unknown=Text(
                "The service does not export the runtime's CPU classes; with Go's Prometheus client they come by"
                " collectors.WithGoCollectorRuntimeMetrics."
            ),
        ),
    ),
    about_probes,
    _collect,
    metrics=(COLLECTOR, WORK),
    span_s=MINUTE_MS / 1000,
)
