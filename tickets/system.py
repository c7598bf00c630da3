"""What a system that is told of incidents is: one file, how it is told once and again, and what it says back."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Protocol

import httpx

from domain.snapshot import IncidentSnapshot
from domain.text import Text
from tickets.report import Report


class Occasion(StrEnum):
    """Why an incident is told of now; the quiet policy decides by it."""

    VERDICT = "verdict"
    CAUSE_CHANGED = "cause-changed"
    UPDATED = "updated"
    ACKNOWLEDGED = "acknowledged"
    CONFIRMED = "confirmed"
    RESOLVED = "resolved"
    REOPENED = "reopened"
    DIGEST = "digest"


class Memory(Protocol):
    """What one system keeps of one incident between two attempts: ticket key, comment id, hash of what stands there.

    `put` is durable when it returns, so a process that dies after it finds it again.
    """

    def get(self, name: str) -> str:
        """The value, empty when nothing was kept."""
        ...

    def put(self, **values: str) -> None:
        """Keeps values; others stay."""
        ...


@dataclass(frozen=True, slots=True)
class Notice:
    """What has to be told of one incident at one revision.

    `labels` are the keys and labels under which other systems may have opened a ticket already.
    `digest` holds further incidents of a storm that are told in the same message.
    """

    snapshot: IncidentSnapshot
    report: Report
    revision: int
    occasion: Occasion
    language: str = "en"
    labels: tuple[str, ...] = ()
    digest: tuple[Report, ...] = ()


@dataclass(frozen=True, slots=True)
class Receipt:
    """What stands at the other side now: the object's key and address there, and one sentence of what was done."""

    key: str
    url: str
    sentence: Text


@dataclass(frozen=True, slots=True)
class Means:
    """How a declared target is reached: its declaration, a client bound to its address, and its secrets by name.

    The client verifies TLS, follows no redirect and, in a dry run, sends nothing that changes anything.
    """

    declared: Any
    client: httpx.Client
    secret: Callable[[str], str]
    now: datetime


@dataclass(frozen=True, slots=True)
class Said:
    """What people did at the other side: `verb` is acknowledged, resolved, reopened, assigned or cause.

    `marker` makes a repeated event the same event; `value` is the cause's slug or the assignee.
    """

    key: str
    verb: str
    by: str
    at: datetime
    marker: str
    value: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True)
class Trouble:
    """One thing that keeps a connection from working, with the remedy, as its page shows it."""

    sentence: Text
    fatal: bool = True


def _nothing_said(means: Means, headers: Mapping[str, str], body: bytes) -> Sequence[Said]:
    del means, headers, body
    return ()


def _nothing_polled(means: Means, keys: Sequence[str], since: datetime) -> Sequence[Said]:
    del means, keys, since
    return ()


@dataclass(frozen=True, slots=True)
class System:
    """A kind of ticket system or chat, found by walking `tickets.systems`.

    `tell` brings the other side to the notice's revision, whatever it finds there: called twice it changes nothing
    more. It raises Unreachable (again later), Refused (show, do not repeat) or Malformed.
    `heard` reads a webhook of the other side, verifying it first (Refused when it is not genuine); `polled` asks.
    `section` is the table of the connections file that declares it: ticket or chat.
    """

    kind: str
    section: str
    title: Text
    setup: Text
    tell: Callable[[Means, Notice, Memory], Receipt]
    check: Callable[[Means], Sequence[Trouble]]
    heard: Callable[[Means, Mapping[str, str], bytes], Sequence[Said]] = _nothing_said
    polled: Callable[[Means, Sequence[str], datetime], Sequence[Said]] = _nothing_polled
    edits: bool = False
