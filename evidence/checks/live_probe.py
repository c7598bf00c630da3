"""What does a probe from here find right now, step by step? By declared targets, and by the exporter's own words."""

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
from evidence.blackbox_words import SUCCESS, read_debug
from evidence.certificates import EXPIRED, KINDS, NOT_YET_VALID, UNKNOWN_AUTHORITY, UNTRUSTED, WRONG_NAME
from evidence.check import Ask, Check, Measure, MeasureResult, answers_of, unmeasured
from evidence.clients.live_probe import probe
from evidence.clients.probing import Outcome, Step
from evidence.onset import is_over
from evidence.pods import about_probes, workload

# More than these add nothing new, and each costs its time-out.
MOST = 3
TLS_ERRORS = {UNTRUSTED, *KINDS, "timeout", "no TLS", "closed", "reset", "failed"}


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
        raise Refused(Text("nothing may be probed live; declare a [[target]] for it, or the `url` of its [[blackbox]]"))
    ask.query = "; ".join(f"PROBE {p.name}" for p in found)
    ask.connection, (ask.start, ask.end) = ", ".join(sorted({p.by for p in found})), (ask.scope.as_of, ask.scope.as_of)
    passes = _passes(found)
    if is_over(ask.scope) or passes.seen:
        return {"live-probe-passes": passes} | dict.fromkeys(STEPS_NOW, unmeasured(OVER))
    return {"live-probe-passes": passes} | {slug: _failed(found, *failure) for slug, failure in FAILURES.items()} | {
        "live-tcp-connects": _tcp(found),
        "live-app-silent": _failed(found, "http", {"timeout"}, "grpc", "deadline exceeded"),
    }  # fmt: skip


def _declared(ask: Ask) -> list[Callable[[], Probed]]:
    """The declared targets that belong to the incident's entities."""
    fitting = [t for t in ask.scope.connections.target if stands_for(t, ask.scope)][:MOST]
    return [partial(_probed, ask, target) for target in fitting]


def _probed(ask: Ask, target: ProbeTargetDecl) -> Probed:
    return Probed(target.name, target.name, probe(target, ask.transports))


def stands_for(target: ProbeTargetDecl, scope: Scope) -> bool:
    """Whether a target is one of the incident's pods, its workload or its service."""
    if not any(_may_be_in(target, e.cluster, e.namespace) for e in scope.entities):
        return False
    own = workload(scope)
    if target.pod:
        return target.pod in {e.name for e in scope.of_kind(EntityKind.POD)}
    if target.service:
        services = {e.name for e in scope.of_kind(EntityKind.SERVICE)}
        return target.service in services or target.service == own
    return bool(target.workload) and target.workload == own


def _may_be_in(target: ProbeTargetDecl, cluster: str, namespace: str) -> bool:
    """Whether the target's place does not contradict this one; an empty name fits every name."""
    fits_cluster = not target.cluster or not cluster or target.cluster == cluster
    fits_namespace = not target.namespace or not namespace or target.namespace == namespace
    return fits_cluster and fits_namespace


def _exporters(ask: Ask) -> Sequence[Callable[[], Probed]]:
    """The blackbox exporter describes why a probe fails, where its series cannot separate the classes."""
    declared = [exporter for exporter in ask.scope.connections.blackbox if exporter.url]
    return [partial(_debugged, ask, *asked) for exporter in declared for asked in _wanted(ask, exporter)][:MOST]


def _wanted(ask: Ask, exporter: BlackboxDecl) -> list[tuple[BlackboxDecl, str, str]]:
    """The incident's targets of an exporter with the modules that probe them; none where its series are not known."""
    try:
        targets = own_targets(ask, exporter)
    except ProductError:
        return []
    modules = sorted({(t.name, module) for t in targets if (module := t.labels.get("module"))})
    return [(exporter, name, module) for name, module in modules[:MOST]]


def _debugged(ask: Ask, exporter: BlackboxDecl, target: str, module: str) -> Probed:
    params = {"target": target, "module": module, "debug": "true"}
    with ask.transports.client(exporter.name, exporter.url, exporter) as client:
        try:
            answer = client.get("probe", params=params)
        except httpx.HTTPError as error:
            raise Unreachable(
                Text("the blackbox exporter cannot be reached ({error})", error=type(error).__name__)
            ) from error
    if answer.status_code != 200 or not SUCCESS.search(answer.text):
        raise Refused(
            Text(
                "the blackbox exporter answered {status} to a probe with module {module}",
                status=answer.status_code,
                module=module,
            )
        )
    return Probed(f"{target} ({module})", exporter.name, read_debug(answer.text, target))


def _items(found: Sequence[Probed]) -> tuple[Item, ...]:
    return tuple(
        Item(f"{p.name}: {s.step}", s.took_ms, s.error or "well", bool(s.error)) for p in found for s in p.outcome.steps
    )


def _passes(found: Sequence[Probed]) -> MeasureResult:
    bad = [p for p in found if not p.outcome.passes]
    if not bad:
        sentence = Text("A probe of {name} from here passes now.", name=found[0].name)
        return MeasureResult(True, sentence, float(len(found)), subject=found[0].name, items=_items(found))
    last = bad[0].outcome.steps[-1] if bad[0].outcome.steps else Step(step="probe", took_ms=0, error="failed")
    sentence = (
        Text("A probe of {name} from here fails now at {step}: {error} ({code}).", code=last.code)
        if last.code
        else Text("A probe of {name} from here fails now at {step}: {error}.")
    )
    sentence = sentence.format(name=bad[0].name, step=last.step, error=last.error)
    return MeasureResult(False, sentence, float(len(bad)), subject=bad[0].name, items=_items(found))


def _tcp(found: Sequence[Probed]) -> MeasureResult:
    tried = [(p, s) for p in found if (s := p.outcome.step("tcp"))]
    if not tried:
        return unmeasured(Text("no probe got as far as a connection"))
    bad = [(p, s) for p, s in tried if s.error]
    name = (bad or tried)[0][0].name
    yes = Text("A TCP connection to {name} succeeds from here now.", name=name)
    error = bad[0][1].error if bad else ""
    no = Text("A TCP connection to {name} fails from here now: {error}.", name=name, error=error)
    return MeasureResult(not bad, no if bad else yes, subject=name, items=_items(found))


def _failed(
    found: Sequence[Probed], step: str, errors: set[str], also: str = "", also_error: str = ""
) -> MeasureResult:
    """Whether a step failed with one of these words; unknown where no probe got as far."""
    tried = [(probed, s) for probed in found for s in probed.outcome.steps if s.step in {step, also}]
    if not tried:
        return unmeasured(Text("no probe got as far as {step}", step=step))
    failures = {(step, error) for error in errors}
    if also:
        failures.add((also, also_error))
    hits = [(probed, s) for probed, s in tried if (s.step, s.error) in failures]
    if not hits:
        return MeasureResult(False, Text("The step {step} does not fail so now.", step=step), 0.0, 0)
    target, last = hits[0]
    if last.code:
        sentence = Text("{name} fails now at {step}: {error} ({code}).", code=last.code)
    else:
        sentence = Text("{name} fails now at {step}: {error}.")
    sentence = sentence.format(name=target.name, step=last.step, error=last.error)
    return MeasureResult(True, sentence, float(last.code or len(hits)), 0, target.name, items=_items([target]))


# The step and the errors that each measure looks for.
FAILURES: dict[str, tuple[str, set[str]]] = {
    "live-tls-fails": ("tls", TLS_ERRORS), "live-tls-untrusted": ("tls", {UNTRUSTED, *KINDS}),
    "live-scheme-mismatch": ("tls", {"no TLS"}), "live-cert-expired": ("tls", {EXPIRED}),
    "live-cert-not-yet-valid": ("tls", {NOT_YET_VALID}), "live-cert-wrong-name": ("tls", {WRONG_NAME}),
    "live-cert-unknown-authority": ("tls", {UNKNOWN_AUTHORITY}), "live-grpc-not-serving": ("grpc", {"answered no"}),
    "live-refused": ("tcp", {"refused"}), "live-unreachable": ("tcp", {"unreachable"}),
    "live-forbidden": ("tcp", {"forbidden"}), "live-dial-timeout": ("tcp", {"timeout"}),
    "live-status-error": ("http", {"answered no"}),
}  # fmt: skip
STEPS_NOW = (*FAILURES, "live-tcp-connects", "live-app-silent")
OVER = Text("it passes or is over now, and what is found now says nothing of the time before")
NOW = Text("It is so now, at the look, from where this service runs; it was not necessarily so before.")


def _measure(slug: str, question: Text) -> Measure:
    return Measure(slug, question, if_seen=NOW, if_not=NOW)


CHECK = Check(
    "live-probe",
    Text("What does a probe from here find now?"),
    (
        _measure("live-probe-passes", Text("Does a probe from here pass?")),
        _measure("live-tcp-connects", Text("Does a TCP connection succeed?")),
        _measure("live-tls-fails", Text("Does the TLS handshake fail?")),
        _measure("live-tls-untrusted", Text("Is the certificate not trusted?")),
        _measure("live-scheme-mismatch", Text("Does the port not speak TLS?")),
        _measure("live-cert-expired", Text("Has the certificate expired?")),
        _measure("live-cert-not-yet-valid", Text("Is the certificate not valid yet?")),
        _measure("live-cert-wrong-name", Text("Is the certificate for another name?")),
        _measure("live-cert-unknown-authority", Text("Is the certificate's authority unknown?")),
        _measure("live-grpc-not-serving", Text("Does gRPC health say no?")),
        _measure("live-refused", Text("Is the connection refused?")),
        _measure("live-unreachable", Text("Is there no route?")),
        _measure("live-forbidden", Text("Is the connection forbidden?")),
        _measure("live-dial-timeout", Text("Does the connection time out?")),
        _measure("live-app-silent", Text("Does the application not answer in time?")),
        _measure("live-status-error", Text("Does it answer with an error status?")),
    ),
    about_probes,
    _collect,
    needs=("target", "blackbox", "prometheus"),
    cost=2 * MOST + 1,
)
