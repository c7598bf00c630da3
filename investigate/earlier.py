"""What an earlier look of the same occurrence saw stays evidence, with its time, where this one cannot ask again."""

from collections.abc import Iterable, Sequence
from dataclasses import replace

from domain.findings import Finding
from domain.scope import Scope
from domain.text import Text
from evidence.onset import episode

# The times of the fault itself are those of this look.
FRESH = frozenset({"fault-began", "fault-over"})


def with_earlier(scope: Scope, findings: Sequence[Finding], earlier: Iterable[Finding]) -> tuple[Finding, ...]:
    """The findings; one that is unknown now gives way to what an earlier look of the same occurrence saw.

    What a later look measures and does not see is its own finding: only silence gives way.
    """
    since = episode(scope)[0].started_at
    seen = {f.measure: f for f in earlier if f.seen and f.to is not None and f.to > since and f.measure not in FRESH}
    return tuple(_kept(seen[f.measure]) if f.seen is None and f.measure in seen else f for f in findings)


def _kept(finding: Finding) -> Finding:
    """The finding with the time of its look, which its sentence names once."""
    if finding.kept_from is not None or finding.to is None:
        return finding
    sentence = Text("{sentence} That was at the look of {at}.", sentence=finding.sentence, at=f"{finding.to:%H:%M:%S}")
    return replace(finding, sentence=sentence, kept_from=finding.to)


def kept(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Those that come from earlier looks."""
    return tuple(f for f in findings if f.kept_from is not None)
