"""Did the container run out of CPU time or memory?"""

from collections.abc import Callable

from domain.findings import Item, Point, Series
from domain.text import Text
from evidence.check import Ask, Charted, Check, Measure, MeasureResult, alternatives, chart
from evidence.clients.prometheus import Answered, Line
from evidence.etcd_series import increase
from evidence.pods import about_probes, ask_pods, by_pod, end_ms, named, onset_ms

METRICS = (
    "container_cpu_cfs_(throttled_periods_total|periods_total)|container_memory_working_set_bytes|"
    "container_spec_memory_limit_bytes"
)
# A quarter of all periods: the threshold of the Kubernetes mixin's alert CPUThrottlingHigh.
THROTTLED = 0.25
MEMORY = 0.9


def _collect(ask: Ask) -> dict[str, MeasureResult]:
    answered = ask_pods(ask, METRICS, ',container!="",container!="POD"')
    start, end = onset_ms(ask.scope), end_ms(ask.scope)
    return {"cpu-throttled": _throttled(answered, start, end), "memory-near-limit": _memory(answered, start, end)}


def _throttled(answered: Answered, start: int, end: int) -> MeasureResult:
    name_of = _namer(answered)
    periods = {name_of(x): increase(x, start, end) for x in named(answered, "container_cpu_cfs_periods_total")}
    lines = named(answered, "container_cpu_cfs_throttled_periods_total")
    shares = {name_of(x): increase(x, start, end) / periods[name_of(x)] for x in lines if periods.get(name_of(x))}
    if not shares:
        why = Text("the container has no CPU limit, or cAdvisor is not scraped")
        return MeasureResult(None, Text("CPU throttling is unknown."), why_unknown=why)
    name = max(sorted(shares), key=lambda n: shares[n])
    seen = shares[name] >= THROTTLED
    sentence = Text("{name} was throttled in {share:.0%} of its CPU periods.", name=name, share=shares[name])
    items = tuple(Item(n, v, exceeds=v >= THROTTLED) for n, v in sorted(shares.items()))
    return MeasureResult(seen, sentence, shares[name], THROTTLED, name, items=items, series=chart(lines, name_of))


def _namer(answered: Answered) -> Callable[[Line], str]:
    """By the container's name; several pods have the same, so then with the pod's before it."""
    keys = ("pod", "container") if len(by_pod(answered)) > 1 else ("container",)
    return lambda line: " ".join(line.labels.get(key, "") for key in keys)


def _memory(answered: Answered, start: int, end: int) -> MeasureResult:
    name_of = _namer(answered)
    limits = {name_of(x): x.points[-1].value for x in named(answered, "container_spec_memory_limit_bytes") if x.points}
    shares: dict[str, tuple[Point, ...]] = {}
    for line in named(answered, "container_memory_working_set_bytes"):
        limit = limits.get(name_of(line), 0)
        if 0 < limit < 2**60:
            shares[name_of(line)] = tuple(
                Point(p.at_ms, p.value / limit) for p in line.points if start <= p.at_ms <= end
            )
    peaks = {name: max(p.value for p in points) for name, points in shares.items() if points}
    if not peaks:
        why = Text("the container has no memory limit, or cAdvisor is not scraped")
        return MeasureResult(None, Text("Memory use is unknown."), why_unknown=why)
    name = max(sorted(peaks), key=lambda n: peaks[n])
    sentence = Text("{name} used up to {peak:.0%} of its memory limit.", name=name, peak=peaks[name])
    return MeasureResult(
        peaks[name] >= MEMORY, sentence, peaks[name], MEMORY, name, series=(Series(name, shares[name][-400:]),)
    )


THROTTLES = Charted(Text("throttled CPU periods so far"))
CHECK = Check(
    "container-load",
    Text("Did the container run out of CPU time or memory?"),
    (
        Measure("cpu-throttled", Text("Was the CPU throttled?"), "share", charted=THROTTLES),
        Measure("memory-near-limit", Text("Was memory near its limit?"), "share"),
    ),
    about_probes,
    _collect,
    metrics=alternatives(METRICS),
)
