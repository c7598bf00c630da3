"""Ranks live and in a replay alike; marked recurrences are shown as similar but do not vote."""

from collections.abc import Sequence
from dataclasses import replace

from causes.rank import rank
from domain.findings import Finding
from domain.scope import Scope
from domain.similar import SimilarIncident
from domain.verdict import Verdict


def judge(scope: Scope, findings: Sequence[Finding], similar: Sequence[SimilarIncident]) -> Verdict:
    """The verdict. A recurrence repeats a recording, so its confirmed cause would give the answer away."""
    own = tuple(past for past in similar if not past.recurrence_of)
    return replace(rank(scope, findings, own), similar=tuple(similar))
