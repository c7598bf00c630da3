"""`Idempotency-Key`: a POST that changes something may be sent again with its key and is done once."""

import hashlib
import json
from typing import Any

from django.db import transaction
from django.http import HttpRequest, HttpResponseBase
from django.utils import timezone
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.utils import OpenApiParameter
from rest_framework.exceptions import APIException, ValidationError
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from incidents import idempotency
from incidents.models import AnsweredCall, ApiToken

HEADER, REPLAYED = "Idempotency-Key", "Idempotency-Replayed"
KEY_LIMIT = 255


class OtherCall(APIException):
    """The key was used for something else."""

    status_code = 422
    default_detail = "this Idempotency-Key was used for another call; make a new key for each call"


class Before(Exception):
    """The call was answered before; carries that answer."""

    def __init__(self, call: AnsweredCall) -> None:
        super().__init__(call.key)
        self.call = call

    def answer(self) -> Response:
        """The same answer again, marked as such."""
        data = json.loads(bytes(self.call.body)) if self.call.body else None
        return Response(data, status=self.call.status, headers={REPLAYED: "true"})


class Repeatable(APIView):
    """A view whose POSTs are done once per key and caller, whoever sends them again, at the same time or later.

    The work and its kept answer are one transaction: a call that fails leaves neither, so it may be repeated as well.
    """

    write_scope = "write"

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Calls with a key in one transaction with their answer; all others as usual."""
        if request.method != "POST" or HEADER not in request.headers or self.write_scope == "read":
            return super().dispatch(request, *args, **kwargs)
        self._call: AnsweredCall | None = None
        with transaction.atomic():
            answer = super().dispatch(request, *args, **kwargs)
            if answer.status_code >= 300:
                transaction.set_rollback(True)
            elif self._call is not None and isinstance(answer, Response):
                body = b"" if answer.data is None else JSONRenderer().render(answer.data)
                idempotency.answered(self._call, answer.status_code, body)
        return answer

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """After the caller is known and allowed, whether this call was answered before."""
        super().initial(request, *args, **kwargs)
        if not hasattr(self, "_call"):
            return
        key = str(request.headers[HEADER])
        if not 0 < len(key) <= KEY_LIMIT or not key.isprintable() or not key.isascii():
            raise ValidationError({HEADER: [f"use 1 to {KEY_LIMIT} visible ASCII characters"]})
        asked = hashlib.sha256(f"{request.method} {request.get_full_path()}\n".encode() + request.body).hexdigest()
        caller = f"{'token' if isinstance(request.auth, ApiToken) else 'user'} {request.user.pk}"
        call, new = idempotency.begin(caller, key, asked, timezone.now())
        if call.asked != asked:
            raise OtherCall
        if not new:
            raise Before(call)
        self._call = call

    def handle_exception(self, exc: Exception) -> Response:
        """An answer from before is no error."""
        return exc.answer() if isinstance(exc, Before) else super().handle_exception(exc)


def scope_of(view: APIView, method: str) -> str:
    """The scope of a token that opens it: `read` for what only looks, else what the view names."""
    return "read" if method in {"GET", "HEAD", "OPTIONS"} else getattr(view, "write_scope", "write")


class Schema(AutoSchema):
    """The schema tells of the header where it is heeded, and of the scope that a token needs."""

    def get_extensions(self) -> dict[str, Any]:
        """The scope, as `x-scope`."""
        return {"x-scope": scope_of(self.view, self.method)}

    def get_override_parameters(self) -> list[Any]:
        """One optional header of calls that change something."""
        heeded = self.method == "POST" and getattr(self.view, "write_scope", "read") != "read"
        text = "A key of your own: the same call with the same key within 24 hours is done once and answered alike."
        return [OpenApiParameter(HEADER, str, OpenApiParameter.HEADER, description=text)] if heeded else []
