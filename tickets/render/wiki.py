"""The report in Jira's wiki markup: characters of the markup become numeric entities, as Zabbix does."""

import re
from functools import partial

from tickets.render.form import Form
from tickets.render.markup import Markup, render_markup
from tickets.sanitize import one_line

_SPECIAL = re.compile(r"[{|}~_\\\[\]^<>?!#+*&@:-]")


def escaped(text: str) -> str:
    """Text that reads the same and formats nothing."""
    return _SPECIAL.sub(lambda found: f"&#{ord(found.group())};", one_line(text))


MARKS = Markup(
    plain=escaped,
    code=lambda text: f"{{{{{escaped(text)}}}}}",
    link=lambda text, url: f"[{text}|{url}]",
    title=lambda text: f"h2. {text}",
    headline=lambda text: f"*{text}*",
    item=lambda text, beneath: f"* {text}" + (f"\n** {beneath}" if beneath else ""),
    section=lambda level, title, items: "\n".join([f"h{level}. {title}", *items]),
    note=lambda text: text,
    whole=lambda blocks: "\n\n".join(blocks) + "\n",
)

FORM = Form("wiki", partial(render_markup, marks=MARKS), len)
