"""Did the container run out of CPU time or memory?"""

from collections.abc import Callable

from domain.errors import Refused
from domain.findings import Item, Point, Series
from domain.text import Text
from evidence.check import Ask, Charted, Check, Measure, MeasureResult, alternatives, chart, measured_by
from evidence.clients.prometheus import Answered, Line
from evidence.etcd_series import increase
from evidence.onset import end_ms, onset_ms
from evidence.pods import about_probes, ask_pods, by_pod, named

METRICS = (
    "container_cpu_cfs_(throttled_periods_total|periods_total)|container_memory_working_set_bytes|"
    "container_spec_memory_limit_bytes"
)
USAGE = "container_cpu_usage_seconds_total"
CONTAINERS = ',container!="",container!="POD"'
# One thread that computes takes one core, less what others take from it, and little beside it.
ONE_CORE, BUSIER = (0.85, 1.2), 0.6
MINUTE_MS, STEP_MS = 60_000, 6_000
# A quarter of all periods: the threshold of the Kubernetes mixin's alert CPUThrottlingHigh.
THROTTLED = 0.25
MEMORY = 0.9


def _collect(ask: Ask) -> dict[str, MeasureResult]:
    measured = measured_by(ask, ("cpu-throttled", "memory-near-limit"), _limits)
    return measured | measured_by(ask, ("cpu-one-core",), _one_core)


def _limits(ask: Ask) -> dict[str, MeasureResult]:
    answered = ask_pods(ask, METRICS, CONTAINERS)
    start, end = onset_ms(ask.scope), end_ms(ask.scope)
    return {"cpu-throttled": _throttled(answered, start, end), "memory-near-limit": _memory(answered, start, end)}


def _one_core(ask: Ask) -> dict[str, MeasureResult]:
    """Whether a container took one core and no more for a minute in the window, and had not done so before."""
    answered = ask_pods(ask, USAGE, CONTAINERS)
    name_of, start, end = _namer(answered), onset_ms(ask.scope), end_ms(ask.scope)
    lines = [line for line in named(answered, USAGE) if len(line.points) > 1]
    used = {name_of(line): (_cores(line, 0, start), _cores(line, start, end)) for line in lines}
    if not used:
        raise Refused(Text("cAdvisor tells no CPU time of the container"))
    name = max(sorted(used), key=lambda n: used[n][1])
    before, since = used[name]
    seen = ONE_CORE[0] <= since <= ONE_CORE[1] and before <= since * BUSIER
    sentence = Text("{name} took up to {since:.2f} cores, {before:.2f} before.", name=name, since=since, before=before)
    return {"cpu-one-core": MeasureResult(seen, sentence, since, ONE_CORE[0], name, series=chart(lines, name_of))}


def _cores(line: Line, start: int, end: int) -> float:
    """The most CPU seconds a second over any minute of the time."""
    points = [p for p in line.points if start <= p.at_ms <= end]
    rates = [_rate(a, b) for a in points for b in points if MINUTE_MS <= b.at_ms - a.at_ms < MINUTE_MS + STEP_MS]
    return max(rates, default=0.0)


def _rate(first: Point, last: Point) -> float:
    return max(0.0, last.value - first.value) / ((last.at_ms - first.at_ms) / 1000)


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


USED = Charted(Text("CPU seconds used so far"))
THROTTLES = Charted(Text("throttled CPU periods so far"))
CHECK = Check(
    "container-load",
    Text("Did the container run out of CPU time or memory?"),
    (
        Measure("cpu-throttled", Text("Was the CPU throttled?"), "share", charted=THROTTLES),
        Measure("cpu-one-core", Text("Did it take one whole core, and no more?"), "cores", charted=USED),
        Measure("memory-near-limit", Text("Was memory near its limit?"), "share"),
    ),
    about_probes,
    _collect,
    cost=2,
    metrics=(*alternatives(METRICS), USAGE),
)
