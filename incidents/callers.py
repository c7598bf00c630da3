"""The address of an HTTP client, and the slower answers for a client that keeps sending wrong tokens."""

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
    """The address that a request comes from, `UNKNOWN` if there is none.

    Where PUBLIC_URL is https, a proxy is in front and its own entry, the last one of X-Forwarded-For, counts: the
    client can write the entries before it. Without TLS no proxy is assumed, and only the connection's address counts.
    """
    forwarded = request.headers.get("X-Forwarded-For", "") if settings.SERVED_OVER_TLS else ""
    return _parsed(forwarded.rpartition(",")[2]) or _parsed(request.META.get("REMOTE_ADDR", "")) or UNKNOWN


def _parsed(text: str) -> IPv4Address | IPv6Address | None:
    """The address in a text, None if there is none. Some proxies write a port after it."""
    text = text.strip()
    for form in (text, text.rpartition(":")[0].strip("[]")):
        try:
            return ip_address(form)
        except ValueError:
            continue
    return None


def slowed(request: HttpRequest, refused: Refusal) -> Refusal | HttpResponse:
    """The refusal of a wrong token, or 429 where too many wrong ones came from this address.

    Only refused requests are counted. A right token is never slowed: it has 256 random bits, so nobody finds it by
    trying, and its sender does not wait because of others.
    """
    where = client_address(request)
    attempt = login_failures.begin([login_failures.caller(where)], timezone.now())
    if not attempt.allowed:
        detail = f"too many wrong tokens from this address: correct the token, then try again in {attempt.wait_s} s"
        return refusal(429, "Too many refusals", detail, **{"Retry-After": str(attempt.wait_s)})
    if attempt.wait_s:
        counts = {"failures": str(attempt.failures), "wait_s": str(attempt.wait_s)}
        audit.write(f"address {where}", "wrong tokens slowed", redacted(request.path), counts)
    return refused
