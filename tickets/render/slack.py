"""The report as Slack blocks, with the plain text that notifications show.

Slack escapes only `&`, `<` and `>`; other characters of its markup are shown in full width.
"""

import re
from collections.abc import Iterable
from typing import Any

from tickets.render.form import OPEN, SHOW_QUERY, Form, revision_of, safe_url, title_of
from tickets.report import Line, Report, Section
from tickets.sanitize import one_line

Block = dict[str, Any]

BLOCKS, SECTION, HEADER = 50, 3_000, 150
# Above about 13,000 characters Slack answers `msg_blocks_too_long`, which its reference does not mention.
LIMIT = 12_000

_ENTITIES = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;"})
_TWINS = str.maketrans({"*": "＊", "`": "｀", "~": "～"})
_EDGE = re.compile(r"(?<![A-Za-z0-9])_|_(?![A-Za-z0-9])")
_EMOJI = re.compile(r":(?=[A-Za-z0-9_+'-]+:)")
_MENTION = re.compile(r"@(?=\w)")


def escaped(text: str) -> str:
    """Text that reads the same and formats nothing, links nothing, mentions nobody."""
    line = one_line(text).translate(_TWINS)
    return _MENTION.sub("＠", _EMOJI.sub("：", _EDGE.sub("＿", line))).translate(_ENTITIES)


def code(text: str) -> str:
    """A code span; only its end and Slack's own brackets are markup inside."""
    return f"`{one_line(text).replace('`', '｀').translate(_ENTITIES)}`"


def _linked(text: str, url: str) -> str:
    """A link, or the text alone where the link would not fit into a section."""
    made = f"<{url.translate(_ENTITIES)}|{text}>"
    return made if len(made) < SECTION - 10 else text


def _lines(section: Section, language: str) -> Iterable[str]:
    for line in section.lines:
        yield f"• {_sentence(line, language)}"
        if query := _query(line, language):
            yield f"    {query}"
    if section.more:
        yield f"• {escaped(section.more.in_language(language))}"


def _sentence(line: Line, language: str) -> str:
    sentence, url = line.text.in_language(language), safe_url(line.url)
    text = code(sentence) if line.command else escaped(sentence)
    return _linked(text, url) if url and text else text


def _query(line: Line, language: str) -> str:
    if url := safe_url(line.query_url):
        return _linked(escaped(SHOW_QUERY.in_language(language)), url)
    return code(line.query) if line.query.strip() else ""


def _mrkdwn(text: str) -> Block:
    """Verbatim: Slack links and mentions nothing in it by itself."""
    return {"type": "mrkdwn", "text": text, "verbatim": True}


def _sections(lines: Iterable[str]) -> list[Block]:
    """Lines packed into as few blocks as their limit allows; a line is never parted."""
    packed: list[str] = []
    for line in lines:
        if packed and len(packed[-1]) + 1 + len(line) <= SECTION:
            packed[-1] = f"{packed[-1]}\n{line}"
        else:
            packed.append(line)
    return [{"type": "section", "text": _mrkdwn(text)} for text in packed]


def _render(report: Report, language: str) -> dict[str, Any]:
    title, headline = title_of(report), report.headline.in_language(language)
    blocks: list[Block] = [_header(title)] if len(title) <= HEADER else _sections([f"*{escaped(title)}*"])
    blocks += _sections([f"*{escaped(headline)}*"] if one_line(headline) else [])
    for section in report.sections:
        heading = f"*{escaped(section.title.in_language(language))}*"
        blocks += _sections([heading, *_lines(section, language)])
    if notes := _notes(report, language):
        blocks.append({"type": "context", "elements": [_mrkdwn(note) for note in notes]})
    return {"text": escaped(f"{title}: {headline}"), "blocks": blocks}


def _header(title: str) -> Block:
    return {"type": "header", "text": {"type": "plain_text", "text": title, "emoji": False}}


def _notes(report: Report, language: str) -> list[str]:
    notes = [escaped(report.more.in_language(language))] if report.more else []
    if url := safe_url(report.url):
        notes.append(_linked(escaped(OPEN.in_language(language)), url))
    revision = revision_of(report, language)
    return [*notes, escaped(revision)] if revision else notes


def _size(content: dict[str, Any]) -> int:
    """Characters of all texts, or the share of the 50 blocks in the same unit, whichever is more."""
    texts = sum(len(text["text"]) for block in content["blocks"] for text in block.get("elements", [block.get("text")]))
    return max(texts, len(content["blocks"]) * LIMIT // BLOCKS)


FORM = Form("slack", _render, _size, limit=LIMIT)
