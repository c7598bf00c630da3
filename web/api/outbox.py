"""The outbox for programs: what waits, what was refused, and sending it again."""

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response

from notify import outbox
from web.api.access import Api
from web.api.shapes import OutboxShape, RedriveShape
from web.api.views import Newest
from web.pages.outbox import narrowed, redrive

FILTERS = [OpenApiParameter("state", str, enum=["dead", "waiting", "done"]), OpenApiParameter("target", str)]


class NewestRow(Newest):
    """Rows by when they were wanted, newest first."""

    ordering = ("-wanted_at", "-id")


class OutboxRows(Api):
    """outbox/"""

    @extend_schema(responses=OutboxShape(many=True), parameters=[*FILTERS, OpenApiParameter("cursor", str)])
    def get(self, request: Request) -> Response:
        """Rows that wait or were refused, and dry runs; narrowed by state and target."""
        pages, asked = NewestRow(), request.query_params
        wanted = narrowed(asked.get("state", ""), asked.get("target", ""))
        rows = pages.paginate_queryset(wanted, request, view=self)
        return pages.get_paginated_response(OutboxShape(rows, many=True).data)


class RedriveRow(Api):
    """outbox/{id}/redrive/"""

    write_scope = "operate"

    @extend_schema(operation_id="v1_outbox_row_redrive", request=None, responses={202: OutboxShape})
    def post(self, request: Request, row_id: int) -> Response:
        """One row is due now; asked twice it is still sent once."""
        rows = outbox.rows_in_order().filter(pk=row_id)
        if not redrive(rows, request.user.get_username(), f"outbox {row_id}"):
            raise NotFound("no row of the outbox has this id")
        return Response(OutboxShape(rows.get()).data, status=202)


class RedriveTarget(Api):
    """outbox/redrive/"""

    write_scope = "operate"

    @extend_schema(operation_id="v1_outbox_target_redrive", request=RedriveShape, responses={202: OpenApiTypes.OBJECT})
    def post(self, request: Request) -> Response:
        """Everything of a target that waits or was refused is due now."""
        asked = RedriveShape(data=request.data)
        asked.is_valid(raise_exception=True)
        target = asked.validated_data["target"]
        rows = outbox.unsent().filter(target=target)
        return Response({"target": target, "rows": redrive(rows, request.user.get_username(), target)}, status=202)
