"""The report as a Feishu post: paragraphs of literal text and links, so there is nothing to escape."""

import json
from typing import Any

from tickets.render.form import OPEN, SHOW_QUERY, Form, in_bytes, revision_of, safe_url, title_of
from tickets.report import Line, Report
from tickets.sanitize import one_line

Tag = dict[str, Any]
Paragraph = list[Tag]


def _text(text: str, *style: str) -> Tag:
    return {"tag": "text", "text": one_line(text), **({"style": list(style)} if style else {})}


def _link_tag(text: str, url: str) -> Tag:
    return {"tag": "a", "text": one_line(text), "href": url} if url else _text(text)


def _item(line: Line, language: str) -> list[Paragraph]:
    paragraphs = [[_text("•"), _link_tag(line.text.in_language(language), safe_url(line.url))]]
    if url := safe_url(line.query_url):
        return [*paragraphs, [_link_tag(SHOW_QUERY.in_language(language), url)]]
    return [*paragraphs, [_text(line.query)]] if one_line(line.query) else paragraphs


def _render(report: Report, language: str) -> dict[str, Any]:
    paragraphs: list[Paragraph] = [[_text(report.headline.in_language(language), "bold")]]
    for section in report.sections:
        paragraphs.append([_text(section.title.in_language(language), "bold")])
        for line in section.lines:
            paragraphs += _item(line, language)
        paragraphs += [[_text("•"), _text(section.more.in_language(language))]] if section.more else []
    paragraphs += [[_text(report.more.in_language(language))]] if report.more else []
    if url := safe_url(report.url):
        paragraphs.append([_link_tag(OPEN.in_language(language), url)])
    if revision := revision_of(report, language):
        paragraphs.append([_text(revision)])
    return {"title": title_of(report), "content": paragraphs}


def _size(content: dict[str, Any]) -> int:
    return in_bytes(json.dumps(content, ensure_ascii=False, separators=(",", ":")))


# A message may have 20 kB; the rest is for its envelope.
FORM = Form("feishu", _render, _size, limit=18_000)
