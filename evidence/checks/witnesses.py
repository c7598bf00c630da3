"""Were the witnesses themselves well? A gap in the measuring is told before what was measured counts."""

from domain.errors import NotRecorded, ProductError, Refused
from domain.text import Text
from evidence.check import Ask, Check, Measure, MeasureResult, moment
from evidence.clients.prometheus import Line, matcher
from evidence.etcd_choice import etcd_of
from evidence.gaps import AGES, DOWN, FAILED, SHARE, Span, began_with, cuts, outages, pauses, worked_on
from evidence.onset import end_ms
from evidence.pods import about_probes, ask_any, pods_matcher

# A gap that lasts until the look is not over: nobody can say what happens behind it.
BACK_MS = 10_000


def _collect(ask: Ask) -> dict[str, MeasureResult]:
    return {"scrape-gap": _paused(ask) or _cut(ask)}


def _paused(ask: Ask) -> MeasureResult | None:
    """A pause of the metrics server with which the fault began; None where there was none, or nobody knows."""
    try:
        found = began_with(ask.scope, pauses(ask))
    except ProductError:
        return None
    if not found:
        return None
    last = found[-1]
    sentence = Text("No target at all was scraped for {lasted_s:.0f} s: the monitoring paused.", lasted_s=last.value)
    return MeasureResult(True, sentence, last.value, first_seen_at=moment(last.start_ms), query=AGES)


def _cut(ask: Ask) -> MeasureResult:
    """Scrapes that failed together although what they ask worked on."""
    found, what, query = _failed_together(ask)
    near = began_with(ask.scope, found)
    if not near:
        no = Text("No gap of the monitoring came with the onset.")
        return MeasureResult(False, no, max((s.value for s in found), default=0.0), SHARE, query=query)
    return _judged(ask, near[-1], what, query)


def _judged(ask: Ask, span: Span, what: Text, query: str) -> MeasureResult:
    if span.end_ms >= end_ms(ask.scope) - BACK_MS:
        raise Refused(Text("{what} fail until now, so nobody knows how it is behind them", what=what))
    on = worked_on(ask, span)
    if on is None:
        raise Refused(Text("{what} failed together, and whether it worked on meanwhile is not known", what=what))
    lasted_s = (span.end_ms - span.start_ms) / 1000
    yes = Text("{what} failed for {lasted_s:.0f} s, and it worked on meanwhile.", what=what, lasted_s=lasted_s)
    no = Text("{what} failed for {lasted_s:.0f} s because it did not work itself.", what=what, lasted_s=lasted_s)
    return MeasureResult(on, yes if on else no, span.value, SHARE, first_seen_at=moment(span.start_ms), query=query)


def _failed_together(ask: Ask) -> tuple[list[Span], Text, str]:
    """The times at which most scrapes of all targets failed, else all of the incident's own jobs."""
    everywhere = outages(ask)
    if everywhere:
        return everywhere, Text("The scrapes of all targets"), DOWN
    try:
        jobs = sorted({job for line in _own_targets(ask) if (job := line.labels.get("job"))})
        return cuts(ask, jobs), Text("All scrapes of job {jobs}", jobs=", ".join(jobs)), FAILED
    except (NotRecorded, Refused):
        return [], Text("The scrapes of all targets"), DOWN


def _own_targets(ask: Ask) -> tuple[Line, ...]:
    own = pods_matcher(ask.scope) if about_probes(ask.scope) else matcher(etcd_of(ask.scope).selector)
    return ask_any(ask, f"up{{{own}}}", step_s=60).lines


CHECK = Check(
    "witnesses",
    Text("Were the witnesses themselves well?"),
    (
        Measure(
            "scrape-gap", Text("Did the measuring itself have a gap?"), "share",
            if_seen=Text("The alert may speak of the monitoring and not of what it watches."),
            if_not=Text("A failed scrape at that time is a failure of its target."),
        ),
    ),
    lambda scope: bool(scope.entities),
    _collect,
    cost=6,
    metrics=("up",),
)  # fmt: skip
