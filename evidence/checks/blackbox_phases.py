"""In which phase does the blackbox probe of the target fail? Zero is not absent; only DNS is absent."""

from collections import Counter
from functools import partial

from domain.connections import BlackboxDecl
from domain.errors import ProductError, Refused
from domain.findings import Item
from domain.text import Text
from evidence.blackbox_targets import ProbeTarget, all_targets, is_own, late_scrapes
from evidence.check import Ask, Charted, Check, Measure, MeasureResult, answers_of, chart, moment, unmeasured
from evidence.onset import end_ms, fault_end_ms, onset_ms
from evidence.pods import about_probes

CLASSES = {
    "probe-dns-absent": Text("the name did not resolve"),
    "probe-transport-timeout": Text("no connection until the timeout"),
    "probe-refused": Text("refused at once, nobody listens"),
    "probe-app-silent": Text("connected, and no first byte until the timeout"),
    "probe-dropped-by-app": Text("connected, then dropped at once"),
    "probe-body-stall": Text("status 200, and the body did not end in time"),
    "probe-redirect-loop": Text("redirected in a circle"),
    "probe-redirect-failed": Text("redirected, and what it was sent to did not answer"),
    "probe-status-error": Text("answered with an error status"),
    "probe-content-mismatch": Text("answered in time, and the answer was not the wanted one"),
}
CODES = {
    "probe-status-auth": ({401, 403}, Text("status 401 or 403")),
    "probe-status-missing": ({404, 410}, Text("status 404")),
    "probe-status-unavailable": ({503}, Text("status 503")),
}
CONNECTING = ("probe-transport-timeout", "probe-refused")
# A target that shares the cause fails for at least this part of the time.
LASTING = 0.5
# With https the exporter counts a connection only after the handshake.
HIDES_TLS = frozenset({"probe-refused", "probe-transport-timeout"})
# The least part of the failed probes that makes their class. One odd sample at the edge of a fault does not.
MOSTLY = 0.25
# The least part of the other targets that can share a path: among very many something is always down.
SHARED = 0.1
# An exporter with CPU begins a probe within milliseconds of its scrape.
LATE_S, NEAR_MS = 0.5, 15_000
# Without a probe that ran into its time-out this is not known; Kubernetes' default timeoutSeconds is used.
USUAL_TIMEOUT_S = 1.0
NEAR = 0.8
# The first packet that is lost is sent again after a second.
AGAIN_S = 0.95


def _collect(ask: Ask) -> dict[str, MeasureResult]:
    targets = _targets(ask)
    mine = [t for t in targets if is_own(t, ask.scope)]
    own = [t for t in mine if t.http] or mine
    if not own:
        raise Refused(Text("no blackbox target carries the pod, service or instance of the incident"))
    start, end = onset_ms(ask.scope), fault_end_ms(ask.scope)
    _believe(ask, own, start, end)
    seen: Counter[str] = Counter()
    for target in own:
        seen += target.classes(start, end)
    results = _of_http(own, seen, start, end) if own[0].http else _of_tcp(own, seen)
    results["probe-slow-success"] = _slow(own, start, end)
    results["probe-peers-fail"] = _peers(own, targets, seen, (start, end))
    results["probe-recovered-fast"] = _recovered(own, start, end_ms(ask.scope))
    results["probe-observers-differ"] = _observers(own, start, end)
    if own[0].http:
        results["probe-tcp-passes"] = _tcp(own, targets, start, end)
    return results


def _of_http(own: list[ProbeTarget], seen: Counter[str], start: int, end: int) -> dict[str, MeasureResult]:
    """The phases and status codes of HTTP probes."""
    results = {slug: _in_class(slug, seen, own) for slug in CLASSES}
    results["probe-status-error"] = _status(results["probe-status-error"], own, start, end)
    results |= {slug: _code(slug, own, start, end) for slug in CODES}
    return results | {"probe-https": _https(own), "probe-connect-slow": _connecting(own, start, end)}


def _of_tcp(own: list[ProbeTarget], seen: Counter[str]) -> dict[str, MeasureResult]:
    """A probe that only connects has no phases: it waited, or it failed at once."""
    none = unmeasured(Text("{name} is probed by a module without phases of HTTP", name=own[0].name))
    phased = dict.fromkeys((*CLASSES, *CODES, "probe-https", "probe-connect-slow", "probe-tcp-passes"), none)
    return phased | {slug: _in_class(slug, seen, own) for slug in CONNECTING}


def _targets(ask: Ask) -> list[ProbeTarget]:
    """The targets of every declared exporter that answers. Raises the error of the first where none does."""
    declared = ask.scope.connections.blackbox
    if not declared:
        raise Refused(Text("no blackbox exporter is declared; declare it with [[blackbox]]"))
    found, errors = answers_of([partial(all_targets, ask, exporter) for exporter in declared])
    if errors and not found:
        raise errors[0]
    return [target for targets in found for target in targets]


def _believe(ask: Ask, own: list[ProbeTarget], start: int, end: int) -> None:
    """Raises Refused where the exporter itself was late when most of the probes failed."""
    exporters = {exporter.name: exporter for exporter in ask.scope.connections.blackbox}
    late: list[float] = []
    for target in own:
        known = _late(ask, exporters[target.exporter], target.name)
        late += [_late_at(at, known) for at in target.failing(start, end)]
    if sum(seconds >= LATE_S for seconds in late) * 2 > len(late):
        raise Refused(
            Text(
                "exporter {name} was itself up to {late_s:.1f} s late when its probes failed",
                name=own[0].exporter,
                late_s=max(late),
            )
        )


def _late(ask: Ask, exporter: BlackboxDecl, instance: str) -> dict[int, float]:
    try:
        return late_scrapes(ask, exporter, instance)
    except ProductError:
        return {}


def _late_at(at_ms: int, late: dict[int, float]) -> float:
    """By how many seconds the exporter was late around one time."""
    return max((seconds for at, seconds in late.items() if abs(at - at_ms) <= NEAR_MS), default=0.0)


def _observers(own: list[ProbeTarget], start: int, end: int) -> MeasureResult:
    """Whether another exporter reaches the same target while one does not."""
    by_name: dict[str, list[ProbeTarget]] = {}
    for target in own:
        by_name.setdefault(target.name, []).append(target)
    shared = [found for found in by_name.values() if len({t.exporter for t in found}) > 1]
    if not shared:
        why = Text("no second exporter probes the same target")
        return MeasureResult(None, why, why_unknown=why)
    failing = [[len(t.failing(start, end)) for t in found] for found in shared]
    differ = any(min(counts) <= MOSTLY * max(counts) for counts in failing if max(counts) > 1)
    yes = Text("Another exporter reaches {name} meanwhile.", name=shared[0][0].name)
    no = Text("The other exporters see the same of {name}.", name=shared[0][0].name)
    return MeasureResult(differ, yes if differ else no, float(len(shared)))


def _in_class(slug: str, seen: Counter[str], own: list[ProbeTarget]) -> MeasureResult:
    total, count = seen.total(), seen[slug]
    meaning = _meaning(slug, own)
    names = {slug: text.en for slug, text in CLASSES.items()}
    items = tuple(Item(names.get(found, found), float(times)) for found, times in sorted(seen.items()))
    yes = Text(
        "{count} of {total} failed probes of {name}: {meaning}.",
        count=count,
        total=total,
        name=own[0].name,
        meaning=meaning,
    )
    no = Text("None of {total} failed probes: {meaning}.", total=total, meaning=meaning)
    hit = _mostly(seen, slug)
    lines = [line for t in own for line in t.lines]
    return MeasureResult(hit, yes if hit else no, float(count), 0, own[0].name, items=items,
                series=chart(lines, lambda line: line.labels.get("phase", "total")) if hit else ())  # fmt: skip


def _meaning(slug: str, own: list[ProbeTarget]) -> Text:
    """With https TLS hides in two of the classes."""
    meaning = CLASSES[slug]
    if not _secure(own[0]) or slug not in HIDES_TLS:
        return meaning
    return Text("{meaning}, or its TLS handshake failed so", meaning=meaning)


def _code(slug: str, own: list[ProbeTarget], start: int, end: int) -> MeasureResult:
    wanted, meaning = CODES[slug]
    codes = [t.values.get("probe_http_status_code", {}).get(at, 0.0) for t in own for at in t.failing(start, end)]
    count = sum(code in wanted for code in codes)
    hit = count > 0 and count >= MOSTLY * len(codes)
    yes = Text("{count} of {total} failed probes: {meaning}.", count=count, total=len(codes), meaning=meaning)
    no = Text("None of {total} failed probes: {meaning}.", total=len(codes), meaning=meaning)
    return MeasureResult(hit, yes if count else no, float(count), 0, own[0].name)


def _slow(own: list[ProbeTarget], start: int, end: int) -> MeasureResult:
    """Successes that nearly took the time-out: the failures beside them are the same slowness, a little longer."""
    failed = [t.values.get("probe_duration_seconds", {}).get(at, 0.0) for t in own for at in t.failing(start, end)]
    limit = NEAR * max([USUAL_TIMEOUT_S, *failed])
    good = [d for t in own for d in t.succeeded(start, end)]
    if not good:
        why = Text("no probe succeeded in the window")
        return MeasureResult(None, why, why_unknown=why)
    slow = [d for d in good if d >= limit]
    sentence = Text(
        "{slow} of {succeeded} probes that succeeded took {limit_s:.1f} s or more once connected,"
        " the longest {longest_s:.2f} s.",
        slow=len(slow),
        succeeded=len(good),
        limit_s=limit,
        longest_s=max(good),
    )
    return MeasureResult(bool(slow), sentence, max(good), limit, own[0].name)


def _connecting(own: list[ProbeTarget], start: int, end: int) -> MeasureResult:
    """Connections that were made only after a packet was sent again: RFC 6298 waits a second before that."""
    times = [seconds for target in own for seconds in target.connected(start, end)]
    if not times:
        return unmeasured(Text("no probe succeeded in the window"))
    late = [seconds for seconds in times if seconds >= AGAIN_S]
    sentence = Text(
        "{late} of {succeeded} probes that succeeded needed {limit_s:.1f} s or more to connect.",
        late=len(late),
        succeeded=len(times),
        limit_s=AGAIN_S,
    )
    return MeasureResult(bool(late), sentence, max(times), AGAIN_S, own[0].name)


def _status(result: MeasureResult, own: list[ProbeTarget], start: int, end: int) -> MeasureResult:
    codes = [t.values.get("probe_http_status_code", {}).get(at, 0.0) for t in own for at in t.failing(start, end)]
    code = max((c for c in codes if c >= 400), default=0.0)
    if not result.seen or not code:
        return result
    sentence = Text("The target answers with status {code:.0f}.", code=code)
    return MeasureResult(True, sentence, code, 399, own[0].name, items=result.items, series=result.series)


def _https(own: list[ProbeTarget]) -> MeasureResult:
    seen = any(_secure(t) for t in own)
    return MeasureResult(seen, Text("The target is https.") if seen else Text("The target is http."))


def _secure(target: ProbeTarget) -> bool:
    return target.name.startswith("https://")


def _authority(name: str) -> str:
    return name.split("://", 1)[-1].split("/", 1)[0]


def _tcp(own: list[ProbeTarget], targets: list[ProbeTarget], start: int, end: int) -> MeasureResult:
    tcp = _tcp_targets(own, targets)
    if not tcp:
        why = Text("no tcp module probes the same port")
        return MeasureResult(None, Text("Whether a TCP connection succeeds is unknown."), why_unknown=why)
    failing = {at for target in own for at in target.failing(start, end)}
    bad = {at for target in tcp for at in target.failing(start, end)}
    passes = len(bad) <= 0.25 * max(1, len(failing))
    yes = Text("A TCP connection to the same port succeeds meanwhile.")
    no = Text("A TCP connection to the same port fails as well.")
    return MeasureResult(passes, yes if passes else no, float(len(bad)), None, tcp[0].name)


def _tcp_targets(own: list[ProbeTarget], targets: list[ProbeTarget]) -> list[ProbeTarget]:
    """The TCP probes of the same hosts and ports that have samples."""
    ports = {_authority(target.name) for target in own}
    same_port = [target for target in targets if not target.http and _authority(target.name) in ports]
    return [target for target in same_port if target.values.get("probe_success")]


def _peers(
    own: list[ProbeTarget], targets: list[ProbeTarget], seen: Counter[str], window: tuple[int, int]
) -> MeasureResult:
    """Whether other targets fail in the class in which most of the own probes failed."""
    if not seen:
        return _undecided(Text("there is no other target to compare with"))
    main = seen.most_common(1)[0][0]
    others = [target for target in targets if target.http and target not in own and _comparable(target, own, main)]
    if not others:
        return _undecided(Text("there is no other target to compare with"))
    spell = _spell(own, window)
    least = LASTING * sum(len(target.failing(*spell)) for target in own) / len(own)
    same = sum(_fails_alike(target, spell, main, least) for target in others)
    if same == 0:
        sentence = Text("The {targets} other targets do not fail in this way.", targets=len(others))
        return MeasureResult(False, sentence, 0.0, 0)
    if same < SHARED * len(others):
        why = Text(
            "{failing} of {targets} do, too few for a shared cause and too many to be none",
            failing=same,
            targets=len(others),
        )
        return _undecided(why)
    sentence = Text("{failing} of {targets} other targets fail in the same way.", failing=same, targets=len(others))
    return MeasureResult(True, sentence, float(same), 0)


def _spell(own: list[ProbeTarget], window: tuple[int, int]) -> tuple[int, int]:
    """From the first to the last failed probe, to a scrape."""
    times = [at for target in own for at in target.failing(*window)]
    return min(times) - NEAR_MS, max(times) + NEAR_MS


def _fails_alike(target: ProbeTarget, spell: tuple[int, int], main: str, least: float) -> bool:
    """Whether a target fails in the same way for as long at the same time: a shared cause does not fail one by one."""
    return len(target.failing(*spell)) >= least and _mostly(target.classes(*spell), main)


def _undecided(why: Text) -> MeasureResult:
    return MeasureResult(None, Text("Whether other targets fail too is unknown."), why_unknown=why)


def _comparable(other: ProbeTarget, own: list[ProbeTarget], main: str) -> bool:
    """Where TLS hides in the class, a target with TLS cannot be compared with one without."""
    return main not in HIDES_TLS or _secure(own[0]) or not _secure(other)


def _mostly(seen: Counter[str], slug: str) -> bool:
    """Whether this is how it fails."""
    return seen[slug] > 0 and seen[slug] >= MOSTLY * seen.total()


def _recovered(own: list[ProbeTarget], start: int, end: int) -> MeasureResult:
    times = sorted(at for t in own for at in t.failing(start, end))
    if not times:
        return MeasureResult(False, Text("No probe failed in the window."), 0.0, 120)
    lasted = (times[-1] - times[0]) / 1000
    over = lasted < 120 and end - times[-1] > 15_000
    yes = Text("The failures were over after {lasted_s:.0f} s.", lasted_s=lasted)
    no = Text("The failures lasted {lasted_s:.0f} s or still go on.", lasted_s=lasted)
    return MeasureResult(over, yes if over else no, lasted, 120, first_seen_at=moment(times[0]))


TIMES = Charted(Text("how long each probe took, by phase"), "s")
CHECK = Check(
    "blackbox-phases",
    Text("In which phase does the probe fail?"),
    (
        *(
            Measure(s, Text("Failed probes: {meaning}?", meaning=t), "probes", charted=TIMES)
            for s, t in CLASSES.items()
        ),
        *(Measure(s, Text("Failed probes: {meaning}?", meaning=t), "probes") for s, (_, t) in CODES.items()),
        Measure("probe-slow-success", Text("Do probes succeed only just?"), "s"),
        Measure("probe-connect-slow", Text("Are connections made only after a packet is sent again?"), "s"),
        Measure("probe-https", Text("Is the target https?")),
        Measure("probe-tcp-passes", Text("Does a TCP connection succeed?"), "probes"),
        Measure("probe-peers-fail", Text("Do other targets fail in the same way?"), "targets"),
        Measure("probe-observers-differ", Text("Does another exporter reach it?"), "targets"),
        Measure("probe-recovered-fast", Text("Was it over within two minutes?"), "s"),
    ),
    about_probes,
    _collect,
    needs=("blackbox", "prometheus"),
    metrics=("probe_success", "probe_duration_seconds"),
)
