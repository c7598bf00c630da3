"""What an alert source is: a kind, a pure parser, an example, and the text of its set-up page."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from domain.alerts import ParsedDelivery
from domain.connections import SourceDecl
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

    `parser(body, received_at, declared)` is pure and raises Malformed; `declared` is the source's own declaration.
    `setup(url, token)` returns the steps with both filled in.
    A source with `by_itself` is created by the watcher and has no token to hand out.
    """

    kind: str
    title: Text
    parser: Callable[[bytes, datetime, SourceDecl], ParsedDelivery]
    example: bytes
    setup: Callable[[str, str], tuple[SetupStep, ...]]
    by_itself: bool = False

    def parse(self, body: bytes, received_at: datetime, declared: SourceDecl | None = None) -> ParsedDelivery:
        """The alerts of one body, read as its source is declared. Raises Malformed."""
        return self.parser(body, received_at, declared or SourceDecl(kind=self.kind, name=""))
