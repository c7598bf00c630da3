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


class Reason(StrEnum):
    """Why an incident is told of now; the quiet policy decides by it."""

    VERDICT = "verdict"
    CAUSE_CHANGED = "cause-changed"
    UPDATED = "updated"
    ACKNOWLEDGED = "acknowledged"
    CONFIRMED = "confirmed"
    RESOLVED = "resolved"
    REOPENED = "reopened"
    DIGEST = "digest"


# What a target that cannot edit is told; all else would be a message that nobody asked for.
LOUD = frozenset({Reason.VERDICT, Reason.CAUSE_CHANGED, Reason.RESOLVED, Reason.REOPENED})


class TargetState(Protocol):
    """What one system keeps of one incident between two attempts: ticket key, comment id, hash of what stands there.

    `put` is durable when it returns, so a process that dies after it finds it again. It raises Unreachable when
    another worker has taken over meanwhile: stop then. In a dry run nothing is kept.
    """

    def get(self, name: str) -> str:
        """The value, empty when nothing was kept."""
        ...

    def put(self, **values: str) -> None:
        """Keeps values; others stay."""
        ...


@dataclass(frozen=True, slots=True)
class Notification:
    """What has to be told of one incident at one revision.

    `labels` are the keys and labels under which other systems may have opened a ticket already.
    `digest` holds further incidents of a storm that are told in the same message.
    """

    snapshot: IncidentSnapshot
    report: Report
    revision: int
    reason: Reason
    language: str = "en"
    labels: tuple[str, ...] = ()
    digest: tuple[Report, ...] = ()


@dataclass(frozen=True, slots=True)
class Receipt:
    """What stands at the other side now: the object's key and address there, and one sentence of what was done."""

    key: str
    url: str
    sentence: Text


def _not_shown(method: str, address: str, body: str) -> None:
    del method, address, body


@dataclass(frozen=True, slots=True)
class Transport:
    """How a declared target is reached: its declaration, a client bound to its address, and its secrets by name.

    The client authenticates, verifies TLS, follows no redirect and reaches no other address; its httpx errors are
    told by `tickets.transport.json_of`. In a dry run it sends nothing that changes anything: it shows what would be
    sent and makes an answer up. Who speaks another protocol than HTTP looks at `dry_run` and calls `show` itself.
    `secret("webhook_secret")` is the content of the declaration's webhook_secret_file or webhook_secret_env,
    empty when neither is declared.
    """

    declared: Any
    client: httpx.Client
    secret: Callable[[str], str]
    now: datetime
    dry_run: bool = False
    show: Callable[[str, str, str], None] = _not_shown


@dataclass(frozen=True, slots=True)
class TicketEvent:
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
class Problem:
    """One thing that keeps a connection from working, with the remedy, as its page shows it."""

    sentence: Text
    fatal: bool = True


def _no_events(transport: Transport, headers: Mapping[str, str], body: bytes) -> Sequence[TicketEvent]:
    del transport, headers, body
    return ()


def _no_polled_events(transport: Transport, keys: Sequence[str], since: datetime) -> Sequence[TicketEvent]:
    del transport, keys, since
    return ()


def only_reads(request: httpx.Request) -> bool:
    """Whether a request changes nothing, so that a dry run may send it: GET and HEAD."""
    return request.method in {"GET", "HEAD"}


# A dry run's made-up objects carry this in their keys and ids.
MADE_UP = "DRYRUN-1"


def made_up_response(request: httpx.Request) -> httpx.Response:
    """A success as most systems would tell it, for a write that a dry run holds back."""
    made_up = {"id": MADE_UP, "key": MADE_UP, "ok": True, "errcode": 0, "code": 0, "ts": MADE_UP, "errmsg": "ok"}
    lists: dict[str, list[str]] = {name: [] for name in ("transitions", "comments", "issues", "result")}
    return httpx.Response(200 if request.method != "POST" else 201, json=made_up | lists, request=request)


@dataclass(frozen=True, slots=True)
class System:
    """A kind of ticket system or chat, found by walking `tickets.systems`.

    `notify` brings the other side to the notice's revision, whatever it finds there: called twice it changes nothing
    more. It raises Unreachable (again later), Refused (show, do not repeat) or Malformed.
    `parse_webhook` reads a webhook of the other side that the door found genuine (see `tickets.webhook_auth`); it raises Refused or
    Malformed, and leaves out what we did ourselves.
    `poll_events` asks for what happened to these tickets since a time.
    `section` is the table of the connections file that declares it: ticket, chat or source.
    `edits` says that it may follow every revision: what stands there is changed in place, or only what is new to it is
    told.
    `every_s` is the least time between two messages to one target, in seconds.
    `url` is where the client goes when the declaration names no address.
    `reads` says which requests change nothing and are sent in a dry run too; `pretend` answers those held back,
    and every request whose path holds MADE_UP.
    """

    kind: str
    section: str
    title: Text
    setup: Text
    notify: Callable[[Transport, Notification, TargetState], Receipt]
    check: Callable[[Transport], Sequence[Problem]]
    parse_webhook: Callable[[Transport, Mapping[str, str], bytes], Sequence[TicketEvent]] = _no_events
    poll_events: Callable[[Transport, Sequence[str], datetime], Sequence[TicketEvent]] = _no_polled_events
    edits: bool = False
    every_s: float = 0.0
    url: str = ""
    reads: Callable[[httpx.Request], bool] = only_reads
    pretend: Callable[[httpx.Request], httpx.Response] = made_up_response
