"""What an alert source is: a kind, a pure parser, an example, and the text of its set-up page."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime

from domain.alerts import ParsedDelivery
from domain.connections import SourceDecl
from domain.heartbeats import is_heartbeat
from domain.text import Text
from ingest.formats.sns import envelope_of, sent_at
from ingest.formats.times import YEARS

__all__ = ["YEARS", "AlertSource", "SetupStep", "clean", "sns_steps"]


def clean(text: str) -> str:
    """The text without NUL characters, which PostgreSQL cannot store."""
    return text.replace("\x00", "")


@dataclass(frozen=True, slots=True)
class SetupStep:
    """One step of setting a source up; `body` is text to copy, `filename` names it when it is a file."""

    title: Text
    body: str
    filename: str = ""


def sns_steps(kind: str, url: str, token: str) -> tuple[SetupStep, ...]:
    """The declaration of a topic of Amazon's SNS, and its subscription to the source's address."""
    arn, (scheme, _, rest) = "arn:aws:sns:eu-west-1:123456789012:alerts", url.partition("://")
    declared = f'[[source]]\nkind = "{kind}"\nname = "{url.rpartition("/")[2]}"\nsns_topic = "{arn}"\n'
    subscribe = (
        f"# {url}, with any user and the token before its host\n"
        f"aws sns subscribe --topic-arn {arn} --protocol {scheme} \\\n"
        f"  --notification-endpoint '{scheme}://incident-graph:{token}@{rest}'\n"
    )
    return (
        SetupStep(
            Text("By Amazon's SNS: declare the topic; only its messages are taken"), declared, "connections.toml"
        ),
        SetupStep(Text("Subscribe this address, which SNS must reach; the service confirms it by itself"), subscribe),
    )


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
        """The alerts of one body, read as its source is declared, without signs of life. Raises Malformed.

        A message that came by SNS is taken out of its envelope; one about the subscription itself holds no alerts.
        """
        own, envelope = declared or SourceDecl(kind=self.kind, name=""), envelope_of(body)
        if envelope is None:
            return _without_heartbeats(self.parser(body, received_at, own), own)
        if not envelope.is_message:
            return ParsedDelivery(())
        message = envelope.Message.encode()
        return _without_heartbeats(self.parser(message, sent_at(envelope, received_at), own), own)


def _without_heartbeats(parsed: ParsedDelivery, declared: SourceDecl) -> ParsedDelivery:
    names = declared.always_firing
    alerts = tuple(a for a in parsed.alerts if not is_heartbeat(a.name, a.labels, names))
    return parsed if len(alerts) == len(parsed.alerts) else replace(parsed, alerts=alerts)
