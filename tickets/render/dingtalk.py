"""The report in the Markdown of DingTalk robots: headings, bold, links, quotes and lists, parted by empty lines."""

from functools import partial

from tickets.render.form import Form, in_bytes
from tickets.render.full_width import escaped, unescaped_start
from tickets.render.markup import Markup, render_markup

MARKS = Markup(
    plain=escaped,
    # There is no code; a query that must be copied stands behind the link or on the incident's page.
    code=escaped,
    link=lambda text, url: f"[{text}]({url})",
    title=lambda text: f"### {unescaped_start(text)}",
    headline=lambda text: f"**{unescaped_start(text)}**",
    # Two spaces, as no sentence has: where it ends and its query begins is never in doubt.
    item=lambda text, beneath: f"- {text}" + (f"  · {beneath}" if beneath else ""),
    section=lambda level, title, items: f"**{unescaped_start(title)}**\n\n" + "\n".join(items),
    note=lambda text: text,
    whole="\n\n".join,
)

# A message may have 20,000 bytes; the rest is for its envelope.
FORM = Form("dingtalk", partial(render_markup, marks=MARKS), in_bytes, limit=18_000)
