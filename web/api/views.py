"""The API's reads and writes of incidents, causes, checks, changes and deliveries."""

from typing import Any

from django.core.exceptions import ValidationError as DjangoValidationError
from django.http import HttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.exceptions import NotFound, ValidationError
from rest_framework.pagination import CursorPagination
from rest_framework.request import Request
from rest_framework.response import Response

from causes.catalogue import all_causes
from domain import codec
from domain.verdict_json import to_contract
from evidence.checks import all_checks
from incidents import changes, deliveries, feedback, lifecycle, queries
from incidents.models import Incident
from ingest.tasks import nudge_delivery
from web.api.access import Api
from web.api.shapes import (
    ChangeShape,
    DeliveryShape,
    FeedbackShape,
    IncidentShape,
    OneIncidentShape,
    RecordedChangeShape,
)
from web.pages.incident import timeline
from web.pages.incident_list import filter_of

FILTERS = [
    OpenApiParameter(n, str) for n in ("state", "cause", "entity", "severity", "since", "until", "text", "cursor")
]
ANY = OpenApiTypes.OBJECT


class Newest(CursorPagination):
    """Newest first, 50 a page."""

    page_size = 50
    ordering = ("-started_at", "-number")

    def paginate_queryset(self, *args: Any, **kwargs: Any) -> Any:
        """One page. Raises NotFound for a cursor that was not given out here."""
        try:
            return super().paginate_queryset(*args, **kwargs)
        except (DjangoValidationError, ValueError, OverflowError) as error:
            raise NotFound(self.invalid_cursor_message) from error


class NewestDelivery(Newest):
    """Deliveries by arrival."""

    ordering = ("-received_at", "-id")


class NewestChange(Newest):
    """Changes by when they were made."""

    ordering = ("-at", "-id")


def found(incident_id: str) -> Incident:
    """The incident by id or number, the one that it became part of if it was merged, or 404."""
    return queries.survivor(named(incident_id))


def named(incident_id: str) -> Incident:
    """The incident by id or number, merged or not, or 404."""
    row = queries.incident(incident_id.replace("\0", ""))
    if row is None:
        raise NotFound(f"there is no incident {incident_id[:80]}")
    return row


class Incidents(Api):
    """incidents/"""

    @extend_schema(parameters=FILTERS, responses=IncidentShape(many=True))
    def get(self, request: Request) -> Response:
        """Incidents, newest first, narrowed by the same filters as the page."""
        pages = Newest()
        rows = pages.paginate_queryset(queries.incidents(filter_of(request.query_params)), request, view=self)
        return pages.get_paginated_response(IncidentShape(rows, many=True).data)


class OneIncident(Api):
    """incidents/{id}/"""

    @extend_schema(responses=OneIncidentShape)
    def get(self, request: Request, incident_id: str) -> Response:
        """One incident."""
        return Response(OneIncidentShape(named(incident_id)).data)


class OneVerdict(Api):
    """incidents/{id}/verdict/"""

    @extend_schema(responses=ANY, parameters=[OpenApiParameter("language", str, enum=["en", "zh"])])
    def get(self, request: Request, incident_id: str) -> Response:
        """The newest verdict with its terms; 404 until there is one."""
        verdict = queries.latest_verdict(found(incident_id))
        if verdict is None:
            raise NotFound("the incident has no verdict yet")
        language = "zh" if request.query_params.get("language") == "zh" else "en"
        return Response(to_contract(verdict, language))


class Timeline(Api):
    """incidents/{id}/timeline/"""

    @extend_schema(responses=ANY)
    def get(self, request: Request, incident_id: str) -> Response:
        """What happened, oldest first."""
        row = found(incident_id)
        moments = timeline(row, queries.changes(row), queries.confirmations(row))
        return Response([codec.in_two_languages(m) for m in moments])


class Similar(Api):
    """incidents/{id}/similar/"""

    @extend_schema(responses=ANY)
    def get(self, request: Request, incident_id: str) -> Response:
        """Similar past incidents with their written reasons."""
        verdict = queries.latest_verdict(found(incident_id))
        return Response([codec.in_two_languages(s) for s in verdict.similar] if verdict else [])


class GiveFeedback(Api):
    """incidents/{id}/feedback/"""

    @extend_schema(request=FeedbackShape, responses={201: ANY})
    def post(self, request: Request, incident_id: str) -> Response:
        """Confirm, reject or correct a cause."""
        row = found(incident_id)
        asked = FeedbackShape(data=request.data)
        asked.is_valid(raise_exception=True)
        fields: dict[str, Any] = asked.validated_data
        if fields["cause"] not in all_causes():
            raise ValidationError({"cause": ["not in the catalogue; see /api/v1/causes/"]})
        entry = feedback.add(row, request.user.get_username(), **fields)
        return Response({"id": entry.pk, "kind": entry.kind, "cause": entry.cause}, status=201)


class Acknowledge(Api):
    """incidents/{id}/acknowledge/"""

    @extend_schema(request=None, responses=IncidentShape)
    def post(self, request: Request, incident_id: str) -> Response:
        """Somebody looks at it; the first one counts, so it may be sent again."""
        lifecycle.acknowledge(found(incident_id), request.user.get_username())
        return Response(IncidentShape(found(incident_id)).data)


class Causes(Api):
    """causes/"""

    @extend_schema(responses=ANY)
    def get(self, request: Request) -> Response:
        """The catalogue."""
        return Response([
            {
                "cause": c.slug,
                "layer": c.layer,
                "title": c.title.en,
                "title_zh": c.title.in_language("zh"),
                "measures": sorted(c.measures),
            }
            for c in all_causes().values()
        ])  # fmt: skip


class Checks(Api):
    """checks/"""

    @extend_schema(responses=ANY)
    def get(self, request: Request) -> Response:
        """What can be asked of the infrastructure."""
        return Response([
            {
                "check": c.slug,
                "question": c.question.en,
                "question_zh": c.question.in_language("zh"),
                "needs": c.needs,
                "window": {"before_s": round(c.before.total_seconds()), "until": "as_of"},
                "most_queries": c.cost,
                "limit_s": c.limit_s,
                "measures": [m.slug for m in c.measures],
                "readings": [codec.in_two_languages(m) for m in c.measures],
            }
            for c in all_checks()
        ])  # fmt: skip


class Changes(Api):
    """changes/"""

    @extend_schema(
        parameters=[OpenApiParameter(n, str) for n in ("entity", "since", "until", "cursor")],
        responses=RecordedChangeShape(many=True),
    )
    def get(self, request: Request) -> Response:
        """Changes that were told, newest first; what cannot be understood in a filter is left out."""
        pages, asked = NewestChange(), filter_of(request.query_params)
        wanted = queries.known_changes(asked.entity, asked.since, asked.until)
        rows = pages.paginate_queryset(wanted, request, view=self)
        return pages.get_paginated_response(RecordedChangeShape(rows, many=True).data)

    @extend_schema(request=ChangeShape, responses={201: ANY})
    def post(self, request: Request) -> Response:
        """Tell of a change; the same reference again changes it, so it may be sent again."""
        asked = ChangeShape(data=request.data)
        asked.is_valid(raise_exception=True)
        fields: dict[str, Any] = dict(asked.validated_data)
        keys = fields.pop("entities")
        known = queries.entities(keys)
        change = changes.add_change(**fields, entities=known)
        unknown = sorted(set(keys) - {entity.key for entity in known})
        return Response({"reference": change.reference, "unknown_entities": unknown}, status=201)


class Deliveries(Api):
    """deliveries/"""

    @extend_schema(responses=DeliveryShape(many=True), parameters=[OpenApiParameter("cursor", str)])
    def get(self, request: Request) -> Response:
        """Parked and dead deliveries, newest first."""
        pages = NewestDelivery()
        rows = pages.paginate_queryset(deliveries.stuck_deliveries(), request, view=self)
        return pages.get_paginated_response(DeliveryShape(rows, many=True).data)


class ReplayDelivery(Api):
    """deliveries/{id}/replay/"""

    write_scope = "operate"

    @extend_schema(request=None, responses={202: ANY})
    def post(self, request: Request, delivery_id: str) -> Response:
        """Back into the queue."""
        row = deliveries.stuck_deliveries().filter(pk=delivery_id).first()
        if row is None:
            raise NotFound("no parked or dead delivery has this id")
        deliveries.replay_delivery(row, request.user.get_username())
        nudge_delivery(str(row.pk))
        return Response({"id": str(row.pk), "state": "new"}, status=202)


def zip_answer(body: bytes, name: str) -> HttpResponse:
    """A zip to save under `name`."""
    return HttpResponse(
        body, content_type="application/zip", headers={"Content-Disposition": f'attachment; filename="{name}"'}
    )
