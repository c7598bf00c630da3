"""Untrusted text as one plain line of bounded length; whatever alters how other text is read is taken out."""

import unicodedata

ELLIPSIS = "…"


def one_line(text: str) -> str:
    """The text on one line: line ends, control characters and odd spaces are spaces, invisible marks are gone.

    Invisible marks (category Cf) are the zero-width characters and the switches of writing direction: they hide text
    and reorder what stands around them.
    """
    if not text.isprintable():
        text = "".join(_visible(c) for c in text)
    return " ".join(text.split())


def _visible(character: str) -> str:
    if character.isprintable():
        return character
    return "" if unicodedata.category(character) == "Cf" else " "


def clipped(text: str, limit: int) -> str:
    """One line of at most `limit` characters; what was cut is an ellipsis, and no accent loses its letter.

    Only the beginning of a very long text is looked at, so a megabyte costs no more than a page.
    """
    head = text[: 4 * limit]
    line = one_line(head)
    if len(line) <= limit:
        return line if len(head) == len(text) else f"{_cut(line, limit - 1)}{ELLIPSIS}"
    return f"{_cut(line, limit - 1)}{ELLIPSIS}"


def _cut(line: str, end: int) -> str:
    """At most `end` characters: before a letter whose accents would be lost, without a dangling space."""
    while 0 < end < len(line) and unicodedata.category(line[end]).startswith("M"):
        end -= 1
    return line[:end].rstrip()
