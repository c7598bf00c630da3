"""What a target's form is, and the sentences that all forms share."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any
from urllib.parse import urlsplit

from domain.text import Text
from tickets.report import TITLE, URL, Report
from tickets.sanitize import clipped

# Jira refuses a comment above 32,767 characters; what is left is room for what Jira adds.
LIMIT = 25_000
REVISION = Text("Revision {revision}, looked at {as_of}")
OPEN = Text("Open the incident")
SHOW_QUERY = Text("Show the query")


@dataclass(frozen=True, slots=True)
class Form:
    """A named form: how it is made, how the target counts its length, and how much the target takes."""

    name: str
    render: Callable[[Report, str], Any]
    size: Callable[[Any], int]
    limit: int = LIMIT


def in_bytes(content: str) -> int:
    """The length as those count it that count what goes over the wire."""
    return len(content.encode())


def title_of(report: Report) -> str:
    """One line of at most 255 characters."""
    return clipped(f"#{report.number} {report.title}", TITLE)


def revision_of(report: Report, language: str) -> str:
    """Which verdict this is and when it was looked at; empty before the first."""
    if report.as_of is None:
        return ""
    when = report.as_of.strftime("%Y-%m-%d %H:%M:%SZ")
    return REVISION.format(revision=report.revision, as_of=when).in_language(language)


def safe_url(url: str) -> str:
    """The address if it is http or https, short enough, and holds nothing that ends a link; otherwise empty."""
    return url if len(url) <= URL and _good(url) else ""


@lru_cache(1_000)
def _good(url: str) -> bool:
    try:
        return bool(_ADDRESS.fullmatch(url) and urlsplit(url).hostname)
    except ValueError:
        return False


# What addresses are made of, without the characters that end a link in one of the forms: ' ( ) * [ ] ~
_ADDRESS = re.compile(r"https?://[!#$%&+,\-./0-9:;=?@A-Z_a-z]+")
