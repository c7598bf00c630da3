"""Which of the kubelet's own probes fail, and how often? Event counts are not failure counts; this metric is."""

from dataclasses import replace
from itertools import pairwise

from domain.errors import ProductError, Refused
from domain.text import Text
from evidence.check import PROBES, Ask, Charted, Check, Measure, MeasureResult, chart, measured_by, moment
from evidence.clients.kubernetes import of
from evidence.clients.prometheus import Line
from evidence.etcd_series import increase
from evidence.onset import end_ms, onset_ms
from evidence.pods import about_probes, ask_more, ask_pods, namespace
from evidence.probe_durations import BUCKETS, FEW, are_few, mostly_failed, slowest
from evidence.probe_specs import ours, probes_of

TYPES = {"Readiness": "kubelet-readiness-failing", "Liveness": "kubelet-liveness-failing",
         "Startup": "kubelet-startup-failing"}  # fmt: skip


NEAR = 0.8
TOGETHER = 0.5
# Two probes of one blocked handler fail at most a period apart; ten seconds is the default period.
BESIDE_MS = 15_000


def _collect(ask: Ask) -> dict[str, MeasureResult]:
    answered = ask_pods(ask, "prober_probe_total")
    start, end = onset_ms(ask.scope), end_ms(ask.scope)
    results = {slug: _failing(kind, answered.lines, start, end) for kind, slug in TYPES.items()}
    results["kubelet-probes-fail-together"] = _together(answered.lines, start, end)
    counted = {slug: replace(result, query=ask.query, connection=ask.connection) for slug, result in results.items()}
    return counted | measured_by(ask, ("kubelet-probe-near-timeout",), _near)


def _failing(kind: str, lines: tuple[Line, ...], start: int, end: int) -> MeasureResult:
    of_kind = [line for line in lines if line.labels.get("probe_type") == kind]
    failed = [line for line in of_kind if line.labels.get("result") == "failed" and line.points]
    if not of_kind:
        return MeasureResult(False, Text("The pod has no {probe} probe.", probe=PROBES[kind]), 0.0, 0)
    # A counter that begins within the window began at zero: its first value is already a count of failures.
    count = sum(increase(line, start, end) + _born(line, start) for line in failed)
    yes = Text("The kubelet's {probe} probe failed {count:.0f} times.", probe=PROBES[kind], count=count)
    no = Text("The kubelet's {probe} probe did not fail.", probe=PROBES[kind])
    first = min((line.points[0].at_ms for line in failed), default=None)
    return MeasureResult(count > 0, yes if count > 0 else no, count, 0, series=chart(failed, lambda line: kind),
                first_seen_at=moment(first) if count else None)  # fmt: skip


def _together(lines: tuple[Line, ...], start: int, end: int) -> MeasureResult:
    """Whether most liveness failures have a readiness failure beside them."""
    alive, ready = (_failures(lines, kind, start, end) for kind in ("Liveness", "Readiness"))
    if not alive:
        return MeasureResult(False, Text("Liveness did not fail."), 0.0, TOGETHER)
    beside = [any(pod == other and abs(at - r) <= BESIDE_MS for other, r in ready) for pod, at in alive]
    share = sum(beside) / len(beside)
    sentence = Text("{share:.0%} of the liveness failures have a readiness failure beside them.", share=share)
    return MeasureResult(share >= TOGETHER, sentence, share, TOGETHER)


def _failures(lines: tuple[Line, ...], kind: str, start: int, end: int) -> list[tuple[str, int]]:
    """Pods and times (epoch ms) at which the count of failures rose."""
    failed = [x for x in lines if x.labels.get("probe_type") == kind and x.labels.get("result") == "failed"]
    rises = [(x.labels.get("pod", ""), b) for x in failed for a, b in pairwise(x.points) if b.value > a.value]
    born = [(x.labels.get("pod", ""), x.points[0]) for x in failed if x.points and _born(x, start)]
    return [(pod, p.at_ms) for pod, p in born + rises if start <= p.at_ms <= end]


def _near(ask: Ask) -> dict[str, MeasureResult]:
    """Compared with timeoutSeconds where the API gives it. It is a second at least, so less than that is never near."""
    measured = slowest(ask_more(ask))
    if not measured:
        raise Refused(Text("the kubelet tells no durations of probes (prober_probe_duration_seconds)"))
    with ask.aside():
        known = _timeouts(ask)
    shares = {key: took / known.get(key, 1) for key, took in measured.items()}
    key = max(sorted(shares), key=lambda k: shares[k])
    if shares[key] >= NEAR and key not in known:
        raise Refused(
            Text(
                "{probe} probes take {took_s:.2f} s, and their timeoutSeconds is not known without the API",
                probe=key[0],
                took_s=measured[key],
            )
        )
    if shares[key] >= NEAR and mostly_failed(ask, key[0]):
        raise Refused(
            Text("most probes of this time failed, so the few that succeeded do not show what is usual for the route")
        )
    if shares[key] >= NEAR and are_few(ask_more(ask), key, known.get(key, 1)):
        raise Refused(FEW)
    limit, took_s = NEAR * known.get(key, 1), min(measured[key], float(known.get(key, 1)))
    sentence = Text("{probe} probes that succeed take up to {took_s:.3f} s (99 %).", probe=key[0], took_s=took_s)
    result = MeasureResult(shares[key] >= NEAR, sentence, took_s, limit, key[1])
    return {"kubelet-probe-near-timeout": result}


def _timeouts(ask: Ask) -> dict[tuple[str, str], int]:
    try:
        where = namespace(ask.scope)
        mine = ours(ask.kubernetes(of("api/v1", where, "pods")).pods(where), ask.scope)
    except ProductError:
        return {}
    return {(p.kind, p.container): p.timeout_s for pod in mine[:1] for p in probes_of(pod)}


def _born(line: Line, start: int) -> float:
    first = line.points[0]
    return first.value if first.at_ms >= start else 0.0


FAILED = Charted(Text("failed probes so far"))
CHECK = Check(
    "kubelet-probes",
    Text("Which kubelet probes fail?"),
    (
        *(
            Measure(slug, Text("Does the {probe} probe fail?", probe=PROBES[kind]), "failures", charted=FAILED)
            for kind, slug in TYPES.items()
        ),
        Measure(
            "kubelet-probe-near-timeout", Text("Do probes nearly take their timeout?"), "s",
            if_not=Text("Successful probes have room. Failed ones are not in this histogram."),
        ),
        Measure(
            "kubelet-probes-fail-together",
            Text("Do readiness and liveness fail together?"), "share",
        ),
    ),
    about_probes,
    _collect,
    needs=("prometheus", "kubernetes api"),
    cost=3,
    metrics=("prober_probe_total", BUCKETS),
)  # fmt: skip
