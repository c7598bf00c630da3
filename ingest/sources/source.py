"""What an alert source is: a kind, a pure parser, an example, and the text of its set-up page."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from domain.alerts import ParsedDelivery
from domain.text import Text

# Times outside these years are a sender's zero value or an error; arithmetic on them would overflow.
YEARS = range(1971, 9000)


def clean(text: str) -> str:
    """The text without NUL characters, which PostgreSQL cannot store."""
    return text.replace("\x00", "")


@dataclass(frozen=True, slots=True)
class SetupStep:
    """One step of setting a source up; `body` is text to copy, `filename` names it when it is a file."""

    title: Text
    body: str
    filename: str = ""


@dataclass(frozen=True, slots=True)
class AlertSource:
    """A kind of alert source.

    `parse(body, received_at)` is pure and raises Malformed; `setup(url, token)` returns the steps with both filled in.
    A source with `by_itself` is created by the watcher and has no token to hand out.
    """

    kind: str
    title: Text
    parse: Callable[[bytes, datetime], ParsedDelivery]
    example: bytes
    setup: Callable[[str, str], tuple[SetupStep, ...]]
    by_itself: bool = False
