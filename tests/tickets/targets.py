"""What the tests of chats share: a target with the product's own client, its state, and a notification."""

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from domain.connections import ChatDecl
from tests.tickets.reports import snapshot
from tickets.report import Report, build
from tickets.system import Notification, Problem, Reason, Receipt, System, Transport
from tickets.systems import all_systems
from tickets.transport import Attempt, Traffic, client, known_secrets, secrets_of


@dataclass
class Kept:
    """A target state that outlives an attempt."""

    values: dict[str, str] = field(default_factory=dict)

    def get(self, name: str) -> str:
        return self.values.get(name, "")

    def put(self, **values: str) -> None:
        self.values |= values


@dataclass
class Target:
    """A declared chat; each call is one attempt with a client of its own, as the workers make it."""

    declared: ChatDecl
    target_state: Kept = field(default_factory=Kept)
    traffic: Traffic = field(default_factory=Traffic)

    @property
    def system(self) -> System:
        return all_systems()[self.declared.kind]

    def transport(self) -> Transport:
        secret = secrets_of(self.declared, lambda name: "")
        self.traffic.secrets = known_secrets(secret)
        dry = self.declared.mode == "dry-run"
        reached = client(self.system, self.declared, secret, Attempt(self.traffic, dry_run=dry))
        return Transport(self.declared, reached, secret, datetime.now(UTC), dry, self.traffic.show)

    def notify(self, notification: Notification) -> Receipt:
        return self.system.notify(self.transport(), notification, self.target_state)

    def check(self) -> list[Problem]:
        return list(self.system.check(self.transport()))


def target(folder: Path, kind: str, *, address: str = "", secret: str = "", bearer: str = "", **more: Any) -> Target:
    """A target whose secrets stand in files."""
    for name, content in (("url", address), ("secret", secret), ("bearer", bearer)):
        if content:
            (folder / f"{kind}.{name}").write_text(content + "\n")
            more[f"{name}_file"] = str(folder / f"{kind}.{name}")
    return Target(ChatDecl(kind=kind, name="on-call", **{"timeout_s": 1.0, **more}))


def notification(
    revision: int = 1,
    reason: Reason = Reason.VERDICT,
    text: str = "slow disk",
    language: str = "en",
    digest: tuple[Report, ...] = (),
) -> Notification:
    """A notification of the tests' incident."""
    shown = snapshot(text, title=text)
    return Notification(shown, build(shown), revision, reason, language, digest=digest)


def another(number: int) -> Report:
    """A further incident of a storm."""
    return replace(build(snapshot()), number=number, url=f"https://graph.example/incidents/{number}/")
