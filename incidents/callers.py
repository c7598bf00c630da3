"""Who calls: the client's address, and what a caller gets whose tokens keep being wrong."""

from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import TypeVar

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.utils import timezone

from domain.redaction import redacted
from incidents import audit, login_failures
from incidents.bodies import refusal

Refusal = TypeVar("Refusal", bound=HttpResponseBase)
UNKNOWN = IPv4Address("0.0.0.0")  # noqa: S104  a socket of the file system has no address


def client_address(request: HttpRequest) -> IPv4Address | IPv6Address:
    """Whom a request comes from.

    Where PUBLIC_URL is https a proxy stands in front, and the last address that it added counts: those before it are
    the client's own word. Without TLS no proxy is known of, and only the connection itself is believed.
    """
    told = request.headers.get("X-Forwarded-For", "").rpartition(",")[2] if settings.SERVED_OVER_TLS else ""
    return _parsed(told) or _parsed(request.META.get("REMOTE_ADDR", "")) or UNKNOWN


def _parsed(text: str) -> IPv4Address | IPv6Address | None:
    """An address, also as some proxies write it: with a port."""
    text = text.strip()
    for form in (text, text.rpartition(":")[0].strip("[]")):
        try:
            return ip_address(form)
        except ValueError:
            continue
    return None


def slowed(request: HttpRequest, refused: Refusal) -> Refusal | HttpResponse:
    """The refusal of a wrong token, or 429 where too many came from this address.

    It counts what was refused and nothing else: a right token has 256 random bits, nobody guesses it, and its sender
    is never kept waiting by others.
    """
    where = client_address(request)
    attempt = login_failures.begin([login_failures.caller(where)], timezone.now())
    if not attempt.allowed:
        detail = f"too many wrong tokens from this address: correct the token, then try again in {attempt.wait_s} s"
        return refusal(429, "Too many refusals", detail, **{"Retry-After": str(attempt.wait_s)})
    if attempt.wait_s:
        told = {"failures": str(attempt.failures), "wait_s": str(attempt.wait_s)}
        audit.write(f"address {where}", "wrong tokens slowed", redacted(request.path), told)
    return refused
