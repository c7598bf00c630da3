"""What does a probe from here find right now, step by step? By declared targets, and by the exporter's own words."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import httpx

from domain.connections import BlackboxDecl, ProbeTargetDecl
from domain.entities import EntityKind
from domain.errors import ProductError, Refused, Unreachable
from domain.findings import Item
from domain.scope import Scope
from domain.text import Text
from evidence.blackbox_targets import own_targets
from evidence.check import Ask, Check, Measure, MeasureResult, answers_of, unmeasured
from evidence.clients.live_probe import probe
from evidence.clients.probing import Outcome, Step
from evidence.kubelet_messages import classify
from evidence.pods import about_probes, workload

# More than these say nothing new, and each costs its time-out.
MOST = 3
ERROR = re.compile(r'level=error .*?\berr="((?:[^"\\]|\\.)*)"')
PHASE = re.compile(r'^probe_http_duration_seconds\{phase="connect"\} ([0-9.e+-]+)$', re.MULTILINE)
STATUS = re.compile(r"^probe_http_status_code ([0-9.e+]+)$", re.MULTILINE)
SUCCESS = re.compile(r"^probe_success ([01])$", re.MULTILINE)
# What an error of the exporter says about the steps; a deadline needs the connect phase beside it.
STEPS = {
    "event-dns": ("resolve", "no such name"), "event-refused": ("tcp", "refused"),
    "event-unreachable": ("tcp", "failed"), "event-dial-timeout": ("tcp", "timeout"),
    "event-tls-trust": ("tls", "untrusted"), "event-tls-timeout": ("tls", "timeout"),
    "event-scheme-mismatch": ("tls", "no TLS"), "event-reset": ("http", "reset"), "event-eof": ("http", "closed"),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Probed:
    """One probe: of whom, by whom, with which outcome."""

    name: str
    by: str
    outcome: Outcome


def _collect(ask: Ask) -> dict[str, MeasureResult]:
    found, errors = answers_of([*_declared(ask), *_exporters(ask)])
    if errors and not found:
        raise errors[0]
    if not found:
        raise Refused(
            Text(
                "nothing may be probed live; declare a [[target]] for it, or the `url` of its [[blackbox]]",
                "没有可主动探测的目标；请声明 [[target]]，或设置 [[blackbox]] 的 `url`",
            )
        )
    ask.query = "; ".join(f"PROBE {p.name}" for p in found)
    ask.connection, (ask.start, ask.end) = ", ".join(sorted({p.by for p in found})), (ask.scope.as_of, ask.scope.as_of)
    return {
        "live-probe-passes": _passes(found),
        "live-tcp-connects": _tcp(found),
        "live-tls-fails": _failed(found, "tls", {"untrusted", "timeout", "no TLS", "closed", "reset", "failed"}),
        "live-grpc-not-serving": _failed(found, "grpc", {"answered no"}),
        "live-refused": _failed(found, "tcp", {"refused"}),
        "live-dial-timeout": _failed(found, "tcp", {"timeout"}),
        "live-app-silent": _failed(found, "http", {"timeout"}, "grpc", "deadline exceeded"),
        "live-status-error": _failed(found, "http", {"answered no"}),
    }


def _declared(ask: Ask) -> list[Callable[[], Probed]]:
    """The declared targets that stand for the incident's things."""
    fitting = [t for t in ask.scope.connections.target if stands_for(t, ask.scope)][:MOST]
    return [partial(_probed, ask, target) for target in fitting]


def _probed(ask: Ask, target: ProbeTargetDecl) -> Probed:
    return Probed(target.name, target.name, probe(target, ask.transports))


def stands_for(target: ProbeTargetDecl, scope: Scope) -> bool:
    """Whether a target is one of the incident's pods, its workload or its service."""
    places = {(e.cluster, e.namespace) for e in scope.entities}
    if not any((not target.cluster or not c or target.cluster == c) and
               (not target.namespace or not n or target.namespace == n) for c, n in places):  # fmt: skip
        return False
    pods = {e.name for e in scope.of_kind(EntityKind.POD)}
    services = {e.name for e in scope.of_kind(EntityKind.SERVICE)}
    return bool(target.pod in pods if target.pod else target.service in services | {workload(scope)} - {""}
                if target.service else target.workload and target.workload == workload(scope))  # fmt: skip


def _exporters(ask: Ask) -> list[Callable[[], Probed]]:
    """The blackbox exporter says in words why a probe fails, where its series cannot tell the classes apart."""
    declared = [b for b in ask.scope.connections.blackbox if b.url][:1]
    if not declared:
        return []
    try:
        targets = own_targets(ask, declared[0])
    except ProductError:
        return []
    wanted = sorted({(t.name, t.labels.get("module", "")) for t in targets if t.labels.get("module")})[:MOST]
    return [partial(_debugged, ask, declared[0], name, module) for name, module in wanted]


def _debugged(ask: Ask, exporter: BlackboxDecl, target: str, module: str) -> Probed:
    params = {"target": target, "module": module, "debug": "true"}
    with ask.transports.client(exporter.name, exporter.url, exporter) as client:
        try:
            answer = client.get("probe", params=params)
        except httpx.HTTPError as error:
            raise Unreachable(
                Text(
                    f"the blackbox exporter cannot be reached ({type(error).__name__})",
                    f"无法访问 blackbox exporter（{type(error).__name__}）",
                )
            ) from error
    if answer.status_code != 200 or not SUCCESS.search(answer.text):
        raise Refused(
            Text(
                f"the blackbox exporter answered {answer.status_code} to a probe with module {module}",
                f"blackbox exporter 对模块 {module} 的探测返回 {answer.status_code}",
            )
        )
    return Probed(f"{target} ({module})", exporter.name, read_debug(answer.text, target))


def read_debug(text: str, target: str) -> Outcome:
    """The steps that the exporter's `debug=true` text tells of."""
    phase = PHASE.search(text)
    connected = bool(phase and float(phase.group(1)) > 0)
    success = SUCCESS.search(text)
    if success and success.group(1) == "1":
        return Outcome([Step(step=s, took_ms=0) for s in ("resolve", "tcp", "http" if "://" in target else "tcp")])
    errors = [e.replace('\\"', '"') for e in ERROR.findall(text)]
    slugs = classify("Unhealthy", errors[-1]).slugs if errors else ()
    code = STATUS.search(text)
    status = int(float(code.group(1))) if code else 0
    # No error and a good status: the exporter waited for the body in vain, or did not like it.
    plain = "failed" if errors else "answered no" if status >= 300 else "body not as wanted"
    step, error = STEPS.get(slugs[0] if slugs else "", ("http", plain))
    if "event-deadline" in slugs:
        # With https a stalled handshake leaves connect at zero as well; without it nothing but the wait is left.
        step, error = ("http", "timeout") if connected else ("tls" if target.startswith("https") else "tcp", "timeout")
    before = ("resolve", "tcp", "tls", "http")
    done = [Step(step=s, took_ms=0) for s in before[: before.index(step)] if s != "tls" or target.startswith("https")]
    return Outcome([*done, Step(step=step, took_ms=0, error=error, code=status)])


def _items(found: Sequence[Probed]) -> tuple[Item, ...]:
    return tuple(
        Item(f"{p.name}: {s.step}", s.took_ms, s.error or "well", bool(s.error)) for p in found for s in p.outcome.steps
    )


def _passes(found: Sequence[Probed]) -> MeasureResult:
    bad = [p for p in found if not p.outcome.passes]
    if not bad:
        sentence = Text(f"A probe of {found[0].name} from here passes now.", f"从此处探测 {found[0].name} 目前成功。")
        return MeasureResult(True, sentence, float(len(found)), subject=found[0].name, items=_items(found))
    last = bad[0].outcome.steps[-1] if bad[0].outcome.steps else Step(step="probe", took_ms=0, error="failed")
    code = f" ({last.code})" if last.code else ""
    sentence = Text(f"A probe of {bad[0].name} from here fails now at {last.step}: {last.error}{code}.",
                    f"从此处探测 {bad[0].name} 目前失败于 {last.step}：{last.error}{code}。")  # fmt: skip
    return MeasureResult(False, sentence, float(len(bad)), subject=bad[0].name, items=_items(found))


def _tcp(found: Sequence[Probed]) -> MeasureResult:
    tried = [(p, s) for p in found if (s := p.outcome.step("tcp"))]
    if not tried:
        return unmeasured(Text("no probe got as far as a connection", "没有探测到达连接阶段"))
    bad = [(p, s) for p, s in tried if s.error]
    name = (bad or tried)[0][0].name
    yes = Text(f"A TCP connection to {name} succeeds from here now.", f"目前可从此处建立到 {name} 的 TCP 连接。")
    no = Text(f"A TCP connection to {name} fails from here now: {bad[0][1].error if bad else ''}.",
              f"目前无法从此处建立到 {name} 的 TCP 连接：{bad[0][1].error if bad else ''}。")  # fmt: skip
    return MeasureResult(not bad, no if bad else yes, subject=name, items=_items(found))


def _failed(
    found: Sequence[Probed], step: str, errors: set[str], also: str = "", also_error: str = ""
) -> MeasureResult:
    """Whether a step failed with one of these words; unknown where no probe got as far."""
    tried = [(p, s) for p in found for s in p.outcome.steps if s.step in {step, also}]
    if not tried:
        return unmeasured(Text(f"no probe got as far as {step}", f"没有探测到达 {step} 阶段"))
    hits = [(p, s) for p, s in tried if (s.step == step and s.error in errors) or (also and s.error == also_error)]
    if not hits:
        return MeasureResult(
            False, Text(f"The step {step} does not fail so now.", f"{step} 阶段目前没有如此失败。"), 0.0, 0
        )
    target, last = hits[0]
    code = f" ({last.code})" if last.code else ""
    sentence = Text(f"{target.name} fails now at {last.step}: {last.error}{code}.",
                    f"{target.name} 目前失败于 {last.step}：{last.error}{code}。")  # fmt: skip
    return MeasureResult(True, sentence, float(last.code or len(hits)), 0, target.name, items=_items([target]))


NOW = Text("It is so now, at the look, from where this service runs; it was not necessarily so before.",
           "这是查看时从本服务所在处的结果，此前未必如此。")  # fmt: skip


def _measure(slug: str, en: str, zh: str) -> Measure:
    return Measure(slug, Text(en, zh), if_seen=NOW, if_not=NOW)


CHECK = Check(
    "live-probe",
    Text("What does a probe from here find now?", "现在从此处探测的结果如何？"),
    (
        _measure("live-probe-passes", "Does a probe from here pass?", "从此处探测是否成功？"),
        _measure("live-tcp-connects", "Does a TCP connection succeed?", "TCP 连接是否成功？"),
        _measure("live-tls-fails", "Does the TLS handshake fail?", "TLS 握手是否失败？"),
        _measure("live-grpc-not-serving", "Does gRPC health say no?", "gRPC 健康检查是否为否？"),
        _measure("live-refused", "Is the connection refused?", "连接是否被拒绝？"),
        _measure("live-dial-timeout", "Does the connection time out?", "连接是否超时？"),
        _measure("live-app-silent", "Does the application not answer in time?", "应用是否未按时应答？"),
        _measure("live-status-error", "Does it answer with an error status?", "是否返回错误状态？"),
    ),
    about_probes,
    _collect,
    needs=("target", "blackbox", "prometheus"),
    cost=2 * MOST + 1,
)
