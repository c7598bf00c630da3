"""The report as Markdown (CommonMark): every character of untrusted text that could mean something is escaped."""

import re

from tickets.render.form import OPEN, Form, one_line, revision_of, safe_url, title_of
from tickets.report import Line, Report

_MEANS = re.compile(r"([\\`*_{}\[\]()<>#+\-.!|~^$:@&=])")


def escaped(text: str) -> str:
    """Text that reads the same and formats nothing, links nothing, mentions nobody."""
    return _MEANS.sub(r"\\\1", one_line(text))


def code(text: str) -> str:
    """A code span whose fence is longer than any run of backticks inside."""
    line = one_line(text)
    fence = "`" * (1 + max((len(run) for run in re.findall("`+", line)), default=0))
    return f"{fence} {line} {fence}" if "`" in line else f"{fence}{line}{fence}"


def _item(line: Line, language: str) -> str:
    text = escaped(line.text.in_language(language))
    url = safe_url(line.url)
    text = f"[{text}](<{url}>)" if url else text
    return f"- {text}" + (f"  \n  {code(line.query)}" if line.query.strip() else "")


def _render(report: Report, language: str) -> str:
    headline = escaped(report.headline.in_language(language))
    blocks = [f"## {escaped(title_of(report))}", f"**{headline}**" if headline else ""]
    for section in report.sections:
        items = [_item(line, language) for line in section.lines]
        items += [f"- {escaped(section.more.in_language(language))}"] if section.more else []
        blocks.append(f"{'#' * section.level} {escaped(section.title.in_language(language))}\n\n" + "\n".join(items))
    if url := safe_url(report.url):
        blocks.append(f"[{escaped(OPEN.in_language(language))}](<{url}>)")
    blocks.append(escaped(revision_of(report, language)))
    return "\n\n".join(block for block in blocks if block) + "\n"


FORM = Form("markdown", _render, len)
