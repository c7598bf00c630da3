"""The shapes of requests and answers; the OpenAPI schema follows from them."""

from typing import Any

from django.conf import settings
from drf_spectacular.utils import extend_schema_field, extend_schema_serializer
from rest_framework import serializers

from domain.alerts import Severity
from incidents import queries
from incidents.models import Change, Delivery, Incident
from notify.models import Outbox
from tickets.render import formats


class IncidentShape(serializers.ModelSerializer[Incident]):
    """One incident in a list."""

    severity = serializers.SerializerMethodField()
    entities = serializers.SerializerMethodField()

    class Meta:
        model = Incident
        fields = (
            "id", "number", "title", "state", "severity", "started_at", "suggested_at", "acknowledged_at",
            "acknowledged_by", "resolved_at", "reopened", "first_cause", "verdict_state", "entities",
        )  # fmt: skip

    def get_severity(self, row: Incident) -> str:
        """The severity's word."""
        return list(Severity)[row.severity].value

    def get_entities(self, row: Incident) -> list[str]:
        """Entity keys."""
        return sorted(entity.key for entity in row.entities.all())


class TieShape(serializers.ModelSerializer[Incident]):
    """Another incident, in a word."""

    url = serializers.SerializerMethodField()

    class Meta:
        model = Incident
        fields = ("id", "number", "title", "url")

    def get_url(self, row: Incident) -> str:
        """The address of its page."""
        return f"{settings.PUBLIC_URL}/incidents/{row.pk}/"


class SubjectShape(serializers.Serializer[Any]):
    """What some of the alerts are about, and of which family they are."""

    entity = serializers.CharField()
    family = serializers.CharField()


class OneIncidentShape(IncidentShape):
    """One incident, with those that it is tied to.

    `merged_into` has this one's alerts now. `follows` is one of the same entity that was over shortly before.
    """

    _known: queries.Ties | None = None
    merged_into = serializers.SerializerMethodField()
    merged = serializers.SerializerMethodField()
    follows = serializers.SerializerMethodField()
    followed_by = serializers.SerializerMethodField()
    subjects = serializers.SerializerMethodField()

    class Meta(IncidentShape.Meta):
        fields = (*IncidentShape.Meta.fields, "merged_into", "merged", "follows", "followed_by", "subjects")  # type: ignore[assignment]

    @extend_schema_field(TieShape(allow_null=True))
    def get_merged_into(self, row: Incident) -> dict[str, Any] | None:
        """The incident that has its alerts now."""
        return _tie(self._ties(row).merged_into)

    @extend_schema_field(TieShape(many=True))
    def get_merged(self, row: Incident) -> list[dict[str, Any]]:
        """The incidents that became part of this one."""
        return [TieShape(one).data for one in self._ties(row).merged]

    @extend_schema_field(TieShape(allow_null=True))
    def get_follows(self, row: Incident) -> dict[str, Any] | None:
        """The incident of the same entity that was over shortly before."""
        return _tie(self._ties(row).follows)

    @extend_schema_field(TieShape(many=True))
    def get_followed_by(self, row: Incident) -> list[dict[str, Any]]:
        """The incidents that began shortly after this one was over."""
        return [TieShape(one).data for one in self._ties(row).followed_by]

    @extend_schema_field(SubjectShape(many=True))
    def get_subjects(self, row: Incident) -> list[dict[str, str]]:
        """What its alerts are about, each once with the family of the failure."""
        return [{"entity": entity, "family": family} for entity, family in queries.subjects(row)]

    def _ties(self, row: Incident) -> queries.Ties:
        """Read once for all four fields."""
        if self._known is None:
            self._known = queries.ties(row)
        return self._known


def _tie(row: Incident | None) -> dict[str, Any] | None:
    return TieShape(row).data if row else None


class DeliveryShape(serializers.ModelSerializer[Delivery]):
    """A parked or dead delivery."""

    source = serializers.StringRelatedField[Any]()  # type: ignore[assignment]  # the stubs think of Field.source

    class Meta:
        model = Delivery
        fields = ("id", "source", "received_at", "state", "reason", "attempts")


class OutboxShape(serializers.ModelSerializer[Outbox]):
    """What has to be told to one target of one incident; `preview` is what a dry run would have sent."""

    incident = serializers.CharField(source="object")

    class Meta:
        model = Outbox
        fields = (
            "id", "target", "incident", "state", "revision", "sent_revision", "attempts", "reason", "wanted_at",
            "next_at", "sent_at", "key", "url", "preview",
        )  # fmt: skip


class RedriveShape(serializers.Serializer[Any]):
    """Which rows to send again: every one that waits or was refused, of one target."""

    target = serializers.CharField(max_length=140)


class FeedbackShape(serializers.Serializer[Any]):
    """A judgement of a cause."""

    kind = serializers.ChoiceField(["confirmed", "rejected", "corrected"])
    cause = serializers.CharField(max_length=60)
    fixed_by = serializers.CharField(max_length=300, required=False, default="", allow_blank=True)
    note = serializers.CharField(max_length=5000, required=False, default="", allow_blank=True)


class ChangeShape(serializers.Serializer[Any]):
    """A deploy, commit or configuration change."""

    kind = serializers.ChoiceField(["deploy", "commit", "config"])
    reference = serializers.CharField(max_length=200)
    title = serializers.CharField(max_length=300)
    at = serializers.DateTimeField()
    entities = serializers.ListField(
        child=serializers.CharField(max_length=500), max_length=100, required=False, default=list
    )
    url = serializers.URLField(max_length=500, required=False, default="", allow_blank=True)


# The name of its component in the published schema.
@extend_schema_serializer(component_name="ToldChangeShape")
class RecordedChangeShape(serializers.ModelSerializer[Change]):
    """A change as it was told, with the keys of the entities that it touched."""

    entities = serializers.SerializerMethodField()

    class Meta:
        model = Change
        fields = ("kind", "reference", "title", "at", "url", "entities")

    def get_entities(self, row: Change) -> list[str]:
        """Entity keys."""
        return sorted(entity.key for entity in row.entities.all())


class EnrichShape(serializers.Serializer[Any]):
    """How to find the incident of a ticket; any of the four."""

    ticket = serializers.CharField(max_length=255, required=False, allow_blank=True)
    labels = serializers.ListField(
        child=serializers.CharField(max_length=255, allow_blank=True), max_length=100, required=False
    )
    alert = serializers.DictField(required=False)
    incident = serializers.CharField(max_length=80, required=False, allow_blank=True)
    format = serializers.ChoiceField(sorted({"json", *formats()}), required=False, default="json")
    language = serializers.ChoiceField(["en", "zh"], required=False, default="en")
