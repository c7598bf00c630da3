"""The report in the Markdown of DingTalk robots: headings, bold, links, quotes and lists, parted by empty lines."""

from functools import partial

from tickets.render.form import Form, in_bytes
from tickets.render.marks import Marks, written
from tickets.render.twins import escaped, within

MARKS = Marks(
    plain=escaped,
    # There is no code; a query that must be copied stands behind the link or on the incident's page.
    code=escaped,
    link=lambda text, url: f"[{text}]({url})",
    title=lambda text: f"### {within(text)}",
    headline=lambda text: f"**{within(text)}**",
    # Two spaces, as no sentence has: where it ends and its query begins is never in doubt.
    item=lambda text, beneath: f"- {text}" + (f"  · {beneath}" if beneath else ""),
    section=lambda level, title, items: f"**{within(title)}**\n\n" + "\n".join(items),
    note=lambda text: text,
    whole="\n\n".join,
)

# A message may have 20,000 bytes; the rest is for its envelope.
FORM = Form("dingtalk", partial(written, marks=MARKS), in_bytes, limit=18_000)
