"""The report in the Markdown of WeCom group robots: headings, bold, links, inline code, quotes, and `<@user>`."""

from functools import partial

from tickets.render.form import Form, in_bytes
from tickets.render.full_width import code, escaped, unescaped_start
from tickets.render.markup import Markup, render_markup

MARKS = Markup(
    plain=escaped,
    code=code,
    link=lambda text, url: f"[{text}]({url})",
    title=lambda text: f"## {unescaped_start(text)}",
    headline=lambda text: f"**{unescaped_start(text)}**",
    item=lambda text, beneath: f"> {text}" + (f" {beneath}" if beneath else ""),
    section=lambda level, title, items: "\n".join([f"**{unescaped_start(title)}**", *items]),
    note=lambda text: text,
    whole="\n".join,
)

FORM = Form("wecom", partial(render_markup, marks=MARKS), in_bytes, limit=4_096)
