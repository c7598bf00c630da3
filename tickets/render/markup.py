"""Renders a report in a markup of lines: the walk over the report is shared, a markup gives the parts."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from tickets.render.form import OPEN, SHOW_QUERY, revision_of, safe_url, title_of
from tickets.report import Line, Report, Section


@dataclass(frozen=True, slots=True)
class Markup:
    """A markup. `plain` and `code` take untrusted text and escape it; all others take what these returned.

    `link` takes a text and a safe address; `item` a sentence and what stands beneath it, or nothing;
    `section` takes the level, the heading and the finished items; `whole` joins the blocks.
    """

    plain: Callable[[str], str]
    code: Callable[[str], str]
    link: Callable[[str, str], str]
    title: Callable[[str], str]
    headline: Callable[[str], str]
    item: Callable[[str, str], str]
    section: Callable[[int, str, Sequence[str]], str]
    note: Callable[[str], str]
    whole: Callable[[Sequence[str]], str]


def render_markup(report: Report, language: str, marks: Markup) -> str:
    """The report as text in the given markup and language."""
    headline = marks.plain(report.headline.in_language(language))
    notes = [marks.plain(report.more.in_language(language))] if report.more else []
    if url := safe_url(report.url):
        notes.append(marks.link(marks.plain(OPEN.in_language(language)), url))
    if revision := revision_of(report, language):
        notes.append(marks.plain(revision))
    return marks.whole([
        marks.title(marks.plain(title_of(report))),
        *([marks.headline(headline)] if headline else []),
        *(_section(section, language, marks) for section in report.sections),
        *(marks.note(note) for note in notes),
    ])  # fmt: skip


def _section(section: Section, language: str, marks: Markup) -> str:
    items = [_item(line, language, marks) for line in section.lines]
    items += [marks.item(marks.plain(section.more.in_language(language)), "")] if section.more else []
    return marks.section(section.level, marks.plain(section.title.in_language(language)), items)


def _item(line: Line, language: str, marks: Markup) -> str:
    sentence, url = line.text.in_language(language), safe_url(line.url)
    text = marks.code(sentence) if line.command else marks.plain(sentence)
    return marks.item(marks.link(text, url) if url and text else text, _query(line, language, marks))


def _query(line: Line, language: str, marks: Markup) -> str:
    """A link that shows the query where it can be shown, otherwise its text."""
    if url := safe_url(line.query_url):
        return marks.link(marks.plain(SHOW_QUERY.in_language(language)), url)
    return marks.code(line.query) if line.query.strip() else ""
