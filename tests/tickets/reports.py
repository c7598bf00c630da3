"""Snapshots to report on, small or as large as a test wants."""

from datetime import UTC, datetime

from domain.alerts import Severity
from domain.similar import SimilarIncident
from domain.snapshot import IncidentSnapshot
from domain.text import Text
from domain.verdict import Outcome, RankedCause, RuledOut, TermResult, Verdict, VerdictState

AT = datetime(2026, 11, 20, 8, 0, tzinfo=UTC)


def both(text: str) -> Text:
    return Text.rendered(text, f"中文 {text}")


def term(number: int, outcome: Outcome, text: str) -> TermResult:
    return TermResult(f"m{number}", outcome, 3.0 - number / 10, both(text), query=f'up{{job="{number}"}}')


def cause(position: int, text: str, terms: int = 4) -> RankedCause:
    pro = [term(n, Outcome.FOR, f"{text} for {n}") for n in range(terms)]
    contra = [term(n, Outcome.AGAINST, f"{text} against {n}") for n in range(terms)]
    steps = (both(f"{text} step"),)
    return RankedCause(f"c{position}", "network", both(text), position, 0.8 / position, (*pro, *contra), steps)


def similar(number: int, text: str = "earlier") -> SimilarIncident:
    return SimilarIncident(
        f"i{number}", f"{text} {number}", 0.7, (both("same member"),), "etcd-slow-disk", True, "new disk", 12,
        f"https://graph.example/incidents/{number}/",
    )  # fmt: skip


def verdict(text: str = "slow disk", causes: int = 5) -> Verdict:
    return Verdict(
        "i1", 3, VerdictState.RANKED, both(f"{text} headline"), AT, tuple(cause(n + 1, text) for n in range(causes)),
        0.1, (RuledOut("x", both(f"{text} is ruled out")),), (both(f"{text} is missing"),),
        tuple(similar(n) for n in range(5)), "rules", "1", "sha256:0",
    )  # fmt: skip


def snapshot(text: str = "slow disk", title: str = "etcd has no leader", *, judged: bool = True) -> IncidentSnapshot:
    return IncidentSnapshot(
        "i1", 7, title, "open", Severity.HIGH, AT, None, (), (), (), (), verdict(text) if judged else None,
        (), (), (), (), "https://graph.example/incidents/i1/",
    )  # fmt: skip
