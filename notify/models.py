"""The tables of notifications: the outbox, the status of each target, and what ticket systems send back."""

import uuid

from django.db import models
from django.db.models import Q

from domain import codec
from domain.text import Text


class Outbox(models.Model):
    """What a target still has to be notified of: one row per target and object, the newest revision wins.

    `memory` is the target state: what the target's system keeps of the object between attempts. `last_sent` is the
    state of the incident in the last message, under the key `standing`. `preview` is what a dry run would have sent.
    None of them ever holds a secret.
    """

    class State(models.TextChoices):
        """Dead rows are shown and can be sent again."""

        WAITING = "waiting"
        DONE = "done"
        DEAD = "dead"

    target = models.CharField(max_length=140)
    object = models.CharField(max_length=80)
    revision = models.PositiveIntegerField(default=1)
    state = models.CharField(max_length=8, choices=State.choices, default=State.WAITING)
    attempts = models.PositiveIntegerField(default=0)
    lost = models.PositiveSmallIntegerField(default=0, help_text="workers in a row that never reported back")
    wanted_at = models.DateTimeField(null=True, blank=True, help_text="since when this waits")
    next_at = models.DateTimeField()
    claimed_until = models.DateTimeField(null=True, blank=True)
    tried_at = models.DateTimeField(null=True, blank=True)
    reason = models.TextField(blank=True, default="")
    sent_revision = models.PositiveIntegerField(default=0)
    sent_at = models.DateTimeField(null=True, blank=True)
    first_at = models.DateTimeField(null=True, blank=True, help_text="when the target was first told")
    key = models.CharField(max_length=255, blank=True, default="")
    url = models.CharField(max_length=500, blank=True, default="")
    sentence = models.JSONField(default=dict)
    memory = models.JSONField(default=dict)
    last_sent = models.JSONField(default=dict)
    preview = models.JSONField(default=list)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["target", "object"], name="one_row_per_object")]
        indexes = [
            models.Index(fields=["next_at"], name="outbox_waiting", condition=Q(state="waiting")),
            models.Index(fields=["target", "tried_at"], name="outbox_unsent", condition=~Q(state="done")),
            models.Index(fields=["target", "first_at"], name="outbox_first"),
            # How far each target knows of one incident.
            models.Index(fields=["object"], name="outbox_object"),
            # What the page shows unasked: not done, or what a dry run would have sent.
            models.Index(fields=["wanted_at"], name="outbox_shown", condition=~Q(state="done", preview=[])),
        ]

    def __str__(self) -> str:
        return f"{self.target} {self.object} r{self.revision}"

    @property
    def outcome(self) -> Text | None:
        """What the last attempt that succeeded did at the other side, and what it had to leave out."""
        return codec.convert(self.sentence, Text) if self.sentence else None


class TargetStatus(models.Model):
    """How one target is doing: its circuit breaker, its pace, and when it was last polled and last sent an event."""

    name = models.CharField(max_length=140, unique=True)
    failures = models.PositiveIntegerField(default=0, help_text="in a row")
    open_until = models.DateTimeField(null=True, blank=True, help_text="until then nothing is tried")
    slot_at = models.DateTimeField(null=True, blank=True, help_text="the next message not before")
    digest_at = models.DateTimeField(null=True, blank=True)
    reason = models.TextField(blank=True, default="")
    succeeded_at = models.DateTimeField(null=True, blank=True)
    failed_at = models.DateTimeField(null=True, blank=True)
    polled_at = models.DateTimeField(null=True, blank=True)
    event_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return self.name


class RequestCount(models.Model):
    """Answers of one target by status, since the beginning; 0 is no answer."""

    target = models.CharField(max_length=140)
    code = models.PositiveSmallIntegerField()
    count = models.PositiveBigIntegerField(default=0)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["target", "code"], name="one_count")]

    def __str__(self) -> str:
        return f"{self.target} {self.code}"


class InboundWebhook(models.Model):
    """The inbox: one genuine webhook of a ticket system, durable before it is answered."""

    class State(models.TextChoices):
        """As of a delivery."""

        NEW = "new"
        DONE = "done"
        PARKED = "parked"
        DEAD = "dead"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    target = models.CharField(max_length=140)
    received_at = models.DateTimeField()
    headers = models.JSONField(default=dict)
    body = models.BinaryField()
    state = models.CharField(max_length=8, choices=State.choices, default=State.NEW)
    reason = models.TextField(blank=True, default="")
    attempts = models.PositiveSmallIntegerField(default=0)
    claimed_until = models.DateTimeField(null=True, blank=True)

    class Meta:
        indexes = [models.Index(fields=["received_at"], name="heard_waiting", condition=Q(state="new"))]

    def __str__(self) -> str:
        return f"{self.target} {self.id}"


class AppliedTicketEvent(models.Model):
    """What a person did in a ticket, once per marker, whether it came by webhook or by poll."""

    target = models.CharField(max_length=140)
    marker = models.CharField(max_length=200)
    incident = models.ForeignKey("incidents.Incident", on_delete=models.CASCADE, related_name="ticket_events")
    verb = models.CharField(max_length=20)
    by = models.CharField(max_length=150)
    at = models.DateTimeField()
    value = models.CharField(max_length=200, blank=True, default="")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["target", "marker"], name="said_once")]

    def __str__(self) -> str:
        return f"{self.verb} by {self.by}"
