"""Bearer tokens of the API, of which only hashes are stored."""

import hashlib
import secrets
from collections.abc import Sequence
from datetime import timedelta

from django.db.models import Q, QuerySet
from django.utils import timezone

from incidents.models import ApiToken

NOTED_EVERY = timedelta(minutes=1)


def hashed(token: str) -> str:
    """SHA-256 of a token; tokens are 256 random bits, so no slow hash is needed."""
    return hashlib.sha256(token.encode()).hexdigest()


def add_token(name: str, scopes: Sequence[str]) -> str:
    """A new token, readable only now. Raises IntegrityError when the name is taken."""
    token = f"ig_{secrets.token_urlsafe(32)}"
    ApiToken.objects.create(name=name, token_hash=hashed(token), prefix=token[:8], scopes=list(scopes))
    return token


def end_token(name: str) -> bool:
    """Delete a token; whether there was one."""
    return ApiToken.objects.filter(name=name).delete()[0] > 0


def live_token(token: str) -> ApiToken | None:
    """The row of a token that has not expired.

    Stores when it was last used, once a minute at most: an unused token should be deleted.
    """
    now = timezone.now()
    alive = Q(expires_at__isnull=True) | Q(expires_at__gt=now)
    row = ApiToken.objects.filter(alive, token_hash=hashed(token)).first()
    if row and (row.last_used_at is None or row.last_used_at < now - NOTED_EVERY):
        ApiToken.objects.filter(pk=row.pk).update(last_used_at=now)
    return row


def tokens() -> QuerySet[ApiToken]:
    """All tokens by name."""
    return ApiToken.objects.order_by("name")
