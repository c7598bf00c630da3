"""Who may call the API: bearer tokens with scopes, stored as SHA-256, or a signed-in person's session."""

import secrets
from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from django.db.models import Q
from django.http import HttpRequest, HttpResponseBase
from django.utils import timezone
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from rest_framework.authentication import BaseAuthentication, SessionAuthentication
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.views import APIView

from incidents.callers import slowed
from incidents.models import ApiToken
from incidents.tokens import hashed
from web.api.idempotency import Repeatable, scope_of
from web.api.problems import as_problem

NOTED_EVERY = timedelta(minutes=1)
SCOPES = ("read", "write", "operate", "metrics")


def add_token(name: str, scopes: Iterable[str]) -> str:
    """A new token, readable only now. Raises ValueError for an unknown scope."""
    wanted = sorted(set(scopes))
    if not wanted or set(wanted) - set(SCOPES):
        raise ValueError(f"scopes are {', '.join(SCOPES)}")
    token = f"ig_{secrets.token_urlsafe(32)}"
    ApiToken.objects.create(name=name, token_hash=hashed(token), prefix=token[:8], scopes=wanted)
    return token


def end_token(name: str) -> bool:
    """Whether there was such a token; from now on it opens nothing."""
    return ApiToken.objects.filter(name=name).delete()[0] > 0


def live_token(token: str) -> ApiToken | None:
    """The row of a token that has not expired.

    When it was last used is noted once a minute: a token that nobody uses should be ended.
    """
    now = timezone.now()
    alive = Q(expires_at__isnull=True) | Q(expires_at__gt=now)
    row = ApiToken.objects.filter(alive, token_hash=hashed(token)).first()
    if row and (row.last_used_at is None or row.last_used_at < now - NOTED_EVERY):
        ApiToken.objects.filter(pk=row.pk).update(last_used_at=now)
    return row


class Program:
    """The caller behind a token, in the place of a user."""

    is_authenticated = True
    is_active = True

    def __init__(self, token: ApiToken) -> None:
        self.token = token
        self.pk = token.pk

    def get_username(self) -> str:
        """The name for the audit trail."""
        return f"token:{self.token.name}"


class TokenAuth(BaseAuthentication):
    """`Authorization: Bearer <token>`."""

    def authenticate(self, request: Request) -> tuple[Any, ApiToken] | None:
        """The program behind the token; None without a bearer header."""
        kind, _, token = request.headers.get("Authorization", "").partition(" ")
        if kind.lower() != "bearer":
            return None
        row = live_token(token.strip())
        if row is None:
            raise AuthenticationFailed("this token is unknown or has expired; make one with `manage.py token add`")
        return Program(row), row

    def authenticate_header(self, request: Request) -> str:
        """What a 401 asks for."""
        return "Bearer"


class HasScope(BasePermission):
    """A token needs the view's scope for the method; a signed-in person may do all that the pages offer."""

    def has_permission(self, request: Request, view: APIView) -> bool:
        """Reads need `read`, all else what the view names, `write` by default."""
        if not request.user or not request.user.is_authenticated:
            return False
        if not isinstance(request.auth, ApiToken):
            return True
        return scope_of(view, str(request.method)) in request.auth.scopes


class Api(Repeatable):
    """Base of all API views."""

    authentication_classes = [TokenAuth, SessionAuthentication]
    permission_classes = [HasScope]

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Wrong tokens are counted outside the call's transaction, which a refusal rolls back."""
        answer = super().dispatch(request, *args, **kwargs)
        return slowed(request, answer) if answer.status_code == 401 and "Authorization" in request.headers else answer

    def get_exception_handler(self) -> Any:
        """Errors are problems."""
        return as_problem


class TokenScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """How the schema tells of the tokens; registered by being defined."""

    target_class = "web.api.access.TokenAuth"
    name = "token"

    def get_security_definition(self, auto_schema: object) -> dict[str, str]:
        """HTTP bearer."""
        return {"type": "http", "scheme": "bearer"}
