"""Alert sources: created, their tokens rotated and checked, tested, and how far each one's own list was compared."""

import hmac
import secrets
from datetime import datetime

from django.db import IntegrityError, transaction
from django.db.models import F, Q, QuerySet

from domain.errors import Refused
from incidents.models import Source
from incidents.tokens import hashed


def make_source(kind: str, name: str, token: str = "") -> tuple[Source, str]:
    """A new source and its token, which cannot be read again later. Raises Refused when the name is taken."""
    token = token or secrets.token_urlsafe(32)
    try:
        with transaction.atomic():
            return Source.objects.create(kind=kind, name=name, token_hash=hashed(token)), token
    except IntegrityError as error:
        raise Refused(f"source {kind}/{name} exists; use `source rotate {name}` for a new token") from error


def closed_source(kind: str, name: str) -> Source:
    """The source of that name, made where missing with a token that nobody knows."""
    token_hash = hashed(secrets.token_urlsafe(32))
    return Source.objects.get_or_create(kind=kind, name=name, defaults={"token_hash": token_hash})[0]


def rotate_source(source: Source, *, end_old: bool) -> str:
    """A new token; the one before stays valid. With `end_old` only end the old one, and return ""."""
    if end_old:
        Source.objects.filter(pk=source.pk).update(old_token_hash="")
        return ""
    token = secrets.token_urlsafe(32)
    Source.objects.filter(pk=source.pk).update(old_token_hash=F("token_hash"), token_hash=hashed(token))
    return token


def follow_token(source: Source, token: str) -> None:
    """Make the declared token the source's newest one; the one before stays valid."""
    if hashed(token) not in {source.token_hash, source.old_token_hash}:
        Source.objects.filter(pk=source.pk).update(old_token_hash=source.token_hash, token_hash=hashed(token))


def token_fits(source: Source, token: str) -> bool:
    """Whether the token is one of the two live ones, in constant time."""
    given = hashed(token)
    first = hmac.compare_digest(given, source.token_hash)
    second = hmac.compare_digest(given, source.old_token_hash or "-" * 64)
    return first or second


def sources() -> QuerySet[Source]:
    """All sources."""
    return Source.objects.order_by("kind", "name")


def source(kind: str, name: str) -> Source | None:
    """The source of that kind and name."""
    return Source.objects.filter(kind=kind, name=name).first()


def take_comparison(kind: str, name: str, before: datetime, now: datetime) -> Source | None:
    """Claim the comparison of a source that was last compared before that time; None if it is not due."""
    due = Q(compared_at__isnull=True) | Q(compared_at__lt=before)
    if not Source.objects.filter(due, kind=kind, name=name).update(compared_at=now):
        return None
    return Source.objects.get(kind=kind, name=name)


def compared_to(source: Source, event_id: str) -> None:
    """Store that the source's own list was compared up to this event."""
    Source.objects.filter(pk=source.pk).update(compared_to=event_id)


def tested(source: Source, title: str, at: datetime) -> None:
    """Store that a test notification came; a late one changes nothing."""
    newer = Q(tested_at__isnull=True) | Q(tested_at__lte=at)
    Source.objects.filter(newer, pk=source.pk).update(tested_at=at, test_title=title[:300])


def subscribed(source: Source, at: datetime | None) -> None:
    """Store when the source's subscription to its topic was confirmed, None when it was ended."""
    Source.objects.filter(pk=source.pk).update(subscribed_at=at)
