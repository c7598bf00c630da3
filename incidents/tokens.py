"""Alert sources and their tokens, of which only hashes are stored."""

import hashlib
import hmac
import secrets

from django.db import IntegrityError, transaction
from django.db.models import F

from domain.errors import Refused
from incidents.models import (
    Source,
)


def hashed(token: str) -> str:
    """SHA-256 of a token; tokens are 256 random bits, so no slow hash is needed."""
    return hashlib.sha256(token.encode()).hexdigest()


def make_source(kind: str, name: str, token: str = "") -> tuple[Source, str]:
    """A new source and its token, which is never readable again. Raises Refused when the name is taken."""
    token = token or secrets.token_urlsafe(32)
    try:
        with transaction.atomic():
            return Source.objects.create(kind=kind, name=name, token_hash=hashed(token)), token
    except IntegrityError as error:
        raise Refused(f"source {kind}/{name} exists; use `source rotate {name}` for a new token") from error


def rotate_source(source: Source, *, end_old: bool) -> str:
    """A second live token, the first stays until `end_old`."""
    if end_old:
        Source.objects.filter(pk=source.pk).update(old_token_hash="")
        return ""
    token = secrets.token_urlsafe(32)
    Source.objects.filter(pk=source.pk).update(old_token_hash=F("token_hash"), token_hash=hashed(token))
    return token


def token_fits(source: Source, token: str) -> bool:
    """Whether the token is one of the two live ones, in constant time."""
    given = hashed(token)
    first = hmac.compare_digest(given, source.token_hash)
    second = hmac.compare_digest(given, source.old_token_hash or "-" * 64)
    return first or second
