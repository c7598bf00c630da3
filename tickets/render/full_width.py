"""Escaping for targets whose Markdown has none: characters of the markup are shown as their full-width forms."""

import re
from functools import lru_cache

from tickets.sanitize import one_line

_TWINS = str.maketrans({c: chr(ord(c) + 0xFEE0) for c in "*`<>[]@\\"})
# What begins a heading, a list or a quote does so only at the start of a line; emphasis only at the edge of a word.
_START = re.compile(r"^(?:[#+-]+|\d+(?=[.)]))")
_EDGE = re.compile(r"(?<![A-Za-z0-9])_|_(?![A-Za-z0-9])|~(?=~)|(?<=~)~")
_LINKED = re.compile(r"\b(https?|ftp|javascript|data|mailto|file):", re.IGNORECASE)
# In front of a name, a bracket would be a tag or a mention even within code.
_TAG = re.compile(r"<(?=[@/!A-Za-z])")
_MENTION = re.compile(r"@(?=\w)")


def _twin(found: re.Match[str]) -> str:
    return "".join(chr(ord(c) + 0xFEE0) for c in found.group())


@lru_cache(1_000)
def escaped(text: str) -> str:
    """Text that reads the same and formats nothing, links nothing, mentions nobody.

    Remembered, as a report is written several times until it fits.
    """
    line = _EDGE.sub(_twin, _START.sub(_twin, one_line(text).translate(_TWINS)))
    return _LINKED.sub(r"\1：", line)


def unescaped_start(text: str) -> str:
    """Escaped text for a place that is not the start of a line: its first characters are plain again."""
    return _STARTED.sub(lambda found: "".join(chr(ord(c) - 0xFEE0) for c in found.group()), text)


_STARTED = re.compile(r"^[＃＋－０-９]+")


def code(text: str) -> str:
    """Inline code; a backtick, a tag and a mention inside are shown in full width."""
    return f"`{_MENTION.sub('＠', _TAG.sub('＜', one_line(text).replace('`', '｀')))}`"
