"""The report in the Markdown of WeCom group robots: headings, bold, links, inline code, quotes, and `<@user>`."""

from tickets.render.form import Form
from tickets.render.marks import Marks, written
from tickets.render.twins import code, escaped, within
from tickets.report import Report

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


def _render(report: Report, language: str) -> str:
    return written(report, language, MARKS)


FORM = Form("wecom", _render, lambda content: len(content.encode()), limit=4_096, unit="bytes")
