"""Tells the declared targets: each row of the outbox to its newest revision, or back with a reason."""

import threading
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import datetime

import structlog
from django.conf import settings
from django.db import transaction
from django.utils import timezone

from domain.errors import Malformed, NotYet, Refused, Unreachable
from domain.snapshot import IncidentSnapshot
from incidents import outbox, queries
from incidents.models import Outbox
from incidents.outbox import Addressee
from tickets import quiet
from tickets.report import build
from tickets.system import Means, Memory, Notice, Occasion, Receipt
from tickets.transport import Attempt, Traffic, client, known_secrets, secrets_of, without

ROUND_S = 45.0
# Two of a process's threads at most: a target that hangs must not keep the inbox waiting.
AT_ONCE = threading.BoundedSemaphore(2)
FAULTS_TO_DIE = 8
Clock = Callable[[], datetime]
log = structlog.get_logger()


def tell_waiting(clock: Clock = timezone.now, limit_s: float = ROUND_S) -> int:
    """Everything that is due, until nothing is or the time is over; how many rows were worked on."""
    if not AT_ONCE.acquire(blocking=False):
        return 0
    try:
        return _rounds(clock, time.monotonic() + limit_s)
    finally:
        AT_ONCE.release()


def _rounds(clock: Clock, end: float) -> int:
    done = 0
    while time.monotonic() < end:
        known = outbox.addressees()
        rows = [(pk, known.get(name), True) for pk, name in outbox.probes(clock())]
        rows += [(pk, known.get(name), False) for pk, name in outbox.due(clock())]
        worked = 0
        for pk, addressee, early in rows:
            if time.monotonic() >= end:
                break
            worked += tell(pk, addressee, clock, early=early)
        if not worked:
            break
        done += worked
    return done


def tell(row_id: int, addressee: Addressee | None, clock: Clock = timezone.now, *, early: bool = False) -> bool:
    """One row; whether it was this worker's to do."""
    if addressee and not outbox.take_slot(addressee.name, addressee.system.every_s, clock(), early=early):
        return False
    row = outbox.claim(row_id, clock(), early=early)
    if row is None:
        return False
    if addressee is None:
        outbox.refuse(row, f"{row.target} is not declared any more; declare it again, or leave this", clock())
        return True
    Attempted(row, addressee, clock).run()
    return True


@dataclass(frozen=True, slots=True)
class Attempted:
    """One attempt on one claimed row."""

    row: Outbox
    addressee: Addressee
    clock: Clock

    def run(self) -> None:
        """Whatever happens, the row says so afterwards."""
        traffic = Traffic()
        try:
            self._tell(traffic)
        except NotYet as error:
            outbox.back_off(self.row, self._clean(error), self.clock(), error.retry_after_s)
        except Unreachable as error:
            self._later(self._clean(error), error.retry_after_s)
        except (Refused, Malformed) as error:
            self._never(self._clean(error))
        except Exception as error:  # the border of a task: a fault of ours costs this row alone
            log.exception("telling_failed", target=self.row.target, incident=self.row.object)
            self._fault(self._clean(error))
        finally:
            outbox.counted(self.row.target, traffic.codes)

    def _tell(self, traffic: Traffic) -> None:
        snapshot = queries.snapshot(self.row.object)
        now = quiet.standing(snapshot)
        why = self._occasion(now)
        if not self._wanted(snapshot, why) or why is None:
            outbox.finish(self.row, self.clock())
            return
        rows, notice = self._notice(snapshot, why)
        receipt = sent(self.addressee, notice, memory_of(self.row, self.addressee), traffic, self.clock())
        self._done(rows, receipt, traffic)

    def _occasion(self, now: quiet.Standing) -> Occasion | None:
        told = self.row.told
        # What a dry run told was told to nobody.
        real = told and (self.addressee.dry_run or not told.get("dry_run"))
        return quiet.occasion(quiet.Standing(**told["standing"]) if real else None, now)

    def _wanted(self, snapshot: IncidentSnapshot, why: Occasion | None) -> bool:
        least = getattr(self.addressee.declared, "min_severity", "info")
        return quiet.speaks(why, edits=self.addressee.system.edits) and quiet.severe_enough(snapshot, least)

    def _notice(self, snapshot: IncidentSnapshot, why: Occasion) -> tuple[list[tuple[Outbox, quiet.Standing]], Notice]:
        """The notice, with all rows that it tells; the first one is this."""
        rows = [(self.row, quiet.standing(snapshot))]
        notice = notice_of(self.row, self.addressee, snapshot, why)
        return rows, notice

    def _done(self, rows: list[tuple[Outbox, quiet.Standing]], receipt: Receipt, traffic: Traffic) -> None:
        now, dry = self.clock(), self.addressee.dry_run
        with transaction.atomic():
            for row, standing in rows:
                told = {"standing": asdict(standing), "dry_run": dry}
                said = {"told": told, "preview": traffic.held_back if dry else [], "sentence": asdict(receipt.sentence)}
                if dry:
                    outbox.finish(row, now, **said)
                    continue
                outbox.receipt_kept(row, receipt)
                key, url, first = receipt.key[:255], receipt.url[:500], row.first_at or now
                outbox.finish(row, now, **said, sent_at=now, first_at=first, key=key, url=url)
            outbox.reached(self.row.target, now)

    def _clean(self, error: Exception) -> str:
        secret = secrets_of(self.addressee.declared, settings.DECLARED_SECRET)
        return without(str(error), known_secrets(secret))

    def _later(self, reason: str, wait_s: float) -> None:
        log.warning("target_unreachable", target=self.row.target, incident=self.row.object, error=reason)
        with transaction.atomic():
            outbox.back_off(self.row, reason, self.clock(), wait_s)
            outbox.missed(self.row.target, reason, self.clock(), wait_s)

    def _never(self, reason: str) -> None:
        log.warning("target_refused", target=self.row.target, incident=self.row.object, error=reason)
        with transaction.atomic():
            outbox.refuse(self.row, reason, self.clock())
            outbox.reached(self.row.target, self.clock(), refused=reason)

    def _fault(self, reason: str) -> None:
        if self.row.attempts >= FAULTS_TO_DIE:
            outbox.refuse(self.row, f"a fault of this program: {reason}", self.clock())
        else:
            outbox.back_off(self.row, f"a fault of this program: {reason}", self.clock())


def memory_of(row: Outbox, addressee: Addressee) -> Memory:
    """What the system kept of the row; a dry run keeps nothing."""
    return outbox.PassingMemory(row) if addressee.dry_run else outbox.KeptMemory(row)


def notice_of(row: Outbox, addressee: Addressee, snapshot: IncidentSnapshot, why: Occasion) -> Notice:
    """What is told of one incident, in the target's language."""
    return Notice(
        snapshot=snapshot, report=build(snapshot, base_url=settings.PUBLIC_URL), revision=row.revision, occasion=why,
        language=addressee.declared.language, labels=outbox.labels_for(row.object, row.target),
    )  # fmt: skip


def sent(addressee: Addressee, notice: Notice, memory: Memory, traffic: Traffic, now: datetime) -> Receipt:
    """Tells once. Raises what the system raises; the attempt's traffic is kept whatever happens."""
    means = means_for(addressee, traffic, now)
    with means.client:
        return addressee.system.tell(means, notice, memory)


def means_for(addressee: Addressee, traffic: Traffic, now: datetime, seconds: float = 60.0) -> Means:
    """How a declared target is reached, for one attempt of at most `seconds`."""
    secret = secrets_of(addressee.declared, settings.DECLARED_SECRET)
    traffic.secrets = known_secrets(secret)
    attempt = Attempt(traffic, seconds, addressee.dry_run)
    reached = client(addressee.system, addressee.declared, secret, attempt)
    return Means(addressee.declared, reached, secret, now, addressee.dry_run, traffic.show)
