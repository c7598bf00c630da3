"""The catalogue in Markdown, for docs/causes.md: `python -m causes.describe` puts it between the file's marks."""

import re
import sys
from itertools import groupby
from pathlib import Path

from causes.catalogue import all_causes
from causes.cause import LAYERS, Cause, Condition, Exclusion, Sentences, Term
from causes.families import FAMILIES

BEGIN, END = "<!-- catalogue: made by python -m causes.describe -->", "<!-- end of catalogue -->"
WORDS = {Condition.SEEN: "seen", Condition.NOT_SEEN: "not seen", Condition.OVER: "over", Condition.UNDER: "under"}


def catalogue_text() -> str:
    """All causes by layer, each with its terms, and the families of measures."""
    ordered = sorted(all_causes().values(), key=lambda c: (LAYERS.index(c.layer), c.slug))
    parts = [
        f"## {layer.capitalize()}\n\n" + "\n".join(map(_cause, causes))
        for layer, causes in groupby(ordered, key=lambda c: c.layer)
    ]
    return "\n".join([*parts, _families()])


def with_catalogue(document: str) -> str:
    """The document with what stands between the marks replaced."""
    pattern = re.compile(f"{re.escape(BEGIN)}.*?{re.escape(END)}", re.DOTALL)
    return pattern.sub(lambda _: f"{BEGIN}\n\n{catalogue_text()}\n{END}", document)


def _cause(cause: Cause) -> str:
    lines = [f"### {cause.slug}", "", f"{cause.title.en}. Prior {cause.prior:g} nats; guilty: {cause.about.value}."]
    lines += [f"Weights: {cause.weights_from}", "", "| measure | for | against | it says |", "|---|---|---|---|"]
    lines += [_term(term, cause.sentences[term.measure]) for term in cause.terms]
    lines += ["", *(_ruled_out(e) for e in cause.exclusions)]
    if cause.needs:
        lines.append(f"- Named only where one of these speaks: {', '.join(f'`{m}`' for m in sorted(cause.needs))}.")
    if cause.contributes_to:
        lines.append(f"- Makes worse, and is no rival of: {', '.join(sorted(cause.contributes_to))}.")
    if cause.may_follow:
        lines.append(f"- Explained from below by: {', '.join(sorted(k.value for k in cause.may_follow))}.")
    lines += ["", "Next steps:", "", *(f"1. {_step(step.en)}" for step in cause.next_steps)]
    return "\n".join([*lines, "", "References: " + ", ".join(f"<{r}>" for r in cause.references), ""])


def _term(term: Term, sentences: Sentences) -> str:
    limit = f" {term.limit:g}" if term.limit is not None else ""
    against = f"{term.opposes:g}" if term.opposes else ""
    told = f"`{term.measure}` {WORDS[term.when]}{limit}"
    return f"| {told} | {term.supports:g} | {against} | {_cell(sentences.supports.en)} |"


def _ruled_out(exclusion: Exclusion) -> str:
    conditions = " and ".join(f"`{m}` {'seen' if seen else 'not seen'}" for m, seen in exclusion.when.items())
    return f"- Ruled out by {conditions}: {exclusion.sentence.en}"


def _step(text: str) -> str:
    """A command as code, a sentence as it is."""
    return text if text.endswith(".") else f"`` {text} ``"


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def _families() -> str:
    rows = [f"| {name} | {', '.join(f'`{m}`' for m in sorted(measures))} |" for name, measures in FAMILIES.items()]
    return "\n".join(["## Measures that count once", "", "| measurement | read by |", "|---|---|", *rows, ""])


if __name__ == "__main__":
    path = Path(sys.argv[1] if len(sys.argv) > 1 else "docs/causes.md")
    path.write_text(with_catalogue(path.read_text(encoding="utf-8")), encoding="utf-8")
