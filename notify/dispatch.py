"""Tells the declared targets: each row of the outbox to its newest revision, or back with a reason."""

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

import structlog
from django.conf import settings
from django.db import transaction
from django.utils import timezone

from domain.errors import Malformed, NotYet, Refused, Unreachable
from domain.snapshot import IncidentSnapshot
from incidents import queries
from notify import dedup, outbox, targets
from notify.models import Outbox
from notify.reports import known, report_of
from notify.targets import Target
from tickets.report import Known
from tickets.system import Notification, Reason, Receipt, TargetState, Transport
from tickets.transport import Attempt, Traffic, client, known_secrets, secrets_of, without

ROUND_S = 45.0
# The longest pace of a target that a worker waits for; after a longer one the sweeper comes back.
PACE_S = 4.0
# A worker begins no further row of a batch after this time: the claim (130 s) has to outlast the row's attempt (60 s)
# and its last call (30 s).
BATCH_TIME = timedelta(seconds=30)
# Two of a process's threads at most: a target that hangs must not keep the inbox waiting.
AT_ONCE = threading.BoundedSemaphore(2)
FAULTS_TO_DIE = 8
Clock = Callable[[], datetime]
log = structlog.get_logger()


def dispatch_waiting(
    clock: Clock = timezone.now, limit_s: float = ROUND_S, pause: Callable[[float], None] = time.sleep
) -> int:
    """Everything that is due, until nothing is or the time is over; how many rows were worked on."""
    if not AT_ONCE.acquire(blocking=False):
        return 0
    try:
        done, end = 0, time.monotonic() + limit_s
        while time.monotonic() < end:
            worked = _round(clock, end)
            if not worked and not _paused(clock, pause):
                break
            done += worked
        return done
    finally:
        AT_ONCE.release()


def _round(clock: Clock, end: float) -> int:
    """Once through what is due, targets taking turns; one that keeps its pace is passed over for this round."""
    declared = targets.declared_targets()
    worked, held = 0, set[str]()
    for pk, name in outbox.probes(clock()):
        if targets.take_slot(name, 0.0, clock(), early=True):
            worked += notify([pk], declared.get(name), clock, early=True)
    for name, batch in outbox.due(clock()):
        if name in held or time.monotonic() >= end:
            continue
        every_s = declared[name].system.every_s if name in declared else 0.0
        if targets.take_slot(name, every_s, clock()):
            worked += notify(batch[:1] if every_s else batch, declared.get(name), clock)
        else:
            held.add(name)
    return worked


def _paused(clock: Clock, pause: Callable[[float], None]) -> bool:
    """Waits for the next slot of a target that keeps a pace, if that is soon."""
    now = clock()
    wait = targets.next_slot_s(now)
    if wait > PACE_S:
        return False
    pause(wait)
    return clock() > now


def notify(ids: Sequence[int], addressee: Target | None, clock: Clock = timezone.now, *, early: bool = False) -> int:
    """Some rows of one target; how many were this worker's to do."""
    rows = outbox.claim(ids, clock(), early=early)
    if addressee is None:
        for row in rows:
            outbox.refuse(row, f"{row.target} is not declared any more; declare it again, or leave this", clock())
    elif rows:
        DeliveryAttempt(addressee, rows, clock).run()
    return len(rows)


@dataclass(frozen=True, slots=True)
class Pending:
    """What there is to tell of one row's incident, and why now."""

    row: Outbox
    snapshot: IncidentSnapshot
    standing: dedup.LastState
    why: Reason


@dataclass(slots=True)
class DeliveryAttempt:
    """Claimed rows of one target, told one after the other, or in a storm by one message."""

    addressee: Target
    rows: list[Outbox]
    clock: Clock
    codes: dict[int, int] = field(default_factory=dict)
    about: Known | None = None
    labels: dict[str, tuple[str, ...]] = field(default_factory=dict)
    answered: bool = False

    @property
    def name(self) -> str:
        """The target's name."""
        return self.addressee.name

    def run(self) -> None:
        """Whatever happens, every row says so afterwards."""
        began, reached = self.clock(), True
        try:
            messages = self._messages()
        except Exception as error:  # the border of a task: a fault of ours costs these rows alone
            log.exception("telling_failed", target=self.name)
            self._fault(self.rows, error)
            return
        for message in messages:
            if reached and self.clock() - began < BATCH_TIME:
                reached = self._send(message)
            else:
                for news in message:
                    outbox.release(news.row, self.clock())
        targets.count_responses(self.name, self.codes)

    def _messages(self) -> list[list[Pending]]:
        """What is sent, in order; each message tells one incident, or all that are new in a storm."""
        news = self._news(self.rows)
        first = [one for one in news if one.why is Reason.VERDICT and one.row.first_at is None]
        if not first or not self._stormy(len(first)):
            return [[one] for one in news]
        rest = [[one] for one in news if one not in first]
        gathered = self._gathered(first)
        return [gathered, *rest] if gathered else rest

    def _news(self, rows: list[Outbox]) -> list[Pending]:
        """What there is to tell this target of; rows with nothing to tell are done."""
        ids = [row.object for row in rows]
        self.labels |= outbox.labels_for(self.name, ids)
        found = {s.id: s for s in queries.snapshots(ids, with_findings=False)}
        news = [self._one(row, found.get(row.object)) for row in rows]
        for row, one in zip(rows, news, strict=True):
            if one is None:
                outbox.finish(row, self.clock())
        return [one for one in news if one is not None]

    def _one(self, row: Outbox, snapshot: IncidentSnapshot | None) -> Pending | None:
        if snapshot is None:
            return None
        # What a dry run told was told to nobody.
        real = row.last_sent and (self.addressee.dry_run or not row.last_sent["dry_run"])
        standing = dedup.state_of(snapshot)
        why = dedup.reason_to_notify(dedup.stored_state(row.last_sent["standing"]) if real else None, standing)
        if why is None or not dedup.passes(why, edits=self.addressee.system.edits):
            return None
        least = getattr(self.addressee.declared, "min_severity", "info")
        return Pending(row, snapshot, standing, why) if dedup.severe_enough(snapshot, least) else None

    def _stormy(self, claimed: int) -> bool:
        limit = getattr(self.addressee.declared, "storm_incidents", 0)
        if not limit:
            return False
        lately, waiting = outbox.first_messages(self.name, self.clock(), self._window())
        return dedup.storm(lately, len(waiting) + claimed, limit)

    def _window(self) -> timedelta:
        return timedelta(minutes=self.addressee.declared.storm_minutes)

    def _gathered(self, first: list[Pending]) -> list[Pending]:
        """Everything that is new to the target, the worst first; nothing while the last digest is too fresh."""
        now = self.clock()
        _, waiting = outbox.first_messages(self.name, now, self._window())
        at = targets.next_digest(self.name, self._window(), now, alone=len(waiting) + len(first) == 1)
        if at > now:
            for news in first:
                outbox.release(news.row, at)
            outbox.postpone(waiting, at)
            return []
        more = outbox.claim(waiting, now, early=True)
        return sorted([*first, *self._news(more)], key=lambda n: (-n.snapshot.severity.rank, n.snapshot.number))

    def _send(self, message: list[Pending]) -> bool:
        """One message; whether the target can be told more now."""
        traffic, rows = Traffic(), [news.row for news in message]
        try:
            self._done(message, self._sent(message, traffic), traffic)
        except NotYet as error:
            self._later(rows, error)
            targets.succeeded(self.name, self.clock())
        except Unreachable as error:
            self._away(rows, error)
            return False
        except (Refused, Malformed) as error:
            self._never(rows, error)
        except Exception as error:  # the same border
            log.exception("telling_failed", target=self.name, incidents=[row.object for row in rows])
            self._fault(rows, error)
        finally:
            for code, number in traffic.codes.items():
                self.codes[code] = self.codes.get(code, 0) + number
        return True

    def _sent(self, message: list[Pending], traffic: Traffic) -> Receipt:
        self.about = self.about or known()
        labels = self.labels.get(message[0].row.object, ())
        notice = notification_of(message, self.addressee.declared.language, labels, self.about)
        means = transport_for(self.addressee, traffic, self.clock())
        with means.client:
            return self.addressee.system.tell(means, notice, target_state_of(message[0].row, self.addressee))

    def _done(self, message: list[Pending], receipt: Receipt, traffic: Traffic) -> None:
        now, dry = self.clock(), self.addressee.dry_run
        said: dict[str, Any] = {"preview": traffic.held_back if dry else [], "sentence": asdict(receipt.sentence)}
        if not dry:
            said |= {"sent_at": now, "key": receipt.key[:255], "url": receipt.url[:500]}
        with transaction.atomic():
            for news in message:
                row, told = news.row, {"standing": asdict(news.standing), "dry_run": dry}
                if not dry:
                    outbox.receipt_kept(row, receipt)
                outbox.finish(row, now, last_sent=told, first_at=row.first_at if dry else row.first_at or now, **said)
            if not self.answered:
                targets.succeeded(self.name, now)
        self.answered = True

    def _clean(self, error: Exception) -> str:
        secret = secrets_of(self.addressee.declared, settings.DECLARED_SECRET)
        return without(str(error), known_secrets(secret))

    def _warn(self, event: str, rows: list[Outbox], reason: str) -> None:
        log.warning(event, target=self.name, incidents=[row.object for row in rows], error=reason)

    def _later(self, rows: list[Outbox], error: Unreachable) -> None:
        for row in rows:
            outbox.back_off(row, self._clean(error), self.clock(), error.retry_after_s)

    def _away(self, rows: list[Outbox], error: Unreachable) -> None:
        reason = self._clean(error)
        self._warn("target_unreachable", rows, reason)
        with transaction.atomic():
            self._later(rows, error)
            targets.failed(self.name, reason, self.clock(), error.retry_after_s)

    def _never(self, rows: list[Outbox], error: Exception) -> None:
        reason = self._clean(error)
        self._warn("target_refused", rows, reason)
        with transaction.atomic():
            for row in rows:
                outbox.refuse(row, reason, self.clock())
            targets.succeeded(self.name, self.clock(), refused=reason)

    def _fault(self, rows: list[Outbox], error: Exception) -> None:
        reason = f"a fault of this program: {self._clean(error)}"
        for row in rows:
            if row.attempts >= FAULTS_TO_DIE:
                outbox.refuse(row, reason, self.clock())
            else:
                outbox.back_off(row, reason, self.clock())


def target_state_of(row: Outbox, addressee: Target) -> TargetState:
    """What the system kept of the row; a dry run keeps nothing."""
    return outbox.PassingTargetState(row) if addressee.dry_run else outbox.StoredTargetState(row)


def notification_of(message: list[Pending], language: str, labels: tuple[str, ...], about: Known) -> Notification:
    """What is told: one incident, or the first of a digest with all others listed. `labels` find its ticket."""
    first = message[0]
    report = report_of(first.snapshot, about)
    notice = Notification(first.snapshot, report, first.row.revision, first.why, language, labels)
    if len(message) == 1:
        return notice
    others = tuple(report_of(news.snapshot, about) for news in message[1:])
    return replace(notice, occasion=Reason.DIGEST, digest=others)


def transport_for(addressee: Target, traffic: Traffic, now: datetime, seconds: float = 60.0) -> Transport:
    """How a declared target is reached, for one attempt of at most `seconds`."""
    secret = secrets_of(addressee.declared, settings.DECLARED_SECRET)
    traffic.secrets = known_secrets(secret)
    attempt = Attempt(traffic, seconds, addressee.dry_run)
    reached = client(addressee.system, addressee.declared, secret, attempt)
    return Transport(addressee.declared, reached, secret, now, addressee.dry_run, traffic.show)


@contextmanager
def transport_to(addressee: Target, now: datetime, seconds: float = 60.0) -> Iterator[Transport]:
    """How a declared target is reached when nothing is told; what it answers is counted, whatever comes of it."""
    traffic = Traffic()
    try:
        means = transport_for(addressee, traffic, now, seconds)
        with means.client:
            yield means
    finally:
        targets.count_responses(addressee.name, traffic.codes)
