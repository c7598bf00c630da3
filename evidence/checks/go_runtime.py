"""What the Go process reports of itself: does it answer, do goroutines pile up, are pauses long?"""

from dataclasses import dataclass, replace
from statistics import correlation, median

from domain.findings import Point
from domain.text import Text
from evidence.check import UP, Ask, Charted, Check, Measure, MeasureResult, alternatives, chart, measured_by
from evidence.clients.prometheus import Answered, Line
from evidence.etcd_series import increase
from evidence.onset import end_ms, fault_at, onset_ms
from evidence.pods import about_probes, ask_more, ask_pods, named

METRICS = (
    "go_goroutines|go_gc_duration_seconds|up|node_netstat_TcpExt_Listen(Overflows|Drops)|http_requests_total|"
    "http_request_duration_seconds_(sum|count)"
)
MUTEX = "go_sync_mutex_wait_total_seconds_total"
GC_PAUSE_S = 0.1
PILED_UP = 2.0
HISTORY_MS, RECENT_MS, MINUTE_MS = 60_000, 60_000, 60_000
LEAK_LEAST_MS = 3 * 60 * 1000


def _collect(ask: Ask) -> dict[str, MeasureResult]:
    answered = ask_pods(ask, METRICS)
    window = onset_ms(ask.scope), end_ms(ask.scope)
    results = {
        "go-process-answers": _answers(answered, *window),
        "go-goroutines-rising": _goroutines(answered, *window),
        "go-gc-pause-long": _pauses(answered, *window),
        "listen-overflows": _overflows(answered, *window),
        "request-latency-high": _latency(answered, *window),
        "load-surge": _surge(answered, *window),
        "go-goroutines-leaking": _leaking(answered, round(fault_at(ask.scope).timestamp() * 1000)),
    }
    known = {slug: replace(result, query=ask.query, connection=ask.connection) for slug, result in results.items()}
    return known | measured_by(ask, ("go-mutex-wait-high",), _mutex)


def _nothing(what: Text) -> MeasureResult:
    why = Text("the pod exports no {what}", what=what)
    return MeasureResult(None, Text("{what}: unknown.", what=what), why_unknown=why)


def _answers(answered: Answered, start: int, end: int) -> MeasureResult:
    values = [v for line in named(answered, "up") for v in line.between(start, end)]
    if not values:
        return _nothing(Text("scrapes"))
    share = sum(values) / len(values)
    yes = Text("The process answered its metrics scrapes throughout.")
    no = Text("Only {share:.0%} of the metrics scrapes were answered.", share=share)
    return MeasureResult(
        share >= 0.8, yes if share >= 0.8 else no, share, 0.8, series=chart(named(answered, "up"), lambda _: "up")
    )


def _goroutines(answered: Answered, start: int, end: int) -> MeasureResult:
    lines = named(answered, "go_goroutines")
    grown = [_growth(line, start, end) for line in lines if line.between(start, end)]
    if not grown:
        return _nothing(Text("goroutine count"))
    most = max(grown)
    sentence = Text("Goroutines: {usual:.0f} before, at most {peak:.0f} since.", usual=most.base, peak=most.peak)
    series = chart(lines, lambda _: "goroutines")
    return MeasureResult(most.seen, sentence, most.peak, PILED_UP * most.base, series=series)


@dataclass(frozen=True, slots=True, order=True)
class _Growth:
    """Goroutines of one process: whether they piled up, how many times, their usual number and their highest."""

    seen: bool
    factor: float
    base: float
    peak: float


def _growth(line: Line, start: int, end: int) -> _Growth:
    """The line has at least one sample in the window."""
    early, late = line.between(0, start - 1), line.between(start, end)
    base = median(early) if early else min(late)
    peak = max(late)
    seen = peak >= PILED_UP * base and peak >= base + 10
    return _Growth(seen, peak / max(1.0, base), base, peak)


def _leaking(answered: Answered, start: int) -> MeasureResult:
    """A steady climb before the alert: for minutes, by half at least, nearly a straight line, early as well as late."""
    known = [[p for p in line.points if p.at_ms < start] for line in named(answered, "go_goroutines")]
    climbs = [_climb(p, answered) for p in known if len(p) >= 20 and p[-1].at_ms - p[0].at_ms >= LEAK_LEAST_MS]
    if not climbs:
        return _nothing(Text("goroutine history"))
    return max(climbs, key=lambda climb: (bool(climb.seen), climb.value or 0.0))


def _climb(points: list[Point], answered: Answered) -> MeasureResult:
    """Whether the goroutines of one process climb."""
    times, values = [p.at_ms / 1000 for p in points], [p.value for p in points]
    climbed = values[-1] - values[0]
    straight = correlation(times, values) if max(values) > min(values) else 0.0
    early = values[len(values) // 2] - values[0]
    seen = straight >= 0.9 and early >= 0.3 * climbed and climbed >= max(20.0, 0.5 * values[0])
    minutes = (times[-1] - times[0]) / 60
    sentence = Text(
        "Goroutines went from {first:.0f} to {last:.0f} in the {minutes:.0f} min before.",
        first=values[0],
        last=values[-1],
        minutes=minutes,
    )
    return MeasureResult(seen, sentence, climbed, max(20.0, 0.5 * values[0]),
                series=chart(named(answered, "go_goroutines"), lambda _: "goroutines"))  # fmt: skip


def _mutex(ask: Ask) -> dict[str, MeasureResult]:
    """Seconds waited for locks per second: how many goroutines stood before a lock on average."""
    start, end = onset_ms(ask.scope), end_ms(ask.scope)
    lines = named(ask_more(ask), MUTEX)
    if not lines:
        return {"go-mutex-wait-high": _nothing(Text("mutex wait (go_sync_mutex_wait_total_seconds_total)"))}
    # The busiest minute: over the whole window a fault of a minute would be thinned out.
    minutes = range(max(start, end - MINUTE_MS * ((end - start) // MINUTE_MS or 1)), end, MINUTE_MS)
    waiting = max(increase(x, at, at + MINUTE_MS) for x in lines for at in minutes) / (MINUTE_MS / 1000)
    sentence = Text("In the busiest minute {waiting:.1f} goroutines waited for a lock on average.", waiting=waiting)
    return {"go-mutex-wait-high": MeasureResult(waiting >= 1.0, sentence, waiting, 1.0)}


def _pauses(answered: Answered, start: int, end: int) -> MeasureResult:
    lines = [x for x in named(answered, "go_gc_duration_seconds") if x.labels.get("quantile") == "1"]
    values = [v for line in lines for v in line.between(start, end)]
    if not values:
        return _nothing(Text("GC pauses"))
    longest = max(values)
    sentence = Text("The longest GC pause was {longest_ms:.2f} ms.", longest_ms=longest * 1000)
    return MeasureResult(longest >= GC_PAUSE_S, sentence, longest, GC_PAUSE_S)


def _overflows(answered: Answered, start: int, end: int) -> MeasureResult:
    lines = [x for name in ("Overflows", "Drops") for x in named(answered, f"node_netstat_TcpExt_Listen{name}")]
    if not lines:
        return _nothing(Text("listen overflows"))
    count = max(increase(line, start, end) for line in lines)
    sentence = Text("The listen queue overflowed {count:.0f} times.", count=count)
    return MeasureResult(
        count > 0, sentence, count, 0, series=chart(lines, lambda line: line.labels.get("__name__", ""))
    )


def _latency(answered: Answered, start: int, end: int) -> MeasureResult:
    total = sum(increase(x, start, end) for x in named(answered, "http_request_duration_seconds_sum"))
    count = sum(increase(x, start, end) for x in named(answered, "http_request_duration_seconds_count"))
    if not count:
        return _nothing(Text("request latency"))
    mean = total / count
    sentence = Text("Requests took {mean_s:.2f} s on average.", mean_s=mean)
    return MeasureResult(mean >= 1.0, sentence, mean, 1.0)


def _surge(answered: Answered, start: int, end: int) -> MeasureResult:
    lines = named(answered, "http_requests_total")
    first = min((line.points[0].at_ms for line in lines if line.points), default=start)
    if start - first < HISTORY_MS:
        start = max(start, end - RECENT_MS)  # a young pod: its last minute against all before it
    if not lines or start - first < HISTORY_MS / 2:
        return _nothing(Text("request history"))
    before = sum(increase(x, first, start) for x in lines) / (start - first)
    since = sum(increase(x, start, end) for x in lines) / max(1, end - start)
    factor = since / before if before > 0 else 0.0
    sentence = Text("The request rate is {factor:.1f} times that before.", factor=factor)
    return MeasureResult(factor >= 3, sentence, factor, 3)


GOROUTINES = Charted(Text("goroutines"))
OVERFLOWED = Charted(Text("overflows and drops of listen queues so far"))
CHECK = Check(
    "go-runtime",
    Text("What does the process say of itself?"),
    (
        Measure("go-process-answers", Text("Does the process answer?"), "share", charted=UP),
        Measure("go-goroutines-rising", Text("Do goroutines pile up?"), "goroutines"),
        Measure(
            "go-goroutines-leaking",
            Text("Did goroutines climb long before?"),
            "goroutines",
            charted=GOROUTINES,
        ),
        Measure(
            "go-mutex-wait-high",
            Text("Do goroutines wait for locks?"),
            "goroutines",
            if_not=Text(
                "Little time was spent before locks that were got; a wait that still lasts is not counted yet."
            ),
        ),
        Measure("go-gc-pause-long", Text("Are GC pauses long?"), "s"),
        Measure(
            "listen-overflows",
            Text("Does the listen queue overflow?"),
            "overflows",
            charted=OVERFLOWED,
        ),
        Measure("request-latency-high", Text("Are requests slow?"), "s"),
        Measure("load-surge", Text("Did the load surge?"), "times"),
    ),
    about_probes,
    _collect,
    cost=2,
    metrics=(*alternatives(METRICS), MUTEX),
    span_s=MINUTE_MS / 1000,
)
