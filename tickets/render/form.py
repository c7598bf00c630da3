"""What a target's form is, and the sentences that all forms share."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from domain.text import Text
from tickets.report import Report

TITLE_LIMIT = 255
REVISION = Text("Revision {revision}, looked at {as_of}", "第 {revision} 版，分析时间 {as_of}")
OPEN = Text("Open the incident", "打开事件页面")


@dataclass(frozen=True, slots=True)
class Form:
    """A named form: how it is made, and how the target counts its length in characters."""

    name: str
    render: Callable[[Report, str], Any]
    size: Callable[[Any], int]


def title_of(report: Report) -> str:
    """One line of at most 255 characters."""
    return one_line(f"#{report.number} {report.title}")[:TITLE_LIMIT]


def one_line(text: str) -> str:
    """Control characters and line ends as spaces: untrusted text may not start a new line or block."""
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())


def revision_of(report: Report, language: str) -> str:
    """Which verdict this is and when it was looked at; empty before the first."""
    if report.as_of is None:
        return ""
    when = report.as_of.strftime("%Y-%m-%d %H:%M:%SZ")
    return REVISION.format(revision=report.revision, as_of=when).in_language(language)


def safe_url(url: str) -> str:
    """The address if it is http or https and holds nothing that ends a link; otherwise empty."""
    try:
        good = urlsplit(url).scheme in {"http", "https"}
    except ValueError:
        return ""
    return url if good and not any(c in "<>\"'|[]{}()\\^`" or c.isspace() or not c.isprintable() for c in url) else ""
