"""The report as plain JSON, for programs that draw it themselves."""

import json as standard_json
from typing import Any

from tickets.render.form import Form, revision_of, safe_url, title_of
from tickets.report import Report, Section
from tickets.sanitize import one_line


def _section(section: Section, language: str) -> dict[str, Any]:
    return {
        "title": one_line(section.title.in_language(language)),
        "items": [
            {
                "text": one_line(line.text.in_language(language)),
                "query": one_line(line.query),
                "url": safe_url(line.url),
                "query_url": safe_url(line.query_url),
                "command": line.command,
            }
            for line in section.lines
        ],
        "more": section.dropped,
    }


def _render(report: Report, language: str) -> dict[str, Any]:
    return {
        "title": title_of(report),
        "headline": one_line(report.headline.in_language(language)),
        "state": report.state.in_language(language),
        "url": safe_url(report.url),
        "revision": revision_of(report, language),
        "sections": [_section(section, language) for section in report.sections],
        "more": report.dropped,
    }


def _size(content: dict[str, Any]) -> int:
    return len(standard_json.dumps(content, ensure_ascii=False))


FORM = Form("json", _render, _size)
