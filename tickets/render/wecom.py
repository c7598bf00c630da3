"""The report in the Markdown of WeCom group robots: headings, bold, links, inline code, quotes, and `<@user>`."""

from functools import partial

from tickets.render.form import Form, in_bytes
from tickets.render.marks import Marks, written
from tickets.render.twins import code, escaped, within

MARKS = Marks(
    plain=escaped,
    code=code,
    link=lambda text, url: f"[{text}]({url})",
    title=lambda text: f"## {within(text)}",
    headline=lambda text: f"**{within(text)}**",
    item=lambda text, beneath: f"> {text}" + (f" {beneath}" if beneath else ""),
    section=lambda level, title, items: "\n".join([f"**{within(title)}**", *items]),
    note=lambda text: text,
    whole="\n".join,
)

FORM = Form("wecom", partial(written, marks=MARKS), in_bytes, limit=4_096)
