"""Slows down brute-force attempts at passwords and tokens: failed attempts are counted in the record.

A few failures in a row cost nothing. Each further one doubles the wait, up to `LONGEST`, and one failure is forgotten
every `FORGOTTEN_EVERY`. An attempt is counted as failed before it is checked, and the count is taken back when it was
right, so many attempts at the same moment gain nothing. An attempt before the wait is over is refused without a check,
and does not extend the wait.
"""

import math
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from ipaddress import IPv4Address, IPv6Address, IPv6Network

from django.db import transaction
from django.db.models import F
from django.utils.crypto import salted_hmac

from incidents.models import LoginFailure

LONGEST = timedelta(minutes=15)
FORGOTTEN_EVERY = timedelta(minutes=10)
# A person's own mistakes, and those of everybody behind one address.
FREE, FREE_TOGETHER = 5, 30
DOUBLINGS = 10
KEPT = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Subject:
    """Whose failures are counted together. A right attempt clears the failures, unless the subject is `shared`."""

    kind: str
    value: str
    shared: bool = False

    @property
    def key(self) -> str:
        """What the record keeps: a password typed as a name must not be readable in it."""
        return salted_hmac(f"guess {self.kind}", self.value, algorithm="sha256").hexdigest()

    @property
    def free(self) -> int:
        """How many failures in a row cost nothing."""
        return FREE_TOGETHER if self.shared else FREE

    def wait(self, failures: int) -> timedelta:
        """How long to wait after this many failures in a row."""
        over = failures - self.free
        return min(LONGEST, timedelta(seconds=2 ** min(over, DOUBLINGS))) if over > 0 else timedelta()


@dataclass(frozen=True, slots=True)
class Attempt:
    """Whether the attempt is allowed, and in how many seconds the next one is; `failures` includes this one."""

    allowed: bool
    wait_s: int = 0
    failures: int = 0


def account(name: str) -> Subject:
    """A user name, whether or not there is such a user."""
    return Subject("account", unicodedata.normalize("NFKC", name).casefold())


def browser(mark: str) -> Subject:
    """A browser that has signed in before, by the mark that it was given then."""
    return Subject("browser", mark)


def address(ip: IPv4Address | IPv6Address) -> Subject:
    """Sign-ins from one address."""
    return Subject("address", _network(ip), shared=True)


def caller(ip: IPv4Address | IPv6Address) -> Subject:
    """Tokens and signatures from one address."""
    return Subject("caller", _network(ip), shared=True)


def _network(ip: IPv4Address | IPv6Address) -> str:
    """The /64 network of an IPv6 address, as one client has 2^64 of them; an IPv4 address as it is."""
    if isinstance(ip, IPv4Address) or ip.ipv4_mapped:
        return str(ip if isinstance(ip, IPv4Address) else ip.ipv4_mapped)
    return str(IPv6Network((ip, 64), strict=False))


def begin(subjects: Sequence[Subject], now: datetime) -> Attempt:
    """Counts an attempt, as failed until `right` takes it back. A refused one costs one read and no write."""
    known = {subject.key: subject for subject in subjects}
    if early := _early(list(LoginFailure.objects.filter(key__in=known)), now):
        return early
    with transaction.atomic():
        fresh = [LoginFailure(key=key, at=now) for key in sorted(known)]
        LoginFailure.objects.bulk_create(fresh, ignore_conflicts=True)
        rows = list(LoginFailure.objects.select_for_update().filter(key__in=known).order_by("key"))
        if early := _early(rows, now):
            return early
        for row in rows:
            _count(row, known[row.key], now)
        LoginFailure.objects.bulk_update(rows, ["failures", "at", "until"])
    worst = max(rows, key=lambda row: known[row.key].wait(row.failures))
    return Attempt(True, int(known[worst.key].wait(worst.failures).total_seconds()), worst.failures)


def _early(rows: list[LoginFailure], now: datetime) -> Attempt | None:
    waits = [row.until - now for row in rows if row.until is not None and row.until > now]
    return Attempt(False, math.ceil(max(waits).total_seconds())) if waits else None


def _count(row: LoginFailure, subject: Subject, now: datetime) -> None:
    """Add one failure, less those forgotten meanwhile; the count stays at what the longest wait needs."""
    most = subject.free + DOUBLINGS
    left = max(0, row.failures - max(0, int((now - row.at) / FORGOTTEN_EVERY)))
    row.failures = min(left + 1, most)
    wait = subject.wait(row.failures)
    row.at, row.until = now, now + wait if wait else None


def right(subjects: Sequence[Subject]) -> None:
    """Take back the count of a right attempt, and clear the failures of subjects that are not shared."""
    shared = [subject.key for subject in subjects if subject.shared]
    LoginFailure.objects.filter(key__in=[s.key for s in subjects if not s.shared]).delete()
    LoginFailure.objects.filter(key__in=shared, failures__gt=0).update(failures=F("failures") - 1, until=None)
