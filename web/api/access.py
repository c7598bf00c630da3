"""Who may call the API: bearer tokens with scopes, stored as SHA-256, or a signed-in person's session."""

from collections.abc import Iterable
from typing import Any

from django.http import HttpRequest, HttpResponseBase
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from rest_framework.authentication import BaseAuthentication, SessionAuthentication
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.views import APIView

from incidents import tokens
from incidents.callers import slowed
from incidents.models import ApiToken
from web.api.idempotency import Repeatable, scope_of
from web.api.problems import as_problem

SCOPES = ("read", "write", "operate", "metrics")


def add_token(name: str, scopes: Iterable[str]) -> str:
    """A new token, readable only now. Raises ValueError for an unknown scope."""
    wanted = sorted(set(scopes))
    if not wanted or set(wanted) - set(SCOPES):
        raise ValueError(f"scopes are {', '.join(SCOPES)}")
    return tokens.add_token(name, wanted)


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
        row = tokens.live_token(token.strip())
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
