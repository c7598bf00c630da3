"""The report in the Markdown of WeCom group robots.

Its subset knows headings, bold, links, inline code, quotes, colours and `<@user>`, but no way to escape them. So the
characters that mean something are shown as their full-width twins; inside code only those that end it or mention.
"""

import re
from functools import lru_cache

from tickets.plain import one_line
from tickets.render.form import Form
from tickets.render.marks import Marks, written
from tickets.report import Report

_TWINS = str.maketrans({c: chr(ord(c) + 0xFEE0) for c in "*`<>[]@\\"})
# In front of a name, a bracket would be a tag or a mention even within code.
_TAG = re.compile(r"<(?=[@/!A-Za-z])")
_MENTION = re.compile(r"@(?=\w)")
_HEADING = re.compile(r"^#+")
_LINKED = re.compile(r"(?i)\b(https?|ftp|javascript|data|mailto|file)(:)")


@lru_cache(1_000)
def escaped(text: str) -> str:
    """Text that reads the same and formats nothing, links nothing, mentions nobody.

    Remembered, as a report is written several times until it fits.
    """
    line = _HEADING.sub(lambda found: "＃" * len(found.group()), one_line(text).translate(_TWINS))
    return _LINKED.sub(r"\1：", line)


def code(text: str) -> str:
    """Inline code; a backtick, a tag and a mention inside are shown as their twins."""
    return f"`{_MENTION.sub('＠', _TAG.sub('＜', one_line(text).replace('`', '｀')))}`"


MARKS = Marks(
    plain=escaped,
    code=code,
    link=lambda text, url: f"[{text}]({url})",
    title=lambda text: f"## {text}",
    headline=lambda text: f"**{text}**",
    item=lambda text, beneath: f"> {text}" + (f" {beneath}" if beneath else ""),
    section=lambda level, title, items: "\n".join([f"**{title}**", *items]),
    note=lambda text: text,
    whole="\n".join,
)


def _render(report: Report, language: str) -> str:
    return written(report, language, MARKS)


FORM = Form("wecom", _render, lambda content: len(content.encode()), limit=4_096, unit="bytes")
