"""The report as plain JSON, for programs that draw it themselves."""

import json as standard_json
from typing import Any

from tickets.render.form import Form, revision_of, safe_url, title_of
from tickets.report import Report, Section


def _section(section: Section, language: str) -> dict[str, Any]:
    return {
        "title": section.title.in_language(language),
        "items": [
            {"text": line.text.in_language(language), "query": line.query, "url": safe_url(line.url)}
            for line in section.lines
        ],
        "more": section.dropped,
    }


def _render(report: Report, language: str) -> dict[str, Any]:
    return {
        "title": title_of(report),
        "headline": report.headline.in_language(language),
        "state": report.state.in_language(language),
        "url": safe_url(report.url),
        "revision": revision_of(report, language),
        "sections": [_section(section, language) for section in report.sections],
    }


def _size(content: dict[str, Any]) -> int:
    return len(standard_json.dumps(content, ensure_ascii=False))


FORM = Form("json", _render, _size)
