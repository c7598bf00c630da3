"""The contract of a notified system: what it is sent, what it may use for that, and what it gives back."""

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
    """Why a target is notified of an incident now; the dedup stage chooses it."""

    VERDICT = "verdict"
    CAUSE_CHANGED = "cause-changed"
    UPDATED = "updated"
    ACKNOWLEDGED = "acknowledged"
    CONFIRMED = "confirmed"
    RESOLVED = "resolved"
    REOPENED = "reopened"
    MERGED = "merged"
    DIGEST = "digest"


# The reasons that a target without edits is notified for; all others would be messages that nobody asked for.
LOUD = frozenset({Reason.VERDICT, Reason.CAUSE_CHANGED, Reason.RESOLVED, Reason.REOPENED, Reason.MERGED})


class TargetState(Protocol):
    """What one system keeps of one incident between two attempts: ticket key, comment id, digest of the content there.

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
    """What a target is notified of: one incident at one revision.

    `labels` are the keys and labels under which other systems may have opened a ticket already.
    `digest` holds the reports of further incidents of a storm, for the same message.
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
    """What a target has now: the object's key and address there, and one sentence on what was done."""

    key: str
    url: str
    sentence: Text


def _not_shown(method: str, address: str, body: str) -> None:
    del method, address, body


@dataclass(frozen=True, slots=True)
class Transport:
    """How a declared target is reached: its declaration, a client bound to its address, and its secrets by name.

    The client authenticates, verifies TLS, follows no redirect and reaches no other address;
    `tickets.transport.send_request` turns its httpx errors into ours. In a dry run it sends nothing that changes
    anything: it shows what would be sent and makes a response up. A system with another protocol than HTTP looks at
    `dry_run` and calls `show` itself.
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
    """What a person did in a ticket: `verb` is acknowledged, resolved, reopened, assigned or cause.

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
    """What keeps a connection from working, with the remedy, as its page shows it; not `fatal` if it still works."""

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
    """A successful response as most systems would give it, for a write that a dry run holds back."""
    made_up = {"id": MADE_UP, "key": MADE_UP, "ok": True, "errcode": 0, "code": 0, "ts": MADE_UP, "errmsg": "ok"}
    lists: dict[str, list[str]] = {name: [] for name in ("transitions", "comments", "issues", "result")}
    return httpx.Response(200 if request.method != "POST" else 201, json=made_up | lists, request=request)


@dataclass(frozen=True, slots=True)
class System:
    """A kind of ticket system or chat, found by walking `tickets.systems`.

    `notify` brings the target to the notification's revision, whatever it finds there: called twice it changes nothing
    more. It raises Unreachable (retry), NotYet (retry this incident alone), Refused (show, do not retry) or Malformed.
    `check` returns the problems of a declared target, and shows nothing to people there.
    `parse_webhook` returns the events of a webhook that `tickets.webhook_auth` found genuine, without our own; it gets
    the headers and the raw body, and raises Refused or Malformed.
    `poll_events` asks for the events of these ticket keys since a time, without our own.
    `section` is the table of the connections file that declares it: ticket, chat or source.
    `edits` is whether it follows every revision: it edits its message in place, or sends only what is new.
    `every_s` is the least time between two messages to one target, in seconds.
    `url` is where the client goes when the declaration names no address.
    `reads` is whether a request changes nothing, so that a dry run sends it too; `pretend` makes the response of those
    held back, and of every request whose path holds MADE_UP.
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
