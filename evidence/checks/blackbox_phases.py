"""In which phase does the blackbox probe of the target fail? Zero is not absent; only DNS is absent."""

from collections import Counter

from domain.errors import Refused
from domain.findings import Item
from domain.text import Text
from evidence.blackbox_targets import ProbeTarget, all_targets, is_own
from evidence.check import Ask, Charted, Check, Measure, MeasureResult, chart, moment
from evidence.pods import about_probes, end_ms, onset_ms

CLASSES = {
    "probe-dns-absent": Text("the name did not resolve", "域名无法解析"),
    "probe-transport-timeout": Text("no connection until the timeout", "直到超时仍未建立连接"),
    "probe-refused": Text("refused at once, nobody listens", "立即被拒绝，无监听"),
    "probe-app-silent": Text("connected, and no first byte until the timeout", "已连接，但直到超时无首字节"),
    "probe-dropped-by-app": Text("connected, then dropped at once", "已连接，随即被断开"),
    "probe-body-stall": Text("status 200, and the body did not end in time", "状态 200，但正文未按时结束"),
    "probe-redirect-loop": Text("redirected in a circle", "循环重定向"),
    "probe-status-error": Text("answered with an error status", "返回错误状态码"),
    "probe-content-mismatch": Text("answered in time, and the answer was not the wanted one", "按时返回，但内容不符"),
}
CODES = {
    "probe-status-auth": ({401, 403}, Text("status 401 or 403", "状态 401 或 403")),
    "probe-status-missing": ({404, 410}, Text("status 404", "状态 404")),
    "probe-status-unavailable": ({503}, Text("status 503", "状态 503")),
}
# With https the exporter counts a connection only after the handshake.
HIDES_TLS = frozenset({"probe-refused", "probe-transport-timeout"})
# The least part of the failed probes that makes their class. One odd sample at the edge of a fault does not.
MOSTLY = 0.25
# The least part of the other targets that can share a path: among very many something is always down.
SHARED = 0.1
# Without a probe that ran into its time-out this is not known; Kubernetes' default timeoutSeconds stands in.
USUAL_TIMEOUT_S = 1.0
NEAR = 0.8


def _collect(ask: Ask) -> dict[str, MeasureResult]:
    declared = ask.scope.connections.blackbox
    if not declared:
        raise Refused(
            Text(
                "no blackbox exporter is declared; declare it with [[blackbox]]",
                "未声明 blackbox exporter；请用 [[blackbox]] 声明",
            )
        )
    targets = all_targets(ask, declared[0])
    own = [t for t in targets if t.http and is_own(t, ask.scope)]
    if not own:
        raise Refused(
            Text(
                "no blackbox target carries the pod, service or instance of the incident",
                "没有 blackbox 目标带有该事件的 pod、service 或 instance 标签",
            )
        )
    start, end = onset_ms(ask.scope), end_ms(ask.scope)
    seen: Counter[str] = Counter()
    for target in own:
        seen += target.classes(start, end)
    told = {slug: _told(slug, seen, own) for slug in CLASSES}
    told["probe-status-error"] = _status(told["probe-status-error"], own, start, end)
    told |= {slug: _code(slug, own, start, end) for slug in CODES}
    told["probe-slow-success"] = _slow(own, start, end)
    told["probe-https"] = _https(own)
    told["probe-tcp-passes"] = _tcp(own, targets, start, end)
    told["probe-peers-fail"] = _peers(own, targets, seen, (start, end))
    told["probe-recovered-fast"] = _recovered(own, start, end)
    return told


def _told(slug: str, seen: Counter[str], own: list[ProbeTarget]) -> MeasureResult:
    total, count = seen.total(), seen[slug]
    meaning = _meaning(slug, own)
    items = tuple(Item(CLASSES[k].en if k in CLASSES else k, float(v)) for k, v in sorted(seen.items()))
    yes = Text(f"{count} of {total} failed probes of {own[0].name}: {meaning.en}.",
               f"{own[0].name} 的 {total} 次失败探测中有 {count} 次：{meaning.zh}。")  # fmt: skip
    no = Text(f"None of {total} failed probes: {meaning.en}.", f"{total} 次失败探测中没有：{meaning.zh}。")
    hit = _mostly(seen, slug)
    lines = [line for t in own for line in t.lines]
    return MeasureResult(hit, yes if hit else no, float(count), 0, own[0].name, items=items,
                series=chart(lines, lambda line: line.labels.get("phase", "total")) if hit else ())  # fmt: skip


def _meaning(slug: str, own: list[ProbeTarget]) -> Text:
    """With https TLS hides in two of the classes."""
    meaning = CLASSES[slug]
    if not _secure(own[0]) or slug not in HIDES_TLS:
        return meaning
    return Text(f"{meaning.en}, or its TLS handshake failed so", f"{meaning.zh}，或 TLS 握手以此方式失败")


def _code(slug: str, own: list[ProbeTarget], start: int, end: int) -> MeasureResult:
    wanted, meaning = CODES[slug]
    codes = [t.values["probe_http_status_code"].get(at, 0.0) for t in own for at in t.failing(start, end)]
    count = sum(code in wanted for code in codes)
    hit = count > 0 and count >= MOSTLY * len(codes)
    yes = Text(f"{count} of {len(codes)} failed probes: {meaning.en}.",
               f"{len(codes)} 次失败探测中有 {count} 次：{meaning.zh}。")  # fmt: skip
    no = Text(f"None of {len(codes)} failed probes: {meaning.en}.", f"{len(codes)} 次失败探测中没有：{meaning.zh}。")
    return MeasureResult(hit, yes if count else no, float(count), 0, own[0].name)


def _slow(own: list[ProbeTarget], start: int, end: int) -> MeasureResult:
    """Successes that nearly took the time-out: the failures beside them are the same slowness, a little longer."""
    failed = [t.values.get("probe_duration_seconds", {}).get(at, 0.0) for t in own for at in t.failing(start, end)]
    limit = NEAR * max([USUAL_TIMEOUT_S, *failed])
    good = [d for t in own for d in t.succeeded(start, end)]
    if not good:
        why = Text("no probe succeeded in the window", "时间窗内没有成功的探测")
        return MeasureResult(None, why, why_unknown=why)
    slow = [d for d in good if d >= limit]
    sentence = Text(
        f"{len(slow)} of {len(good)} probes that succeeded took {limit:.1f} s or more, the longest {max(good):.2f} s.",
        f"{len(good)} 次成功探测中有 {len(slow)} 次耗时 {limit:.1f} 秒以上，最长 {max(good):.2f} 秒。",
    )
    return MeasureResult(bool(slow), sentence, max(good), limit, own[0].name)


def _status(told: MeasureResult, own: list[ProbeTarget], start: int, end: int) -> MeasureResult:
    codes = [t.values["probe_http_status_code"].get(at, 0.0) for t in own for at in t.failing(start, end)]
    code = max((c for c in codes if c >= 400), default=0.0)
    if not told.seen or not code:
        return told
    sentence = Text(f"The target answers with status {code:.0f}.", f"目标返回状态码 {code:.0f}。")
    return MeasureResult(True, sentence, code, 399, own[0].name, items=told.items, series=told.series)


def _https(own: list[ProbeTarget]) -> MeasureResult:
    seen = any(_secure(t) for t in own)
    return MeasureResult(
        seen, Text("The target is https.", "目标为 https。") if seen else Text("The target is http.", "目标为 http。")
    )


def _secure(target: ProbeTarget) -> bool:
    return target.name.startswith("https://")


def _authority(name: str) -> str:
    return name.split("://", 1)[-1].split("/", 1)[0]


def _tcp(own: list[ProbeTarget], targets: list[ProbeTarget], start: int, end: int) -> MeasureResult:
    ports = {_authority(t.name) for t in own}
    tcp = [t for t in targets if not t.http and _authority(t.name) in ports and t.values.get("probe_success")]
    if not tcp:
        why = Text("no tcp module probes the same port", "没有 tcp 模块探测同一端口")
        return MeasureResult(
            None, Text("Whether a TCP connection succeeds is unknown.", "TCP 是否可连未知。"), why_unknown=why
        )
    failing = {at for t in own for at in t.failing(start, end)}
    bad = len({at for t in tcp for at in t.failing(start, end)})
    passes = bad <= 0.25 * max(1, len(failing))
    yes = Text("A TCP connection to the same port succeeds meanwhile.", "同一端口的 TCP 连接同时成功。")
    no = Text("A TCP connection to the same port fails as well.", "同一端口的 TCP 连接也失败。")
    return MeasureResult(passes, yes if passes else no, float(bad), None, tcp[0].name)


def _peers(
    own: list[ProbeTarget], targets: list[ProbeTarget], seen: Counter[str], window: tuple[int, int]
) -> MeasureResult:
    main = seen.most_common(1)[0][0] if seen else ""
    others = [t for t in targets if t.http and t not in own and _comparable(t, own, main)]
    if not others or not main:
        return _undecided(Text("there is no other target to compare with", "没有其他目标可供比较"))
    same = len([t for t in others if _mostly(t.classes(*window), main)])
    if 0 < same < SHARED * len(others):
        return _undecided(Text(f"{same} of {len(others)} do, too few for a shared cause and too many to be none",
                               f"{len(others)} 个中有 {same} 个，不足以判断是否有共同原因"))  # fmt: skip
    yes = Text(f"{same} of {len(others)} other targets fail in the same way.",
               f"{len(others)} 个其他目标中有 {same} 个以相同方式失败。")  # fmt: skip
    no = Text(f"The {len(others)} other targets do not fail in this way.", f"其他 {len(others)} 个目标没有如此失败。")
    return MeasureResult(same > 0, yes if same else no, float(same), 0)


def _undecided(why: Text) -> MeasureResult:
    return MeasureResult(
        None, Text("Whether other targets fail too is unknown.", "其他目标是否也失败未知。"), why_unknown=why
    )


def _comparable(other: ProbeTarget, own: list[ProbeTarget], main: str) -> bool:
    """Where TLS hides in the class, a target with TLS tells nothing of one without."""
    return main not in HIDES_TLS or _secure(own[0]) or not _secure(other)


def _mostly(seen: Counter[str], slug: str) -> bool:
    """Whether this is how it fails."""
    return seen[slug] > 0 and seen[slug] >= MOSTLY * seen.total()


def _recovered(own: list[ProbeTarget], start: int, end: int) -> MeasureResult:
    times = sorted(at for t in own for at in t.failing(start, end))
    if not times:
        return MeasureResult(False, Text("No probe failed in the window.", "时间窗内没有失败的探测。"), 0.0, 120)
    lasted = (times[-1] - times[0]) / 1000
    over = lasted < 120 and end - times[-1] > 15_000
    yes = Text(f"The failures were over after {lasted:.0f} s.", f"失败持续 {lasted:.0f} 秒后结束。")
    no = Text(f"The failures lasted {lasted:.0f} s or still go on.", f"失败持续 {lasted:.0f} 秒或仍在继续。")
    return MeasureResult(over, yes if over else no, lasted, 120, first_seen_at=moment(times[0]))


TIMES = Charted(Text("how long each probe took, by phase", "每次探测的耗时，按阶段"), "s")
CHECK = Check(
    "blackbox-phases",
    Text("In which phase does the probe fail?", "探测在哪个阶段失败？"),
    (
        *(
            Measure(s, Text(f"Failed probes: {t.en}?", f"失败探测：{t.zh}？"), "probes", charted=TIMES)
            for s, t in CLASSES.items()
        ),
        *(Measure(s, Text(f"Failed probes: {t.en}?", f"失败探测：{t.zh}？"), "probes") for s, (_, t) in CODES.items()),
        Measure("probe-slow-success", Text("Do probes succeed only just?", "探测是否勉强成功？"), "s"),
        Measure("probe-https", Text("Is the target https?", "目标是否为 https？")),
        Measure("probe-tcp-passes", Text("Does a TCP connection succeed?", "TCP 连接是否成功？"), "probes"),
        Measure(
            "probe-peers-fail", Text("Do other targets fail in the same way?", "其他目标是否同样失败？"), "targets"
        ),
        Measure("probe-recovered-fast", Text("Was it over within two minutes?", "是否在两分钟内恢复？"), "s"),
    ),
    about_probes,
    _collect,
    needs=("blackbox", "prometheus"),
)
