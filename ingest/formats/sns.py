"""The envelope in which Amazon's SNS posts a message. Whether its signature is right is seen in `ingest/sns.py`."""

from datetime import datetime
from typing import Literal

import msgspec

# Cheap to look for in every body; only an envelope has it as a key at its top.
_MARK = b'"TopicArn"'


class Envelope(msgspec.Struct, frozen=True):
    """The fields that are signed or needed, named as SNS names them."""

    Type: Literal["Notification", "SubscriptionConfirmation", "UnsubscribeConfirmation"]
    MessageId: str
    TopicArn: str
    Message: str
    Timestamp: str
    Signature: str = ""
    SigningCertURL: str = ""
    SignatureVersion: str = "1"
    Subject: str | None = None
    Token: str = ""
    SubscribeURL: str = ""

    @property
    def is_message(self) -> bool:
        """Whether somebody's message is inside; the other types are about the subscription itself."""
        return self.Type == "Notification"

    @property
    def signed_text(self) -> bytes:
        """What SNS signs: names and values, a line each, sorted by name; without a subject there is no such pair."""
        names = ["Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type"]
        if not self.is_message:
            names = ["Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type"]
        values = ((name, getattr(self, name)) for name in names)
        return "".join(f"{name}\n{value}\n" for name, value in values if value is not None).encode()


_DECODER = msgspec.json.Decoder(Envelope)


def envelope_of(body: bytes) -> Envelope | None:
    """The envelope around a message, None for a body that is none."""
    if _MARK not in body:
        return None
    try:
        return _DECODER.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None


def sent_at(envelope: Envelope, received_at: datetime) -> datetime:
    """When the message was published, the time of arrival where that is no time."""
    try:
        time = msgspec.convert(envelope.Timestamp, datetime, strict=False)
    except msgspec.ValidationError:
        return received_at
    return time if time.tzinfo is not None and abs((received_at - time).days) < 30 else received_at
