"""What the Go process says of itself: does it answer, do goroutines pile up, are pauses long?"""

from dataclasses import replace
from statistics import correlation, median

from domain.findings import Point
from domain.text import Text
from evidence.check import UP, Ask, Charted, Check, Measure, MeasureResult, chart, measured_by
from evidence.clients.prometheus import Answered, Line
from evidence.etcd_series import increase
from evidence.onset import fault_at
from evidence.pods import about_probes, ask_more, ask_pods, end_ms, named, onset_ms

METRICS = (
    "go_goroutines|go_gc_duration_seconds|up|node_netstat_TcpExt_Listen(Overflows|Drops)|http_requests_total|"
    "http_request_duration_seconds_(sum|count)"
)
GC_PAUSE_S = 0.1
PILED_UP = 2.0
HISTORY_MS, RECENT_MS, MINUTE_MS = 60_000, 60_000, 60_000
LEAK_LEAST_MS = 3 * 60 * 1000


def _collect(ask: Ask) -> dict[str, MeasureResult]:
    answered = ask_pods(ask, METRICS)
    window = onset_ms(ask.scope), end_ms(ask.scope)
    told = {
        "go-process-answers": _answers(answered, *window),
        "go-goroutines-rising": _goroutines(answered, *window),
        "go-gc-pause-long": _pauses(answered, *window),
        "listen-overflows": _overflows(answered, *window),
        "request-latency-high": _latency(answered, *window),
        "load-surge": _surge(answered, *window),
        "go-goroutines-leaking": _leaking(answered, round(fault_at(ask.scope).timestamp() * 1000)),
    }
    known = {slug: replace(t, query=ask.query, connection=ask.connection) for slug, t in told.items()}
    return known | measured_by(ask, ("go-mutex-wait-high",), _mutex)


def _nothing(what: str, zh: str) -> MeasureResult:
    why = Text(f"the pod exports no {what}", f"该 Pod 未导出{zh}")
    return MeasureResult(None, Text(f"{what}: unknown.", f"{zh}：未知。"), why_unknown=why)


def _answers(answered: Answered, start: int, end: int) -> MeasureResult:
    values = [v for line in named(answered, "up") for v in line.between(start, end)]
    if not values:
        return _nothing("scrapes", "采集结果")
    share = sum(values) / len(values)
    yes = Text("The process answered its metrics scrapes throughout.", "进程一直响应指标采集。")
    no = Text(f"Only {share:.0%} of the metrics scrapes were answered.", f"只有 {share:.0%} 的指标采集得到响应。")
    return MeasureResult(
        share >= 0.8, yes if share >= 0.8 else no, share, 0.8, series=chart(named(answered, "up"), lambda _: "up")
    )


def _goroutines(answered: Answered, start: int, end: int) -> MeasureResult:
    lines = named(answered, "go_goroutines")
    grown = [_growth(line, start, end) for line in lines if line.between(start, end)]
    if not grown:
        return _nothing("goroutine count", "协程数")
    seen, _, base, peak = max(grown)
    sentence = Text(
        f"Goroutines: {base:.0f} before, at most {peak:.0f} since.", f"协程数：此前 {base:.0f}，此后最多 {peak:.0f}。"
    )
    return MeasureResult(seen, sentence, peak, PILED_UP * base, series=chart(lines, lambda _: "goroutines"))


def _growth(line: Line, start: int, end: int) -> tuple[bool, float, float, float]:
    """Whether goroutines piled up in one process, how many times, its usual number, and its highest."""
    early, late = line.between(0, start - 1), line.between(start, end)
    base, peak = (median(early) if early else min(late)), max(late)
    return peak >= PILED_UP * base and peak >= base + 10, peak / max(1.0, base), base, peak


def _leaking(answered: Answered, start: int) -> MeasureResult:
    """A steady climb before the alert: for minutes, by half at least, nearly a straight line, early as well as late."""
    known = [[p for p in line.points if p.at_ms < start] for line in named(answered, "go_goroutines")]
    told = [_climb(p, answered) for p in known if len(p) >= 20 and p[-1].at_ms - p[0].at_ms >= LEAK_LEAST_MS]
    if not told:
        return _nothing("goroutine history", "协程历史")
    return max(told, key=lambda t: (bool(t.seen), t.value or 0.0))


def _climb(points: list[Point], answered: Answered) -> MeasureResult:
    """What one process's history says."""
    times, values = [p.at_ms / 1000 for p in points], [p.value for p in points]
    climbed = values[-1] - values[0]
    straight = correlation(times, values) if max(values) > min(values) else 0.0
    early = values[len(values) // 2] - values[0]
    seen = straight >= 0.9 and early >= 0.3 * climbed and climbed >= max(20.0, 0.5 * values[0])
    minutes = (times[-1] - times[0]) / 60
    sentence = Text(f"Goroutines went from {values[0]:.0f} to {values[-1]:.0f} in the {minutes:.0f} min before.",
                    f"此前 {minutes:.0f} 分钟协程数由 {values[0]:.0f} 变为 {values[-1]:.0f}。")  # fmt: skip
    return MeasureResult(seen, sentence, climbed, max(20.0, 0.5 * values[0]),
                series=chart(named(answered, "go_goroutines"), lambda _: "goroutines"))  # fmt: skip


def _mutex(ask: Ask) -> dict[str, MeasureResult]:
    """Seconds waited for locks per second: how many goroutines stood before a lock on average."""
    start, end = onset_ms(ask.scope), end_ms(ask.scope)
    lines = named(ask_more(ask), "go_sync_mutex_wait_total_seconds_total")
    if not lines:
        return {"go-mutex-wait-high": _nothing("mutex wait (go_sync_mutex_wait_total_seconds_total)", "锁等待时间")}
    # The busiest minute: over the whole window a fault of a minute would be thinned out.
    minutes = range(max(start, end - MINUTE_MS * ((end - start) // MINUTE_MS or 1)), end, MINUTE_MS)
    waiting = max(increase(x, at, at + MINUTE_MS) for x in lines for at in minutes) / (MINUTE_MS / 1000)
    sentence = Text(
        f"In the busiest minute {waiting:.1f} goroutines waited for a lock on average.",
        f"最忙的一分钟内平均有 {waiting:.1f} 个协程在等待锁。",
    )
    return {"go-mutex-wait-high": MeasureResult(waiting >= 1.0, sentence, waiting, 1.0)}


def _pauses(answered: Answered, start: int, end: int) -> MeasureResult:
    lines = [x for x in named(answered, "go_gc_duration_seconds") if x.labels.get("quantile") == "1"]
    values = [v for line in lines for v in line.between(start, end)]
    if not values:
        return _nothing("GC pauses", "GC 停顿")
    longest = max(values)
    sentence = Text(f"The longest GC pause was {longest * 1000:.2f} ms.", f"最长 GC 停顿 {longest * 1000:.2f} 毫秒。")
    return MeasureResult(longest >= GC_PAUSE_S, sentence, longest, GC_PAUSE_S)


def _overflows(answered: Answered, start: int, end: int) -> MeasureResult:
    lines = [x for name in ("Overflows", "Drops") for x in named(answered, f"node_netstat_TcpExt_Listen{name}")]
    if not lines:
        return _nothing("listen overflows", "监听队列溢出计数")
    count = max(increase(line, start, end) for line in lines)
    sentence = Text(f"The listen queue overflowed {count:.0f} times.", f"监听队列溢出 {count:.0f} 次。")
    return MeasureResult(
        count > 0, sentence, count, 0, series=chart(lines, lambda line: line.labels.get("__name__", ""))
    )


def _latency(answered: Answered, start: int, end: int) -> MeasureResult:
    total = sum(increase(x, start, end) for x in named(answered, "http_request_duration_seconds_sum"))
    count = sum(increase(x, start, end) for x in named(answered, "http_request_duration_seconds_count"))
    if not count:
        return _nothing("request latency", "请求时延")
    mean = total / count
    sentence = Text(f"Requests took {mean:.2f} s on average.", f"请求平均耗时 {mean:.2f} 秒。")
    return MeasureResult(mean >= 1.0, sentence, mean, 1.0)


def _surge(answered: Answered, start: int, end: int) -> MeasureResult:
    lines = named(answered, "http_requests_total")
    first = min((line.points[0].at_ms for line in lines if line.points), default=start)
    if start - first < HISTORY_MS:
        start = max(start, end - RECENT_MS)  # a young pod: its last minute against all before it
    if not lines or start - first < HISTORY_MS / 2:
        return _nothing("request history", "请求历史")
    before = sum(increase(x, first, start) for x in lines) / (start - first)
    since = sum(increase(x, start, end) for x in lines) / max(1, end - start)
    factor = since / before if before > 0 else 0.0
    sentence = Text(f"The request rate is {factor:.1f} times that before.", f"请求速率为此前的 {factor:.1f} 倍。")
    return MeasureResult(factor >= 3, sentence, factor, 3)


GOROUTINES = Charted(Text("goroutines", "协程数"))
OVERFLOWED = Charted(Text("overflows and drops of listen queues so far", "监听队列累计溢出与丢弃次数"))
CHECK = Check(
    "go-runtime",
    Text("What does the process say of itself?", "进程自身的指标说明了什么？"),
    (
        Measure("go-process-answers", Text("Does the process answer?", "进程是否响应？"), "share", charted=UP),
        Measure("go-goroutines-rising", Text("Do goroutines pile up?", "协程是否堆积？"), "goroutines"),
        Measure(
            "go-goroutines-leaking", Text("Did goroutines climb long before?", "协程是否早已持续增长？"), "goroutines",
            charted=GOROUTINES,
        ),
        Measure(
            "go-mutex-wait-high", Text("Do goroutines wait for locks?", "协程是否在等待锁？"), "goroutines",
            if_not=Text("Little time was spent before locks that were got; a wait that still lasts is not counted yet.",
                        "已获得的锁等待时间很短；仍在进行的等待尚未计入。"),
        ),
        Measure("go-gc-pause-long", Text("Are GC pauses long?", "GC 停顿是否过长？"), "s"),
        Measure(
            "listen-overflows", Text("Does the listen queue overflow?", "监听队列是否溢出？"), "overflows",
            charted=OVERFLOWED,
        ),
        Measure("request-latency-high", Text("Are requests slow?", "请求是否缓慢？"), "s"),
        Measure("load-surge", Text("Did the load surge?", "负载是否激增？"), "times"),
    ),
    about_probes,
    _collect,
    cost=2,
)  # fmt: skip
