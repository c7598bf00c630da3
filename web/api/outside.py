"""Postmortems and incident bundles: what people and other programs take away."""

from django.http import HttpResponse, HttpResponseBase
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request

from domain.errors import Refused
from investigate.bundle import bundle_of
from notify.reports import postmortem_of
from web.api.access import Api
from web.api.problems import problem
from web.api.views import found, zip_answer


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
