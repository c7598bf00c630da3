"""The report as plain text, for mail and terminals."""

from functools import partial

from tickets.render.form import Form
from tickets.render.markup import Markup, render_markup
from tickets.sanitize import one_line

MARKS = Markup(
    plain=one_line,
    code=one_line,
    link=lambda text, url: f"{text}: {url}",
    title=lambda text: text,
    headline=lambda text: text,
    item=lambda text, beneath: f"  - {text}" + (f"\n      {beneath}" if beneath else ""),
    section=lambda level, title, items: "\n".join([title, *items]),
    note=lambda text: text,
    whole=lambda blocks: "\n\n".join(blocks) + "\n",
)

FORM = Form("text", partial(render_markup, marks=MARKS), len)
