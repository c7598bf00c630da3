"""What the tests of notifications share: a clock that is moved, the tests' own systems, incidents with verdicts."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from django.utils import timezone

from connections import declare
from domain.alerts import AlertState, ParsedAlert, ParsedDelivery, Severity
from domain.connections import ChatDecl, Connections, TicketDecl
from domain.entities import EntityKind, EntityRef
from domain.text import Text
from domain.verdict import RankedCause, Verdict, VerdictState
from incidents import burst, deliveries, sources, verdicts
from incidents.models import Incident, Source
from notify.models import Outbox
from tests.fakes.minimal_systems import Board, Wall

START = datetime(2026, 3, 1, 12, tzinfo=UTC)


@dataclass(slots=True)
class ManualClock:
    """A clock that stands still until it is moved."""

    now: datetime = START

    def __call__(self) -> datetime:
        return self.now

    def move(self, **span: float) -> None:
        self.now += timedelta(**span)


def declared(**entries: Any) -> None:
    declare.declare(Connections(**{kind: [entry] for kind, entry in entries.items()}))


def ticket(board: Board, **more: Any) -> TicketDecl:
    return TicketDecl(kind="board", name="ops", url=board.url, mode="create-and-update", timeout_s=2.0, **more)


def chat(wall: Wall, **more: Any) -> ChatDecl:
    return ChatDecl(kind="shout", name="on-call", url=wall.url, timeout_s=2.0, **more)


def an_incident(
    name: str = "p1",
    state: AlertState = AlertState.FIRING,
    severity: Severity = Severity.HIGH,
    occurrence: str = "1",
    at: datetime | None = None,
) -> Incident:
    """An alert of a pod through the record's own functions: it opens, changes or resolves the pod's incident."""
    now = at or timezone.now()
    source = Source.objects.filter(name="prod").first() or sources.make_source("alertmanager", "prod")[0]
    delivery = deliveries.accept(source, b"{}", {}, now)
    pod = EntityRef(EntityKind.POD, name, "prod-a", "shop")
    ended = now if state is AlertState.RESOLVED else None
    alert = ParsedAlert(name, occurrence, state, "Probe", f"{name} fails", severity, now, ended, entities=(pod,))
    parsed = ParsedDelivery((alert,), ticket_labels=(f"ALERT{{{name}}}",))
    return burst.apply_burst([(delivery, parsed)], Connections())[0]


def judged(incident: Incident, cause: str = "etcd-slow-disk") -> None:
    look = incident.investigations.order_by("-pk").first()
    ranked = RankedCause(cause, "infrastructure", Text.rendered(cause, cause), 1, 0.9, ())
    verdict = Verdict(
        str(incident.pk), 1, VerdictState.RANKED, Text.rendered(f"It is {cause}", cause), timezone.now(), (ranked,), 0.1,
        (), (), (), "terms", "1", "sha256:" + "a" * 64,
    )  # fmt: skip
    verdicts.save_verdict(incident, look, verdict)


def row() -> Outbox:
    """The only row of the outbox that is not for the graph."""
    return Outbox.objects.get()
