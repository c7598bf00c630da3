"""The report in Jira's wiki markup: characters that mean something become numeric entities, as Zabbix does."""

import re

from tickets.render.form import OPEN, Form, one_line, revision_of, safe_url, title_of
from tickets.report import Line, Report

_MEANS = re.compile(r"[{|}~_\\\[\]^<>?!#+*&@:-]")


def escaped(text: str) -> str:
    """Text that reads the same and formats nothing."""
    return _MEANS.sub(lambda found: f"&#{ord(found.group())};", one_line(text))


def _item(line: Line, language: str) -> str:
    text = escaped(line.text.in_language(language))
    url = safe_url(line.url)
    text = f"[{text}|{url}]" if url else text
    return f"* {text}" + (f"\n** {{{{{escaped(line.query)}}}}}" if line.query.strip() else "")


def _render(report: Report, language: str) -> str:
    headline = escaped(report.headline.in_language(language))
    blocks = [f"h2. {escaped(title_of(report))}", f"*{headline}*" if headline else ""]
    for section in report.sections:
        items = [_item(line, language) for line in section.lines]
        items += [f"* {escaped(section.more.in_language(language))}"] if section.more else []
        blocks.append(f"h{section.level}. {escaped(section.title.in_language(language))}\n" + "\n".join(items))
    if url := safe_url(report.url):
        blocks.append(f"[{escaped(OPEN.in_language(language))}|{url}]")
    blocks.append(escaped(revision_of(report, language)))
    return "\n\n".join(block for block in blocks if block) + "\n"


FORM = Form("wiki", _render, len)
