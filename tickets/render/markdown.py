"""The report as Markdown (CommonMark): every character of untrusted text that could be markup is escaped."""

import re
from functools import partial

from tickets.render.form import Form
from tickets.render.markup import Markup, render_markup
from tickets.sanitize import one_line

_SPECIAL = re.compile(r"([\\`*_{}\[\]()<>#+\-.!|~^$:@&=])")


def escaped(text: str) -> str:
    """Text that reads the same and formats nothing, links nothing, mentions nobody."""
    return _SPECIAL.sub(r"\\\1", one_line(text))


def code(text: str) -> str:
    """A code span whose fence is longer than any run of backticks inside."""
    line = one_line(text)
    fence = "`" * (1 + max((len(run) for run in re.findall("`+", line)), default=0))
    return f"{fence} {line} {fence}" if "`" in line else f"{fence}{line}{fence}"


MARKS = Markup(
    plain=escaped,
    code=code,
    link=lambda text, url: f"[{text}](<{url}>)",
    title=lambda text: f"## {text}",
    headline=lambda text: f"**{text}**",
    item=lambda text, beneath: f"- {text}" + (f"  \n  {beneath}" if beneath else ""),
    section=lambda level, title, items: f"{'#' * level} {title}\n\n" + "\n".join(items),
    note=lambda text: text,
    whole=lambda blocks: "\n\n".join(block.rstrip("\n") for block in blocks) + "\n",
)

FORM = Form("markdown", partial(render_markup, marks=MARKS), len)
