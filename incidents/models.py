"""The tables of the record. Their constraints are in the database too."""

import uuid

from django.db import models
from django.db.models import Q
from django.utils.functional import cached_property

from incidents.caller_models import AnsweredCall, ApiToken, AuditEntry, LoginFailure, WatchLease
from incidents.entity_models import Change, Entity, EntityAlias, EntityRelation

__all__ = [
    "Alert",
    "AnsweredCall",
    "ApiToken",
    "AuditEntry",
    "Change",
    "Connection",
    "Delivery",
    "Entity",
    "EntityAlias",
    "EntityRelation",
    "Feedback",
    "GraphQueue",
    "Incident",
    "Investigation",
    "LoginFailure",
    "Source",
    "TicketLink",
    "VerdictRow",
    "WatchLease",
]


class Source(models.Model):
    """An alert source: one door with up to two live tokens, stored only as SHA-256."""

    kind = models.CharField(max_length=40)
    name = models.CharField(max_length=80)
    token_hash = models.CharField(max_length=64)
    old_token_hash = models.CharField(max_length=64, blank=True, default="")
    created_at = models.DateTimeField(auto_now_add=True)
    last_delivery_at = models.DateTimeField(null=True, blank=True)
    compared_at = models.DateTimeField(null=True, blank=True, help_text="when its own list was last compared")
    compared_to = models.CharField(max_length=20, blank=True, default="", help_text="the last event id of that list")
    tested_at = models.DateTimeField(null=True, blank=True, help_text="when the last test notification came")
    test_title = models.CharField(max_length=300, blank=True, default="")
    subscribed_at = models.DateTimeField(null=True, blank=True, help_text="when its subscription was confirmed")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["kind", "name"], name="one_source_of_a_name")]

    def __str__(self) -> str:
        return f"{self.kind}/{self.name}"

    @cached_property
    def recorded_from(self) -> str:
        """The path of the bundle with a recorded source's answers; empty for a real source."""
        row = Connection.objects.filter(kind="recorded", name=str(self)).first()
        return str(row.config["path"]) if row else ""


class Connection(models.Model):
    """One declared connection, as `apply` read it; secrets are only named, never held."""

    kind = models.CharField(max_length=40)
    name = models.CharField(max_length=130)  # of a recorded source: its kind, a slash, its name
    config = models.JSONField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["kind", "name"], name="one_connection_of_a_name")]

    def __str__(self) -> str:
        return f"{self.kind} {self.name}"


class Delivery(models.Model):
    """The inbox: one raw delivery, durable before it is answered. The row is the message."""

    class State(models.TextChoices):
        """New waits, done is in the record, parked cannot be understood, dead failed too often."""

        NEW = "new"
        DONE = "done"
        PARKED = "parked"
        DEAD = "dead"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    source = models.ForeignKey(Source, on_delete=models.PROTECT, related_name="deliveries")
    received_at = models.DateTimeField()
    headers = models.JSONField(default=dict)
    body = models.BinaryField()
    state = models.CharField(max_length=8, choices=State.choices, default=State.NEW)
    reason = models.TextField(blank=True, default="")
    attempts = models.PositiveSmallIntegerField(default=0)
    claimed_until = models.DateTimeField(null=True, blank=True)
    missing = models.PositiveIntegerField(default=0)

    class Meta:
        indexes = [
            # Only what waits or needs a person is looked for; done rows stay out of these two.
            models.Index(fields=["received_at"], name="delivery_waiting", condition=Q(state="new")),
            models.Index(fields=["received_at"], name="delivery_stuck", condition=Q(state__in=["parked", "dead"])),
            # Filled when a delivery is done, not at the door; retention finds the oldest deliveries by it.
            models.Index(fields=["received_at"], name="delivery_done", condition=Q(state="done")),
        ]

    def __str__(self) -> str:
        return str(self.id)


class Incident(models.Model):
    """Alerts that belong together, with the times of each phase."""

    class State(models.TextChoices):
        """Open while any member fires."""

        OPEN = "open"
        RESOLVED = "resolved"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    number = models.PositiveIntegerField(unique=True)
    title = models.CharField(max_length=300)
    state = models.CharField(max_length=8, choices=State.choices, default=State.OPEN)
    severity = models.PositiveSmallIntegerField(default=0, help_text="0 info to 4 critical")
    started_at = models.DateTimeField()
    opened_at = models.DateTimeField()
    last_alert_at = models.DateTimeField()
    suggested_at = models.DateTimeField(null=True, blank=True)
    acknowledged_at = models.DateTimeField(null=True, blank=True)
    acknowledged_by = models.CharField(max_length=150, blank=True, default="")
    resolved_at = models.DateTimeField(null=True, blank=True)
    closed_at = models.DateTimeField(null=True, blank=True, help_text="a person closed it; older alerts do not count")
    assigned_to = models.CharField(max_length=150, blank=True, default="")
    reopened = models.PositiveSmallIntegerField(default=0)
    recurrence_of = models.CharField(max_length=80, blank=True, default="")
    merged_into = models.ForeignKey(
        "self", null=True, blank=True, on_delete=models.SET_NULL, related_name="merged",
        help_text="the incident that has this one's alerts now, since a later alert joined the two",
    )  # fmt: skip
    follows = models.ForeignKey(
        "self", null=True, blank=True, on_delete=models.SET_NULL, related_name="followed_by",
        help_text="an incident of the same entity that was over shortly before this one began",
    )  # fmt: skip
    recorded_from = models.CharField(max_length=500, blank=True, default="")
    deliveries = models.ManyToManyField(Delivery, related_name="incidents")
    entities = models.ManyToManyField(Entity, related_name="incidents")
    first_cause = models.CharField(max_length=60, blank=True, default="")
    first_probability = models.FloatField(null=True, blank=True, help_text="of the first cause, 0 to 1")
    verdict_state = models.CharField(max_length=10, blank=True, default="")

    class Meta:
        indexes = [
            models.Index(fields=["-started_at", "-number"], name="incident_newest"),
            models.Index(fields=["state", "-started_at"], name="incident_by_state"),
            models.Index(fields=["first_cause", "-started_at"], name="incident_by_cause"),
            # A page that refreshes itself asks whether this column has a newer value.
            models.Index(fields=["-last_alert_at"], name="incident_latest"),
        ]
        constraints = [
            models.CheckConstraint(condition=Q(severity__lte=4), name="severity_0_to_4"),
            models.CheckConstraint(
                condition=Q(state="open") | Q(resolved_at__isnull=False), name="resolved_has_a_time"
            ),
        ]

    def __str__(self) -> str:
        return f"#{self.number} {self.title}"


class Alert(models.Model):
    """One occurrence of one alert; repeated and late messages change it, they never add another."""

    source = models.ForeignKey(Source, on_delete=models.PROTECT, related_name="alerts")
    identity = models.CharField(max_length=200)
    occurrence = models.CharField(max_length=64, blank=True, default="")
    firing = models.BooleanField()
    known_started = models.BooleanField(default=True, help_text="False while only an end or update was seen")
    name = models.CharField(max_length=300)
    title = models.TextField()
    severity = models.PositiveSmallIntegerField(default=0)
    started_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)
    last_seen_at = models.DateTimeField()
    parsed = models.BinaryField(help_text="the ParsedAlert as JSON")
    incident = models.ForeignKey(Incident, null=True, on_delete=models.CASCADE, related_name="alerts")
    joined_because = models.JSONField(default=dict)
    entities = models.ManyToManyField(Entity, related_name="alerts")
    subject = models.ForeignKey(Entity, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    family = models.CharField(max_length=20, blank=True, default="")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["source", "identity", "occurrence"], name="one_occurrence"),
            models.CheckConstraint(condition=Q(severity__lte=4), name="alert_severity_0_to_4"),
        ]
        indexes = [
            models.Index(fields=["source", "identity", "-started_at"], name="alert_latest"),
            # Tickets name an alert without its source.
            models.Index(fields=["identity", "-started_at"], name="alert_by_identity"),
        ]

    def __str__(self) -> str:
        return f"{self.name} {self.identity}"


class Investigation(models.Model):
    """One investigation of an incident: its findings and every recorded answer. Asked for, running, done or dead."""

    class State(models.TextChoices):
        """Asked for waits, running is leased by a worker, dead failed too often."""

        ASKED = "asked"
        RUNNING = "running"
        DONE = "done"
        DEAD = "dead"

    incident = models.ForeignKey(Incident, on_delete=models.CASCADE, related_name="investigations")
    state = models.CharField(max_length=8, choices=State.choices, default=State.ASKED)
    asked_at = models.DateTimeField()
    not_before = models.DateTimeField()
    as_of = models.DateTimeField(null=True, blank=True)
    claimed_until = models.DateTimeField(null=True, blank=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    reason = models.TextField(blank=True, default="")
    findings = models.BinaryField(default=b"[]")
    answers = models.BinaryField(default=b"")
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            # Coalescing: however many alerts come, at most one investigation waits per incident.
            models.UniqueConstraint(fields=["incident"], condition=Q(state="asked"), name="one_waiting"),
            models.UniqueConstraint(fields=["incident"], condition=Q(state="running"), name="one_running"),
        ]
        indexes = [models.Index(fields=["finished_at"], name="look_finished")]

    def __str__(self) -> str:
        return f"{self.incident_id} {self.state}"


class VerdictRow(models.Model):
    """One revision of the verdict, as the Verdict dataclass in JSON."""

    incident = models.ForeignKey(Incident, on_delete=models.CASCADE, related_name="verdicts")
    investigation = models.ForeignKey(Investigation, null=True, on_delete=models.SET_NULL)
    revision = models.PositiveIntegerField()
    body = models.BinaryField()
    created_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["incident", "revision"], name="one_revision")]

    def __str__(self) -> str:
        return f"{self.incident_id} r{self.revision}"


class Feedback(models.Model):
    """A person's feedback on a cause."""

    class Kind(models.TextChoices):
        """A correction confirms another cause than the first ranked one."""

        CONFIRMED = "confirmed"
        REJECTED = "rejected"
        CORRECTED = "corrected"

    incident = models.ForeignKey(Incident, on_delete=models.CASCADE, related_name="feedback")
    kind = models.CharField(max_length=10, choices=Kind.choices)
    cause = models.CharField(max_length=60)
    by = models.CharField(max_length=150)
    at = models.DateTimeField()
    fixed_by = models.CharField(max_length=300, blank=True, default="")
    note = models.TextField(blank=True, default="")

    def __str__(self) -> str:
        return f"{self.kind} {self.cause}"


class GraphQueue(models.Model):
    """An incident that must be written to the graph; the row is deleted when its newest revision is there."""

    incident = models.OneToOneField(Incident, on_delete=models.CASCADE, related_name="graph_queue")
    revision = models.UUIDField(default=uuid.uuid4, help_text="another one each time the incident changes")
    attempts = models.PositiveIntegerField(default=0)
    wanted_at = models.DateTimeField(help_text="since when this waits")
    next_at = models.DateTimeField(db_index=True)
    reason = models.TextField(blank=True, default="")

    def __str__(self) -> str:
        return str(self.incident_id)


class TicketLink(models.Model):
    """A ticket that tracks an incident, or the label by which one can be found.

    `target` is the ticket system's target, empty for a key or label that came with an alert.
    """

    incident = models.ForeignKey("incidents.Incident", on_delete=models.CASCADE, related_name="tickets")
    key = models.CharField(max_length=255, db_index=True)
    target = models.CharField(max_length=140, blank=True, default="")
    url = models.CharField(max_length=500, blank=True, default="")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["incident", "key"], name="one_link")]

    def __str__(self) -> str:
        return self.key
