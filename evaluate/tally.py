"""Draws one incident's verdict on a terminal: causes with probability bars and their strongest terms."""

from collections.abc import Sequence

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text as Drawn

from domain.verdict import Outcome, RankedCause, VerdictState
from evaluate.recordings import Result
from tickets.report import percent

BAR, CAUSES, TERMS, INDENT = 24, 3, 2, 3


def drawn(result: Result, address: str) -> RenderableType:
    """All untrusted text goes in as Drawn, so that no markup in it is obeyed."""
    verdict, truth = result.verdict, result.recording.bundle.truth
    head = Drawn(f"#{result.incident.number} {result.recording.bundle.title}", style="bold")
    parts: list[RenderableType] = [Drawn(verdict.headline.en), _causes(result)]
    if truth:
        parts.append(_against_truth(result, truth.cause, truth.said_by))
    parts.append(Drawn(f"{address}/incidents/{result.incident.pk}/", style="dim"))
    return Padding(Group(head, Padding(Group(*parts), (0, 0, 0, INDENT))), (0, 0, 1, 0))


def tally(results: Sequence[Result]) -> Drawn:
    """How many verdicts stand beside the recorded truth, an honest unknown told apart from a right answer."""
    wrong = sum(not result.holds for result in results)
    unknown = sum(result.verdict.state is VerdictState.UNKNOWN for result in results)
    counts = f"{len(results) - wrong - unknown} right, {unknown} honestly unknown, {wrong} wrong"
    return Drawn(f"{len(results)} recorded incidents: {counts}", style="bold red" if wrong else "bold green")


def _causes(result: Result) -> Table:
    table = Table(box=None, show_header=False, padding=(0, 1), pad_edge=False)
    for cause in result.verdict.causes[:CAUSES]:
        named = _named(cause, result.verdict.headline.en)
        table.add_row(Drawn(_bar(cause.probability)), Drawn(percent(cause.probability)), named)
    unknown = result.verdict.unknown_probability
    table.add_row(Drawn(_bar(unknown), style="dim"), Drawn(percent(unknown)), Drawn("unknown", style="dim"))
    return table


def _bar(probability: float) -> str:
    full = round(probability * BAR)
    return "█" * full + "·" * (BAR - full)


def _named(cause: RankedCause, headline: str) -> Drawn:
    """The cause, and under the first one its strongest terms beside the one that the headline says already."""
    said = [t for t in cause.terms if t.outcome is Outcome.FOR and t.sentence.en not in headline]
    strongest = sorted(said, key=lambda t: (-t.weight, t.measure))[:TERMS]
    text = Drawn(f"{cause.title.en} ({cause.cause})", style="bold" if cause.position == 1 else "")
    for term in strongest if cause.position == 1 else ():
        text.append(f"\n+ {term.sentence.en}", style="not bold")
    return text


def _against_truth(result: Result, cause: str, said_by: str) -> Drawn:
    if result.verdict.state is VerdictState.UNKNOWN:
        return Drawn(f"? honestly unknown; recorded truth: {cause} ({said_by})", style="yellow")
    if result.holds:
        return Drawn(f"✓ the recorded truth: {cause} ({said_by})", style="green")
    return Drawn(f"✗ recorded truth: {cause} ({said_by})", style="red")
