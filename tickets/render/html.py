"""The report as an HTML fragment, for mail: no style, no script, no picture, nothing that is fetched."""

from functools import partial
from html import escape

from tickets.render.form import Form, in_bytes
from tickets.render.markup import Markup, render_markup
from tickets.sanitize import one_line


def escaped(text: str) -> str:
    """Text that reads the same and is no markup."""
    return escape(one_line(text))


MARKS = Markup(
    plain=escaped,
    code=lambda text: f"<code>{escaped(text)}</code>",
    link=lambda text, url: f'<a href="{escape(url)}" rel="noopener noreferrer">{text}</a>',
    title=lambda text: f'<h2 dir="auto">{text}</h2>',
    headline=lambda text: f'<p dir="auto"><strong>{text}</strong></p>',
    item=lambda text, beneath: f'<li dir="auto">{text}' + (f"<br>{beneath}</li>" if beneath else "</li>"),
    section=lambda level, title, items: (
        f'<h{level} dir="auto">{title}</h{level}>\n<ul>\n' + "\n".join(items) + "\n</ul>"
    ),
    note=lambda text: f"<p>{text}</p>",
    whole=lambda blocks: "\n".join(blocks) + "\n",
)

# Mail programs cut a message that is longer than about 100 kB.
FORM = Form("html", partial(render_markup, marks=MARKS), in_bytes, limit=90_000)
