"""Prints one incident's verdict on a terminal: causes with probability bars and their strongest terms."""

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
    """One result for the terminal. Untrusted text is passed as Drawn, so that no markup in it has an effect."""
    verdict, truth = result.verdict, result.recording.bundle.truth
    head = Drawn(f"#{result.incident.number} {result.recording.bundle.title}", style="bold")
    parts: list[RenderableType] = [Drawn(verdict.headline.en), _causes(result)]
    if truth:
        parts.append(_against_truth(result, truth.cause, truth.said_by))
    parts.append(Drawn(f"{address}/incidents/{result.incident.pk}/", style="dim"))
    return Padding(Group(head, Padding(Group(*parts), (0, 0, 0, INDENT))), (0, 0, 1, 0))


def tally(results: Sequence[Result]) -> Drawn:
    """One line that counts right, unknown and wrong verdicts."""
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
    """The cause; the first one with its strongest terms, without the one that is in the headline already."""
    if cause.position > 1:
        return Drawn(f"{cause.title.en} ({cause.cause})")
    text = Drawn(f"{cause.title.en} ({cause.cause})", style="bold")
    supporting = [t for t in cause.terms if t.outcome is Outcome.FOR and t.sentence.en not in headline]
    for term in sorted(supporting, key=lambda t: (-t.weight, t.measure))[:TERMS]:
        text.append(f"\n+ {term.sentence.en}", style="not bold")
    return text


def _against_truth(result: Result, cause: str, source: str) -> Drawn:
    """The recorded true cause beside the verdict; `source` is who or what established it."""
    if result.verdict.state is VerdictState.UNKNOWN:
        return Drawn(f"? honestly unknown; recorded truth: {cause} ({source})", style="yellow")
    if result.holds:
        return Drawn(f"✓ the recorded truth: {cause} ({source})", style="green")
    return Drawn(f"✗ recorded truth: {cause} ({source})", style="red")
