"""Ranks the causes, the same way live and in a replay. Marked recurrences are shown as similar but do not count."""

from collections.abc import Sequence
from dataclasses import replace

from causes.rank import rank
from causes.unusual import unusual_findings
from domain.findings import Finding
from domain.scope import Scope
from domain.similar import SimilarIncident
from domain.verdict import Verdict
from evidence.collect import Collected


def with_unusual(scope: Scope, collected: Collected) -> Collected:
    """The findings, and those about series that are unusual against their own past."""
    more = unusual_findings(collected.findings, scope.started_at)
    return replace(collected, findings=tuple(sorted((*collected.findings, *more), key=lambda f: f.measure)))


def decide(scope: Scope, findings: Sequence[Finding], similar: Sequence[SimilarIncident]) -> Verdict:
    """The verdict. A recurrence repeats a recording, so its confirmed cause would reveal the answer and is left out."""
    own = tuple(past for past in similar if not past.recurrence_of)
    return replace(rank(scope, findings, own), similar=tuple(similar))
