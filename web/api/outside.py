"""Ticket enrichment and incident bundles: what other programs take away."""

from typing import Any

from django.http import HttpResponse, HttpResponseBase
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from domain.errors import Refused
from domain.verdict_json import to_contract
from incidents import queries
from incidents.models import Incident
from incidents.reporting import postmortem_of, report_of
from ingest.saving import bundle_of
from tickets.render import render
from web.api.access import Api
from web.api.problems import problem
from web.api.shapes import EnrichShape, IncidentShape
from web.api.views import found, zip_answer


def search(asked: dict[str, Any]) -> tuple[Incident | None, list[str]]:
    """The incident that a ticket speaks of, and what was tried, in order."""
    tried: list[str] = []
    if wanted := asked.get("incident"):
        tried.append(f"incident {wanted}")
        if row := queries.incident(wanted):
            return row, tried
    keys = [asked["ticket"]] if asked.get("ticket") else []
    keys += asked.get("labels", [])
    if keys:
        tried += [f"ticket key or label {key}" for key in keys]
        if row := queries.find_for_ticket(keys):
            return row, tried
    for name in ("fingerprint", "event_id", "identity"):
        if identity := str(asked.get("alert", {}).get(name, ""))[:200]:
            tried.append(f"alert {name} {identity}")
            if row := queries.find_for_alert(identity):
                return row, tried
    return None, tried


class Enrich(Api):
    """tickets/enrich/"""

    write_scope = "read"

    @extend_schema(request=EnrichShape, responses={200: OpenApiTypes.OBJECT, 404: OpenApiTypes.OBJECT})
    def post(self, request: Request) -> Response:
        """The incident of a ticket with its verdict and its report; changes nothing."""
        shape = EnrichShape(data=request.data)
        shape.is_valid(raise_exception=True)
        asked: dict[str, Any] = shape.validated_data
        row, tried = search(asked)
        if row is None:
            detail = "no incident fits" if tried else "give one of ticket, labels, alert, incident"
            return problem(404, "No incident for this ticket", detail=detail, tried=tried)
        snapshot = queries.snapshot(str(row.pk))
        verdict = snapshot.verdict
        return Response({
            "incident": IncidentShape(row).data,
            "url": snapshot.url,
            "verdict": to_contract(verdict, asked["language"]) if verdict else None,
            "format": asked["format"],
            "report": render(report_of(snapshot), asked["format"], asked["language"]),
            "tried": tried,
        })  # fmt: skip


class Postmortem(Api):
    """incidents/{id}/postmortem/"""

    @extend_schema(
        responses={(200, "text/markdown"): OpenApiTypes.STR},
        parameters=[OpenApiParameter("language", str, enum=["en", "zh"])],
    )
    def get(self, request: Request, incident_id: str) -> HttpResponseBase:
        """A postmortem's first draft in Markdown: timeline, evidence, causes, and phases with their definition."""
        row = found(incident_id)
        language = request.query_params.get("language", "en")
        return markdown_answer(postmortem_of(row, language), f"postmortem-{row.number}.md")


def markdown_answer(text: str, name: str) -> HttpResponse:
    """A Markdown file to save under `name`."""
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "X-Content-Type-Options": "nosniff"}
    return HttpResponse(text, content_type="text/markdown; charset=utf-8", headers=headers)


class SaveBundle(Api):
    """incidents/{id}/bundle/"""

    @extend_schema(responses={(200, "application/zip"): OpenApiTypes.BINARY, 409: OpenApiTypes.OBJECT})
    def get(self, request: Request, incident_id: str) -> HttpResponseBase:
        """The incident as a zip: deliveries, recorded answers, no secrets."""
        row = found(incident_id)
        try:
            body = bundle_of(row).zipped()
        except Refused as error:
            return problem(409, "Not investigated yet", detail=str(error))
        answer: HttpResponse = zip_answer(body, f"incident-{row.number}.zip")
        return answer
