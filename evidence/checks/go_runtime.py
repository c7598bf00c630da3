"""What the Go process says of itself: does it answer, do goroutines pile up, are pauses long?"""

from statistics import median

from domain.text import Text
from evidence.checks.check import Ask, Check, Measure, Told, chart
from evidence.clients.prometheus import Answered
from evidence.etcd_series import increase
from evidence.pods import about_probes, ask_pod, end_ms, named, onset_ms

METRICS = (
    "go_goroutines|go_gc_duration_seconds|up|node_netstat_TcpExt_Listen(Overflows|Drops)|http_requests_total|"
    "http_request_duration_seconds_(sum|count)"
)
GC_PAUSE_S = 0.1
PILED_UP = 2.0


def _collect(ask: Ask) -> dict[str, Told]:
    answered = ask_pod(ask, METRICS)
    window = onset_ms(ask.scope), end_ms(ask.scope)
    return {
        "go-process-answers": _answers(answered, *window),
        "go-goroutines-rising": _goroutines(answered, *window),
        "go-gc-pause-long": _pauses(answered, *window),
        "listen-overflows": _overflows(answered, *window),
        "request-latency-high": _latency(answered, *window),
        "load-surge": _surge(answered, *window),
    }


def _nothing(what: str, zh: str) -> Told:
    why = Text(f"the pod exports no {what}", f"该 Pod 未导出{zh}")
    return Told(None, Text(f"{what}: unknown.", f"{zh}：未知。"), why_unknown=why)


def _answers(answered: Answered, start: int, end: int) -> Told:
    values = [v for line in named(answered, "up") for v in line.between(start, end)]
    if not values:
        return _nothing("scrapes", "采集结果")
    share = sum(values) / len(values)
    yes = Text("The process answered its metrics scrapes throughout.", "进程一直响应指标采集。")
    no = Text(f"Only {share:.0%} of the metrics scrapes were answered.", f"只有 {share:.0%} 的指标采集得到响应。")
    return Told(
        share >= 0.8, yes if share >= 0.8 else no, share, 0.8, series=chart(named(answered, "up"), lambda _: "up")
    )


def _goroutines(answered: Answered, start: int, end: int) -> Told:
    lines = named(answered, "go_goroutines")
    early = [v for line in lines for v in line.between(0, start - 1)]
    late = [v for line in lines for v in line.between(start, end)]
    if not late:
        return _nothing("goroutine count", "协程数")
    base, peak = (median(early) if early else min(late)), max(late)
    seen = peak >= PILED_UP * base and peak >= base + 10
    sentence = Text(
        f"Goroutines: {base:.0f} before, at most {peak:.0f} since.", f"协程数：此前 {base:.0f}，此后最多 {peak:.0f}。"
    )
    return Told(seen, sentence, peak, PILED_UP * base, series=chart(lines, lambda _: "goroutines"))


def _pauses(answered: Answered, start: int, end: int) -> Told:
    lines = [x for x in named(answered, "go_gc_duration_seconds") if x.labels.get("quantile") == "1"]
    values = [v for line in lines for v in line.between(start, end)]
    if not values:
        return _nothing("GC pauses", "GC 停顿")
    longest = max(values)
    sentence = Text(f"The longest GC pause was {longest * 1000:.2f} ms.", f"最长 GC 停顿 {longest * 1000:.2f} 毫秒。")
    return Told(longest >= GC_PAUSE_S, sentence, longest, GC_PAUSE_S)


def _overflows(answered: Answered, start: int, end: int) -> Told:
    lines = [x for name in ("Overflows", "Drops") for x in named(answered, f"node_netstat_TcpExt_Listen{name}")]
    if not lines:
        return _nothing("listen overflows", "监听队列溢出计数")
    count = max(increase(line, start, end) for line in lines)
    sentence = Text(f"The listen queue overflowed {count:.0f} times.", f"监听队列溢出 {count:.0f} 次。")
    return Told(count > 0, sentence, count, 0, series=chart(lines, lambda line: line.labels.get("__name__", "")))


def _latency(answered: Answered, start: int, end: int) -> Told:
    total = sum(increase(x, start, end) for x in named(answered, "http_request_duration_seconds_sum"))
    count = sum(increase(x, start, end) for x in named(answered, "http_request_duration_seconds_count"))
    if not count:
        return _nothing("request latency", "请求时延")
    mean = total / count
    sentence = Text(f"Requests took {mean:.2f} s on average.", f"请求平均耗时 {mean:.2f} 秒。")
    return Told(mean >= 1.0, sentence, mean, 1.0)


def _surge(answered: Answered, start: int, end: int) -> Told:
    lines = named(answered, "http_requests_total")
    first = min((line.points[0].at_ms for line in lines if line.points), default=start)
    if not lines or start - first < 60_000:
        return _nothing("request history", "请求历史")
    before = sum(increase(x, first, start) for x in lines) / (start - first)
    since = sum(increase(x, start, end) for x in lines) / max(1, end - start)
    factor = since / before if before > 0 else 0.0
    sentence = Text(f"The request rate is {factor:.1f} times that before.", f"请求速率为此前的 {factor:.1f} 倍。")
    return Told(factor >= 3, sentence, factor, 3)


CHECK = Check(
    "go-runtime",
    Text("What does the process say of itself?", "进程自身的指标说明了什么？"),
    (
        Measure("go-process-answers", Text("Does the process answer?", "进程是否响应？"), "share"),
        Measure("go-goroutines-rising", Text("Do goroutines pile up?", "协程是否堆积？"), "goroutines"),
        Measure("go-gc-pause-long", Text("Are GC pauses long?", "GC 停顿是否过长？"), "s"),
        Measure("listen-overflows", Text("Does the listen queue overflow?", "监听队列是否溢出？"), "overflows"),
        Measure("request-latency-high", Text("Are requests slow?", "请求是否缓慢？"), "s"),
        Measure("load-surge", Text("Did the load surge?", "负载是否激增？"), "times"),
    ),
    about_probes,
    _collect,
)
