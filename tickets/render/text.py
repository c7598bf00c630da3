"""The report as plain text, for mail and terminals."""

from tickets.render.form import OPEN, Form, one_line, revision_of, safe_url, title_of
from tickets.report import Line, Report


def _item(line: Line, language: str) -> str:
    url = safe_url(line.url)
    rest = [f"\n      {one_line(line.query)}"] if line.query.strip() else []
    rest += [f"\n      {url}"] if url else []
    return f"  - {one_line(line.text.in_language(language))}" + "".join(rest)


def _render(report: Report, language: str) -> str:
    blocks = [title_of(report), one_line(report.headline.in_language(language))]
    for section in report.sections:
        items = [_item(line, language) for line in section.lines]
        items += [f"  - {section.more.in_language(language)}"] if section.more else []
        blocks.append(one_line(section.title.in_language(language)) + "\n" + "\n".join(items))
    if url := safe_url(report.url):
        blocks.append(f"{OPEN.in_language(language)}: {url}")
    blocks.append(revision_of(report, language))
    return "\n\n".join(block for block in blocks if block) + "\n"


FORM = Form("text", _render, len)
