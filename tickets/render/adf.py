"""The report in Atlassian's document format, of those nodes only that Jira comments accept."""

from typing import Any

from tickets.render.form import OPEN, SHOW_QUERY, Form, revision_of, safe_url, title_of
from tickets.report import Line, Report, Section
from tickets.sanitize import one_line

Node = dict[str, Any]


def _text(text: str, *marks: Node) -> list[Node]:
    """A text node; Jira refuses empty ones, so nothing gives none."""
    line = one_line(text)
    if not line:
        return []
    return [{"type": "text", "text": line, **({"marks": list(marks)} if marks else {})}]


def _link_mark(url: str) -> Node:
    return {"type": "link", "attrs": {"href": url}}


def _paragraph(nodes: list[Node]) -> Node:
    return {"type": "paragraph", "content": nodes}


def _heading(level: int, text: str) -> Node:
    return {"type": "heading", "attrs": {"level": level}, "content": _text(text)}


def _item(line: Line, language: str) -> Node:
    url = safe_url(line.url)
    marks = [{"type": "code"}] if line.command else []
    content = [_paragraph(_text(line.text.in_language(language), *marks, *([_link_mark(url)] if url else [])))]
    return {"type": "listItem", "content": [*content, *_query(line, language)]}


def _query(line: Line, language: str) -> list[Node]:
    """A link that shows the query where it can be shown, otherwise its text."""
    if url := safe_url(line.query_url):
        return [_paragraph(_text(SHOW_QUERY.in_language(language), _link_mark(url)))]
    query = _text(line.query)
    return [{"type": "codeBlock", "content": query}] if query else []


def _section(section: Section, language: str) -> list[Node]:
    items = [_item(line, language) for line in section.lines]
    if section.more:
        items.append({"type": "listItem", "content": [_paragraph(_text(section.more.in_language(language)))]})
    heading = _heading(section.level, section.title.in_language(language))
    return [heading, {"type": "bulletList", "content": items}]


def _render(report: Report, language: str) -> Node:
    headline = _paragraph(_text(report.headline.in_language(language), {"type": "strong"}))
    content = [
        _heading(2, title_of(report)),
        {"type": "panel", "attrs": {"panelType": "info"}, "content": [headline]},
    ]
    for section in report.sections:
        content += _section(section, language)
    if report.more:
        content.append(_paragraph(_text(report.more.in_language(language))))
    if url := safe_url(report.url):
        content.append(_paragraph(_text(OPEN.in_language(language), _link_mark(url))))
    if revision := revision_of(report, language):
        content.append(_paragraph(_text(revision)))
    return {"type": "doc", "version": 1, "content": content}


def _size(node: Node) -> int:
    """Characters of the text form: what is read, its line ends, and the addresses of links."""
    own = len(node.get("text", "")) + sum(len(m.get("attrs", {}).get("href", "")) for m in node.get("marks", ()))
    return own + 1 + sum(_size(child) for child in node.get("content", ()))


FORM = Form("adf", _render, _size)
