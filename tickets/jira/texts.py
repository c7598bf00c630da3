"""Texts as Jira takes them: documents in the Cloud, wiki markup in the Data Center, counted as Java counts."""

import hashlib
import json
from typing import Any

from domain.text import Text, listed
from tickets.render import LIMIT, Content, render
from tickets.render.form import safe_url
from tickets.render.wiki import escaped
from tickets.report import Report
from tickets.sanitize import one_line

TEXT_LIMIT, SUMMARY_LIMIT, LABEL_LIMIT = 32_767, 255, 255
SMALLEST = 500


def units(text: str) -> int:
    """Length in UTF-16 units: an emoji counts twice."""
    return len(text) + sum(character > "\uffff" for character in text)


def cut(text: str, limit: int) -> str:
    """One line of at most `limit` UTF-16 units, with an ellipsis for what is left out; no character is halved."""
    line = one_line(text)
    if units(line) <= limit:
        return line
    line = line[: limit - 1]
    while units(line) > limit - 1:
        line = line[:-1]
    return line.rstrip() + "…"


def summary(report: Report) -> str:
    """The ticket's title."""
    return cut(f"#{report.number} {report.title}", SUMMARY_LIMIT)


def comment_body(report: Report, cloud: bool, language: str) -> Content:
    """The report as a comment's body, within the limit however it is counted."""
    limit = LIMIT
    while True:
        content = render(report, "adf" if cloud else "wiki", language, limit)
        if size(content) <= TEXT_LIMIT or limit < SMALLEST:
            break
        limit //= 2
    return content if size(content) <= TEXT_LIMIT else lines([summary(report)], report.url, cloud)


def size(content: Content) -> int:
    """UTF-16 units of a text, or of a document with everything that it holds beside its text."""
    return units(content if isinstance(content, str) else _plain(content, links=True))


def plain(document: Any) -> str:
    """What a person reads of a comment's body, whichever kind it is."""
    return (
        document if isinstance(document, str) else _plain(document, links=False) if isinstance(document, dict) else ""
    )


def _plain(node: dict[str, Any], links: bool) -> str:
    marks = node.get("marks") or () if links else ()
    hidden = "".join(str(mark.get("attrs", {}).get("href", "")) for mark in marks)
    content = node.get("content")
    inner = "".join(_plain(n, links) for n in content if isinstance(n, dict)) if isinstance(content, list) else ""
    ends = "\n" if node.get("type") in {"paragraph", "heading", "codeBlock", "hardBreak"} else ""
    return f"{node.get('text', '')}{hidden}{inner}{ends}"


def lines(texts: list[str], url: str, cloud: bool) -> Content:
    """A few lines and a link, all untrusted: they format nothing."""
    shown = [line for text in texts if (line := cut(text, 1000))]
    link = safe_url(url)
    if not cloud:
        return "\n".join([*(escaped(line) for line in shown), *([f"[{link}]"] if link else [])])
    nodes = [{"type": "text", "text": line} for line in shown]
    linked = {"type": "text", "text": link, "marks": [{"type": "link", "attrs": {"href": link}}]}
    content = [{"type": "paragraph", "content": [node]} for node in (*nodes, *([linked] if link else []))]
    return {"type": "doc", "version": 1, "content": content}


def digest(content: Any) -> str:
    """The same for the same content."""
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode("utf-8", "surrogatepass")).hexdigest()[:32]


def joined(parts: list[Text]) -> Text:
    """Several sentences as one."""
    return listed(parts) if parts else Text("")
