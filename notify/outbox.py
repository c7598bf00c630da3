"""The outbox: which notifications wait, which worker has leased them, and their outcome.

One row per target and object. A row is claimed by a conditional update; only the worker that holds the lease may write
it. Every function takes the time, so that hours can pass in a test.
"""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import chain, zip_longest
from typing import Any

from django.db import transaction
from django.db.models import Case, Count, F, IntegerField, Min, Q, QuerySet, Value, When
from django.db.models.functions import Coalesce
from django.dispatch import receiver

from domain.errors import NotYet
from incidents import queries, tickets
from incidents.models import Incident
from incidents.signals import incident_changed
from notify.models import Outbox, TargetStatus
from notify.targets import FAILURES_TO_OPEN, PROBE_EVERY, declared_targets
from tickets.system import Receipt

LEASE = timedelta(seconds=130)
LONGEST_WAIT_S = 86_400.0
LOST_TO_DIE = 5
# Rows of one target that are looked at, and that one worker claims, at once.
PER_TARGET, BATCH = 60, 12
DIGEST_MOST = 500
NUMBER = IntegerField()


@receiver(incident_changed)
def want_all(incident: Incident, now: datetime, **_: object) -> None:
    """Puts a newer revision of the incident out for every declared target; nobody is notified of a recording."""
    if not incident.recorded_from and (names := list(declared_targets())):
        want(names, str(incident.pk), now)


def want(targets: Sequence[str], object_id: str, now: datetime) -> None:
    """Puts a newer revision of `object_id` out for each target. A row that backs off keeps its time."""
    _renew(
        targets, object_id, now,
        next_at=Case(When(state="waiting", attempts__gt=0, then=F("next_at")), default=Value(now)),
        attempts=Case(When(state="waiting", then=F("attempts")), default=Value(0), output_field=NUMBER),
        lost=Case(When(state="waiting", then=F("lost")), default=Value(0), output_field=NUMBER),
    )  # fmt: skip


def _renew(targets: Sequence[str], object_id: str, now: datetime, **changes: Any) -> None:
    """The next revision of every row, made where missing: two statements however many there are."""
    with transaction.atomic(savepoint=False):
        rows = [Outbox(target=t, object=object_id, revision=0, next_at=now, wanted_at=now) for t in targets]
        Outbox.objects.bulk_create(rows, ignore_conflicts=True)
        Outbox.objects.filter(target__in=targets, object=object_id).update(
            revision=F("revision") + 1,
            wanted_at=Case(When(state="waiting", then=F("wanted_at")), default=Value(now)),
            state="waiting", **changes,
        )  # fmt: skip


def rows_in_order() -> QuerySet[Outbox]:
    """All rows: dead ones first, then waiting ones, then done ones, each the oldest first."""
    rank = Case(When(state="dead", then=Value(0)), When(state="waiting", then=Value(1)), default=Value(2))
    return Outbox.objects.annotate(rank=rank).order_by("rank", "wanted_at", "pk")


def unsent() -> QuerySet[Outbox]:
    """The rows that wait or are dead, of all targets."""
    return rows_in_order().exclude(state="done")


@dataclass(frozen=True, slots=True)
class Load:
    """What lies in the outbox for one target; `oldest` is since when the longest waiting row waits."""

    waiting: int = 0
    dead: int = 0
    oldest: datetime | None = None


def loads() -> dict[str, Load]:
    """By target; targets for which everything is done are left out."""
    waits = Q(state="waiting")
    rows = Outbox.objects.exclude(state="done").values("target").annotate(
        waiting=Count("pk", filter=waits), dead=Count("pk", filter=Q(state="dead")),
        oldest=Min(Coalesce("wanted_at", "next_at"), filter=waits),
    )  # fmt: skip
    return {row["target"]: Load(row["waiting"], row["dead"], row["oldest"]) for row in rows.order_by("target")}


def waits(now: datetime) -> bool:
    """Whether a worker would find something to do."""
    resting = TargetStatus.objects.filter(failures__gte=FAILURES_TO_OPEN)
    rows = Outbox.objects.filter(state="waiting")
    due_now = rows.filter(next_at__lte=now).exclude(target__in=resting.values("name"))
    due_probe = rows.filter(target__in=resting.filter(open_until__lte=now).values("name"))
    return due_now.exists() or due_probe.exists()


def due(now: datetime) -> list[tuple[str, list[int]]]:
    """Targets with batches of row ids that may be sent now, taking turns. An open breaker is left to `probes`."""
    blocked = TargetStatus.objects.filter(Q(failures__gte=FAILURES_TO_OPEN) | Q(slot_at__gt=now)).values("name")
    rows = Outbox.objects.filter(_free(now), state="waiting", next_at__lte=now)
    rows = rows.exclude(target__in=blocked)
    names = sorted(rows.order_by().values_list("target", flat=True).distinct())
    turns = zip_longest(*([(name, batch) for batch in _batches(rows.filter(target=name))] for name in names))
    return [one for one in chain.from_iterable(turns) if one is not None]


def _batches(rows: QuerySet[Outbox]) -> list[list[int]]:
    oldest = list(rows.order_by("next_at", "pk").values_list("pk", flat=True)[:PER_TARGET])
    parts = [oldest[start : start + BATCH] for start in range(0, len(oldest), BATCH)]
    # Workers that look at the same moment begin with different rows.
    return random.sample(parts, len(parts))


def _free(now: datetime) -> Q:
    return Q(claimed_until__isnull=True) | Q(claimed_until__lte=now)


def probes(now: datetime) -> list[tuple[int, str]]:
    """One row for each target whose breaker is due to be tried, taken so that nobody else tries it this minute.

    The row that was tried longest ago goes first: one that always fails may not stand for the whole target.
    """
    found = []
    for name in TargetStatus.objects.filter(failures__gte=FAILURES_TO_OPEN, open_until__lte=now).values_list(
        "name", flat=True
    ):
        rows = Outbox.objects.filter(target=name, state="waiting")
        row = rows.order_by(F("tried_at").asc(nulls_first=True), "pk").first()
        won = row and TargetStatus.objects.filter(name=name, open_until__lte=now).update(open_until=now + PROBE_EVERY)
        if row and won:
            found.append((row.pk, name))
    return found


def claim(ids: Sequence[int], now: datetime, *, early: bool = False) -> list[Outbox]:
    """Those of the rows that wait and that nobody else has; `early` takes them before their time."""
    rows = Outbox.objects.filter(_free(now), pk__in=ids, state="waiting")
    rows = rows if early else rows.filter(next_at__lte=now)
    with transaction.atomic():
        won = list(rows.select_for_update(skip_locked=True).values_list("pk", flat=True))
        lost = Case(When(claimed_until__isnull=False, then=F("lost") + 1), default=F("lost"), output_field=NUMBER)
        Outbox.objects.filter(pk__in=won).update(
            lost=lost, claimed_until=now + LEASE, attempts=F("attempts") + 1, tried_at=now
        )
        claimed = list(Outbox.objects.filter(pk__in=won).order_by("next_at", "pk"))
    for row in [row for row in claimed if row.lost >= LOST_TO_DIE]:
        refuse(row, f"no worker survived it in {LOST_TO_DIE} attempts; look at the workers' log", now)
        claimed.remove(row)
    return claimed


def mine(row: Outbox) -> QuerySet[Outbox]:
    """The row while this claim holds: nobody who lost it writes any more."""
    return Outbox.objects.filter(pk=row.pk, claimed_until=row.claimed_until)


class StoredTargetState:
    """What a system keeps of one row, stored in the row; every `put` is committed when it returns."""

    def __init__(self, row: Outbox) -> None:
        self._row = row

    def get(self, name: str) -> str:
        """The value, empty when nothing was kept."""
        return str(self._row.memory.get(name, ""))

    def put(self, **values: str) -> None:
        """Keeps values. Raises NotYet when the claim is lost."""
        merged = {**self._row.memory, **values}
        if not mine(self._row).update(memory=merged):
            raise NotYet("another worker has taken this over; it goes on there")
        self._row.memory = merged


class PassingTargetState(StoredTargetState):
    """The state of a dry run: it begins as the stored one and is dropped afterwards."""

    def put(self, **values: str) -> None:
        """Until the end of the attempt."""
        self._row.memory = {**self._row.memory, **values}


def finish(row: Outbox, now: datetime, **fields: Any) -> None:
    """This revision is done; a newer one that came meanwhile keeps the row waiting. `fields` are columns of the row."""
    kept = {"claimed_until": None, "attempts": 0, "lost": 0, "reason": "", "sent_revision": row.revision, **fields}
    done = mine(row).filter(revision=row.revision).update(state="done", **kept)
    if not done:
        mine(row).update(next_at=now, wanted_at=now, **kept)


def link_ticket(row: Outbox, receipt: Receipt) -> None:
    """Links the receipt's ticket with the row's incident; chats and sources have no ticket."""
    if row.target.startswith("ticket:") and receipt.key:
        tickets.put(row.object, row.target, receipt.key, receipt.url)


def back_off(row: Outbox, reason: str, now: datetime, least_s: float = 0.0) -> None:
    """Again later: full jitter, twice as long each time, up to a day, never before `least_s` are over."""
    longest = min(LONGEST_WAIT_S, 2.0 * 2 ** min(row.attempts, 20))
    wait = timedelta(seconds=max(least_s, random.uniform(0.5, longest)))
    mine(row).update(claimed_until=None, lost=0, next_at=now + wait, reason=reason[:2000])


def refuse(row: Outbox, reason: str, now: datetime) -> None:
    """Not again by itself: dead, shown, until a person or a newer revision wants it."""
    dead = mine(row).filter(revision=row.revision).update(
        state="dead", claimed_until=None, lost=0, reason=reason[:2000]
    )  # fmt: skip
    if not dead:
        mine(row).update(claimed_until=None, lost=0, attempts=0, next_at=now, reason=reason[:2000])


def release(row: Outbox, next_at: datetime) -> None:
    """Give a claimed row back untried."""
    mine(row).update(claimed_until=None, attempts=max(0, row.attempts - 1), next_at=next_at)


def send_again(rows: QuerySet[Outbox], now: datetime) -> int:
    """Dead, waiting or done rows are due now; how many. The breaker is tried at once too."""
    names = set(rows.order_by().values_list("target", flat=True))
    number = rows.update(state="waiting", attempts=0, lost=0, next_at=now)
    TargetStatus.objects.filter(name__in=names, open_until__isnull=False).update(open_until=now)
    TargetStatus.objects.filter(name__in=names).update(slot_at=None)
    return number


def first_messages(target: str, now: datetime, within: timedelta) -> tuple[int, list[int]]:
    """First messages of a target: how many were sent within `within`, and ids of free rows with a verdict that wait."""
    lately = Outbox.objects.filter(target=target, first_at__gt=now - within).count()
    rows = Outbox.objects.filter(_free(now), target=target, state="waiting", first_at__isnull=True)
    waiting = dict(rows.order_by("pk").values_list("object", "pk")[:DIGEST_MOST])
    return lately, sorted(waiting[pk] for pk in queries.with_verdict(list(waiting)))


def postpone(ids: list[int], until: datetime) -> None:
    """Not before that time."""
    Outbox.objects.filter(pk__in=ids, state="waiting").update(next_at=until)


def labels_for(target: str, incident_ids: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """Keys and labels under which the target may have tickets of these incidents already."""
    links = tickets.keys_at(target, incident_ids)
    found: dict[str, tuple[str, ...]] = {}
    for incident_id, key in links.values_list("incident", "key"):
        found[str(incident_id)] = (*found.get(str(incident_id), ()), key)
    return found


def of_incident(incident: Incident) -> list[Outbox]:
    """The incident's row of each target, without those that never had anything to send."""
    rows = Outbox.objects.filter(object=str(incident.pk)).order_by("target")
    return [row for row in rows if row.state != "done" or row.last_sent]


def counts_by_state() -> dict[str, int]:
    """How many rows are not done, by state."""
    return queries.by_state(Outbox.objects.exclude(state="done"))
