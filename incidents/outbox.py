"""The outbox of told targets: what waits, who works on it, and how each target does.

One row per target and object; a row is claimed by a conditional update and its lease is the right to write. Every
function takes the time, so that hours can pass in a test.
"""

import math
import random
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import chain, zip_longest
from typing import Any

import msgspec
from django.db import transaction
from django.db.models import Case, Count, F, IntegerField, Min, Q, QuerySet, Value, When
from django.db.models.functions import Coalesce

from domain.connections import ChatDecl, SourceDecl, TicketDecl
from domain.errors import NotYet
from incidents.models import Connection, Incident, Outbox, RequestCount, Target, TicketLink
from tickets.system import Receipt, System
from tickets.systems import all_systems

LEASE = timedelta(seconds=130)
LONGEST_WAIT_S = 86_400.0
# After so many failures in a row a target is left alone but for one attempt each minute.
FAILURES_TO_OPEN = 5
PROBE_EVERY = timedelta(seconds=60)
LOST_TO_DIE = 5
PER_TARGET = 50
DIGEST_MOST = 500
GATHER = timedelta(seconds=60)
GRAPH = "graph"
NUMBER = IntegerField()
DECLARATIONS: dict[str, Any] = {"ticket": TicketDecl, "chat": ChatDecl, "source": SourceDecl}


@dataclass(frozen=True, slots=True)
class Addressee:
    """A declared target with the system that speaks to it; `name` is `<table>:<name>`, as in the outbox."""

    name: str
    system: System
    declared: Any

    @property
    def dry_run(self) -> bool:
        """Whether nothing may be changed there."""
        return bool(self.declared.mode == "dry-run")


def addressees() -> dict[str, Addressee]:
    """All declared targets that a system exists for, by name."""
    rows = Connection.objects.filter(kind__in=DECLARATIONS).order_by("kind", "name")
    found = (_addressee(row) for row in rows)
    return {one.name: one for one in found if one is not None}


def _addressee(row: Connection) -> Addressee | None:
    declared = msgspec.convert(row.config, DECLARATIONS[row.kind])
    system = all_systems().get(declared.kind)
    if system is None or system.section != row.kind or not getattr(declared, "write_back", True):
        return None
    return Addressee(f"{row.kind}:{row.name}", system, declared)


def want_all(incident: Incident, now: datetime) -> int:
    """A newer revision of the incident for every target that is declared; a recording is told to nobody."""
    if incident.recorded_from:
        return 0
    names = list(addressees())
    for name in names:
        want(name, str(incident.pk), now)
    return len(names)


def want(target: str, object_id: str, now: datetime) -> None:
    """A newer revision of `object_id` for `target`. A row that backs off keeps its time; a dead one lives again."""
    with transaction.atomic():
        row, made = Outbox.objects.get_or_create(
            target=target, object=object_id, defaults={"next_at": now, "wanted_at": now}
        )
        if not made:
            waits = When(state="waiting", attempts__gt=0, then=F("next_at"))
            Outbox.objects.filter(pk=row.pk).update(
                revision=F("revision") + 1,
                next_at=Case(waits, default=Value(now)),
                attempts=Case(When(state="waiting", then=F("attempts")), default=Value(0), output_field=NUMBER),
                wanted_at=Case(When(state="waiting", then=F("wanted_at")), default=Value(now)),
                lost=Case(When(state="waiting", then=F("lost")), default=Value(0), output_field=NUMBER),
                state="waiting",
            )


def told_rows() -> QuerySet[Outbox]:
    """All rows of told targets: dead ones first, then those that wait, each the oldest first."""
    rank = Case(When(state="dead", then=Value(0)), When(state="waiting", then=Value(1)), default=Value(2))
    return Outbox.objects.exclude(target=GRAPH).annotate(rank=rank).order_by("rank", "wanted_at", "pk")


def unsent() -> QuerySet[Outbox]:
    """What waits or died, for all told targets."""
    return told_rows().exclude(state="done")


@dataclass(frozen=True, slots=True)
class Load:
    """What lies in the outbox for one target; `oldest` is since when the longest waiting row waits."""

    waiting: int = 0
    dead: int = 0
    oldest: datetime | None = None


def loads() -> dict[str, Load]:
    """By target, the graph too; targets for which everything is done are left out."""
    waits = Q(state="waiting")
    rows = Outbox.objects.exclude(state="done").values("target").annotate(
        waiting=Count("pk", filter=waits), dead=Count("pk", filter=Q(state="dead")),
        oldest=Min(Coalesce("wanted_at", "next_at"), filter=waits),
    )  # fmt: skip
    return {row["target"]: Load(row["waiting"], row["dead"], row["oldest"]) for row in rows.order_by("target")}


def waits(now: datetime) -> bool:
    """Whether a worker would find something to do."""
    resting = Target.objects.filter(failures__gte=FAILURES_TO_OPEN)
    rows = Outbox.objects.filter(state="waiting").exclude(target=GRAPH)
    due_now = rows.filter(next_at__lte=now).exclude(target__in=resting.values("name"))
    due_probe = rows.filter(target__in=resting.filter(open_until__lte=now).values("name"))
    return due_now.exists() or due_probe.exists()


def due(now: datetime) -> list[tuple[int, str]]:
    """Row ids with their target that may be sent now, targets taking turns. An open breaker is left to `probe`."""
    free = Q(claimed_until__isnull=True) | Q(claimed_until__lte=now)
    blocked = Target.objects.filter(Q(failures__gte=FAILURES_TO_OPEN) | Q(slot_at__gt=now)).values("name")
    rows = Outbox.objects.filter(free, state="waiting", next_at__lte=now).exclude(target=GRAPH)
    rows = rows.exclude(target__in=blocked)
    names = sorted(rows.order_by().values_list("target", flat=True).distinct())
    lists = [[(pk, name) for pk in _oldest(rows.filter(target=name))] for name in names]
    return [one for one in chain.from_iterable(zip_longest(*lists)) if one is not None]


def _oldest(rows: QuerySet[Outbox]) -> list[int]:
    return list(rows.order_by("next_at", "pk").values_list("pk", flat=True)[:PER_TARGET])


def probes(now: datetime) -> list[tuple[int, str]]:
    """One row for each target whose breaker is due to be tried, taken so that nobody else tries it this minute.

    The row that was tried longest ago goes first: one that always fails may not stand for the whole target.
    """
    found = []
    for name in Target.objects.filter(failures__gte=FAILURES_TO_OPEN, open_until__lte=now).values_list(
        "name", flat=True
    ):
        rows = Outbox.objects.filter(target=name, state="waiting")
        row = rows.order_by(F("tried_at").asc(nulls_first=True), "pk").first()
        won = row and Target.objects.filter(name=name, open_until__lte=now).update(open_until=now + PROBE_EVERY)
        if row and won:
            found.append((row.pk, name))
    return found


def take_slot(target: str, every_s: float, now: datetime, *, early: bool = False) -> bool:
    """Whether the target may be told now; if so, the next message waits for its time. `early` tries an open breaker."""
    row, _ = Target.objects.get_or_create(name=target)
    if row.failures >= FAILURES_TO_OPEN and not early:
        return False
    if not every_s:
        return row.slot_at is None or row.slot_at <= now
    free = Q(slot_at__isnull=True) | Q(slot_at__lte=now)
    return bool(Target.objects.filter(free, name=target).update(slot_at=now + timedelta(seconds=every_s)))


def next_slot_s(now: datetime) -> float:
    """Seconds until the first target with due rows may be told again; infinite when none waits for its pace."""
    due_now = Outbox.objects.filter(state="waiting", next_at__lte=now).exclude(target=GRAPH).values("target")
    rows = Target.objects.filter(slot_at__gt=now, failures__lt=FAILURES_TO_OPEN, name__in=due_now)
    soonest = rows.order_by("slot_at").values_list("slot_at", flat=True).first()
    return (soonest - now).total_seconds() if soonest else math.inf


def claim(row_id: int, now: datetime, *, early: bool = False) -> Outbox | None:
    """The row, if it waits and nobody else has it; `early` takes it before its time."""
    free = Q(claimed_until__isnull=True) | Q(claimed_until__lte=now)
    rows = Outbox.objects.filter(free, pk=row_id, state="waiting")
    if not early:
        rows = rows.filter(next_at__lte=now)
    won = rows.update(
        lost=Case(When(claimed_until__isnull=False, then=F("lost") + 1), default=F("lost"), output_field=NUMBER),
        claimed_until=now + LEASE, attempts=F("attempts") + 1, tried_at=now,
    )  # fmt: skip
    if not won:
        return None
    row = Outbox.objects.get(pk=row_id)
    if row.lost >= LOST_TO_DIE:
        refuse(row, f"no worker survived it in {LOST_TO_DIE} attempts; look at the workers' log", now)
        return None
    return row


def claim_all(ids: list[int], now: datetime) -> list[Outbox]:
    """Those of the waiting rows that nobody else has."""
    free = Q(claimed_until__isnull=True) | Q(claimed_until__lte=now)
    lease = now + LEASE
    with transaction.atomic():
        open_ = list(Outbox.objects.filter(free, pk__in=ids, state="waiting").values_list("pk", flat=True))
        won = [pk for pk in open_ if Outbox.objects.filter(free, pk=pk, state="waiting").update(
            claimed_until=lease, attempts=F("attempts") + 1, tried_at=now)]  # fmt: skip
    return list(Outbox.objects.filter(pk__in=won).order_by("pk"))


def mine(row: Outbox) -> QuerySet[Outbox]:
    """The row while this claim holds: nobody who lost it writes any more."""
    return Outbox.objects.filter(pk=row.pk, claimed_until=row.claimed_until)


class KeptMemory:
    """A system's memory of one row, in the row; every `put` is committed when it returns."""

    def __init__(self, row: Outbox) -> None:
        self._row = row

    def get(self, name: str) -> str:
        """The value, empty when nothing was kept."""
        return str(self._row.memory.get(name, ""))

    def put(self, **values: str) -> None:
        """Keeps values. Raises NotYet when the claim is lost."""
        memory = {**self._row.memory, **values}
        if not mine(self._row).update(memory=memory):
            raise NotYet("another worker has taken this over; it goes on there")
        self._row.memory = memory


class PassingMemory(KeptMemory):
    """The memory of a dry run: it begins as what is kept and is forgotten afterwards."""

    def put(self, **values: str) -> None:
        """Until the end of the attempt."""
        self._row.memory = {**self._row.memory, **values}


def finish(row: Outbox, now: datetime, **said: Any) -> None:
    """This revision is told; a newer one that came meanwhile keeps the row waiting. `said` are fields of the row."""
    kept = {"claimed_until": None, "attempts": 0, "lost": 0, "reason": "", "sent_revision": row.revision, **said}
    done = mine(row).filter(revision=row.revision).update(state="done", **kept)
    if not done:
        mine(row).update(next_at=now, wanted_at=now, **kept)


def receipt_kept(row: Outbox, receipt: Receipt) -> None:
    """What stands at the other side; a ticket is also linked with its incident."""
    if row.target.startswith("ticket:") and receipt.key:
        TicketLink.objects.update_or_create(
            incident_id=row.object, key=receipt.key[:255],
            defaults={"target": row.target, "url": receipt.url[:500]},
        )  # fmt: skip


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


def reached(target: str, now: datetime, *, refused: str = "") -> None:
    """The other side answered: the breaker closes, and after an outage everything that waits is due at once."""
    row, _ = Target.objects.get_or_create(name=target)
    news: dict[str, Any] = {"failed_at": now, "reason": refused[:2000]} if refused else {"succeeded_at": now}
    if row.failures:
        news |= {"failures": 0, "open_until": None} | ({} if refused else {"reason": ""})
    Target.objects.filter(pk=row.pk).update(**news)
    if row.failures >= FAILURES_TO_OPEN:
        Outbox.objects.filter(target=target, state="waiting").update(next_at=now, attempts=0)


def missed(target: str, reason: str, now: datetime, wait_s: float = 0.0) -> None:
    """The other side did not answer. Enough of these in a row open the breaker; a wait it asked for holds for all."""
    Target.objects.get_or_create(name=target)
    wait = timedelta(seconds=wait_s)
    Target.objects.filter(name=target).update(failures=F("failures") + 1, failed_at=now, reason=reason[:2000])
    open_ = Target.objects.filter(name=target, failures__gte=FAILURES_TO_OPEN)
    open_.update(open_until=now + max(PROBE_EVERY, wait))
    if wait_s:
        Target.objects.filter(name=target).update(slot_at=now + wait)


def counted(target: str, codes: dict[int, int]) -> None:
    """Adds to the counts of answers."""
    for code, number in sorted(codes.items()):
        rows = RequestCount.objects.filter(target=target, code=code)
        if not rows.update(count=F("count") + number):
            RequestCount.objects.get_or_create(target=target, code=code)
            rows.update(count=F("count") + number)


def send_again(rows: QuerySet[Outbox], now: datetime) -> int:
    """Dead, waiting or done rows are due now; how many. The breaker is tried at once too."""
    names = set(rows.order_by().values_list("target", flat=True))
    number = rows.exclude(target=GRAPH).update(state="waiting", attempts=0, lost=0, next_at=now)
    Target.objects.filter(name__in=names, open_until__isnull=False).update(open_until=now)
    Target.objects.filter(name__in=names).update(slot_at=None)
    return number


def first_messages(target: str, now: datetime, within: timedelta) -> tuple[int, list[int]]:
    """How many incidents the target was first told of lately, and the free rows of judged ones it was never told of."""
    lately = Outbox.objects.filter(target=target, first_at__gt=now - within).count()
    free = Q(claimed_until__isnull=True) | Q(claimed_until__lte=now)
    rows = Outbox.objects.filter(free, target=target, state="waiting", first_at__isnull=True)
    waiting = dict(rows.order_by("pk").values_list("object", "pk")[:DIGEST_MOST])
    judged = Incident.objects.filter(pk__in=list(waiting)).exclude(verdict_state="").values_list("pk", flat=True)
    return lately, sorted(waiting[str(pk)] for pk in judged)


def next_digest(target: str, every: timedelta, now: datetime, *, alone: bool) -> datetime:
    """When the next digest may go, now or later; going now is noted, so that nobody else sends one too.

    One incident `alone` at the beginning of a storm waits a little for the others.
    """
    row, _ = Target.objects.get_or_create(name=target)
    begins = row.digest_at is None or row.digest_at <= now - every
    at = now + min(GATHER, every) if begins and alone else now
    free = Q(digest_at__isnull=True) | Q(digest_at__lte=now)
    if Target.objects.filter(free, name=target).update(digest_at=at if at > now else now + every):
        return at
    return Target.objects.get(name=target).digest_at or now


def postpone(ids: list[int], until: datetime) -> None:
    """Not before that time."""
    Outbox.objects.filter(pk__in=ids, state="waiting").update(next_at=until)


def labels_for(incident_id: str, target: str) -> tuple[str, ...]:
    """Keys and labels under which the target may have a ticket of the incident already."""
    links = TicketLink.objects.filter(incident__pk=incident_id, target__in=["", target])
    return tuple(links.order_by("pk").values_list("key", flat=True))
