"""The catalogue in Markdown, for docs/causes.md: `python -m causes.describe` puts it between the file's marks."""

import re
import sys
from collections.abc import Iterable
from itertools import groupby
from pathlib import Path

from causes.catalogue import all_causes
from causes.cause import LAYERS, Cause, Condition, Exclusion, Sentences, Term
from causes.families import FAMILIES

BEGIN, END = "<!-- catalogue: made by python -m causes.describe -->", "<!-- end of catalogue -->"
CONDITION_WORDS = {
    Condition.SEEN: "seen",
    Condition.NOT_SEEN: "not seen",
    Condition.OVER: "over",
    Condition.UNDER: "under",
}


def catalogue_text() -> str:
    """All causes by layer, each with its terms, and the families of measures."""
    ordered = sorted(all_causes().values(), key=lambda cause: (LAYERS.index(cause.layer), cause.slug))
    layers = [_layer_section(layer, causes) for layer, causes in groupby(ordered, key=lambda cause: cause.layer)]
    return "\n".join([*layers, _families_table()])


def with_catalogue(document: str) -> str:
    """The document with a new catalogue between its marks."""
    pattern = re.compile(f"{re.escape(BEGIN)}.*?{re.escape(END)}", re.DOTALL)
    return pattern.sub(lambda _: f"{BEGIN}\n\n{catalogue_text()}\n{END}", document)


def _layer_section(layer: str, causes: Iterable[Cause]) -> str:
    return "\n".join([f"## {layer.capitalize()}\n", *map(_cause_section, causes)])


def _cause_section(cause: Cause) -> str:
    return "\n".join([
        f"### {cause.slug}",
        "",
        f"{cause.title.en}. Prior {cause.prior:g} nats; culprit: {cause.about.value}.",
        f"Weights: {cause.weights_from}",
        "",
        "| measure | for | against | meaning if it holds |",
        "|---|---|---|---|",
        *(_term_row(term, cause.sentences[term.measure]) for term in cause.terms),
        "",
        *map(_exclusion_line, cause.exclusions),
        *_limits(cause),
        "",
        "Next steps:",
        "",
        *(f"1. {_step_text(step.en)}" for step in cause.next_steps),
        "",
        "References: " + ", ".join(f"<{url}>" for url in cause.references),
        "",
    ])  # fmt: skip


def _term_row(term: Term, sentences: Sentences) -> str:
    limit = f" {term.limit:g}" if term.limit is not None else ""
    condition = f"`{term.measure}` {CONDITION_WORDS[term.when]}{limit}"
    opposes = f"{term.opposes:g}" if term.opposes else ""
    return f"| {condition} | {term.supports:g} | {opposes} | {_cell(sentences.supports.en)} |"


def _exclusion_line(exclusion: Exclusion) -> str:
    outcomes = " and ".join(f"`{m}` {'seen' if seen else 'not seen'}" for m, seen in exclusion.when.items())
    return f"- Ruled out by {outcomes}: {exclusion.sentence.en}"


def _limits(cause: Cause) -> Iterable[str]:
    """What the cause needs, contributes to and follows, where its file names any."""
    if cause.needs:
        yield f"- Named only where one of these supports it: {', '.join(f'`{m}`' for m in sorted(cause.needs))}."
    if cause.narrows:
        yield f"- One kind of: {cause.narrows}."
    if cause.contributes_to:
        yield f"- Makes worse, and is no rival of: {', '.join(sorted(cause.contributes_to))}."
    if cause.may_follow:
        yield f"- Can be explained by an earlier fault of: {', '.join(sorted(k.value for k in cause.may_follow))}."


def _step_text(text: str) -> str:
    """A command as code, a sentence as it is."""
    return text if text.endswith(".") else f"`` {text} ``"


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def _families_table() -> str:
    rows = [f"| {name} | {', '.join(f'`{m}`' for m in sorted(measures))} |" for name, measures in FAMILIES.items()]
    return "\n".join(["## Measures that count once", "", "| measurement | read by |", "|---|---|", *rows, ""])


if __name__ == "__main__":
    path = Path(sys.argv[1] if len(sys.argv) > 1 else "docs/causes.md")
    path.write_text(with_catalogue(path.read_text(encoding="utf-8")), encoding="utf-8")
