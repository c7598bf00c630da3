"""Tells the declared targets: each row of the outbox to its newest revision, or back with a reason."""

import threading
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta

import structlog
from django.conf import settings
from django.db import transaction
from django.utils import timezone

from domain.errors import Malformed, NotYet, Refused, Unreachable
from domain.snapshot import IncidentSnapshot
from incidents import outbox, queries
from incidents.models import Outbox
from incidents.outbox import Addressee
from incidents.reporting import known, report_of
from tickets import quiet
from tickets.report import Known
from tickets.system import Means, Memory, Notice, Occasion, Receipt
from tickets.transport import Attempt, Traffic, client, known_secrets, secrets_of, without

ROUND_S = 45.0
# The longest pace of a target that a worker waits for; after a longer one the sweeper comes back.
PACE_S = 4.0
# Two of a process's threads at most: a target that hangs must not keep the inbox waiting.
AT_ONCE = threading.BoundedSemaphore(2)
FAULTS_TO_DIE = 8
Clock = Callable[[], datetime]
log = structlog.get_logger()


def tell_waiting(
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
    known = outbox.addressees()
    rows = [(pk, name, True) for pk, name in outbox.probes(clock())]
    rows += [(pk, name, False) for pk, name in outbox.due(clock())]
    worked, held = 0, set[str]()
    for pk, name, early in rows:
        if name in held or time.monotonic() >= end:
            continue
        every_s = known[name].system.every_s if name in known else 0.0
        if outbox.take_slot(name, every_s, clock(), early=early):
            worked += tell(pk, known.get(name), clock, early=early)
        else:
            held.add(name)
    return worked


def _paused(clock: Clock, pause: Callable[[float], None]) -> bool:
    """Waits for the next slot of a target that keeps a pace, if that is soon."""
    now = clock()
    wait = outbox.next_slot_s(now)
    if wait > PACE_S:
        return False
    pause(wait)
    return clock() > now


def tell(row_id: int, addressee: Addressee | None, clock: Clock = timezone.now, *, early: bool = False) -> bool:
    """One row; whether it was this worker's to do."""
    row = outbox.claim(row_id, clock(), early=early)
    if row is None:
        return False
    if addressee is None:
        outbox.refuse(row, f"{row.target} is not declared any more; declare it again, or leave this", clock())
        return True
    Attempted(addressee, [row], clock).run()
    return True


@dataclass(frozen=True, slots=True)
class Attempted:
    """One attempt on claimed rows of one target; in a storm there are several, told by one message."""

    addressee: Addressee
    rows: list[Outbox]
    clock: Clock

    @property
    def name(self) -> str:
        """The target's name."""
        return self.addressee.name

    def run(self) -> None:
        """Whatever happens, the rows say so afterwards."""
        traffic = Traffic()
        try:
            self._tell(traffic)
        except NotYet as error:
            self._not_yet(self._clean(error), error.retry_after_s)
            outbox.reached(self.name, self.clock())
        except Unreachable as error:
            self._later(self._clean(error), error.retry_after_s)
        except (Refused, Malformed) as error:
            self._never(self._clean(error))
        except Exception as error:  # the border of a task: a fault of ours costs these rows alone
            log.exception("telling_failed", target=self.name, incidents=self._objects())
            self._fault(self._clean(error))
        finally:
            outbox.counted(self.name, traffic.codes)

    def _tell(self, traffic: Traffic) -> None:
        news = self._news(self.rows[0])
        if news is None:
            outbox.finish(self.rows[0], self.clock())
            return
        told = [news]
        if news.why is Occasion.VERDICT and self._stormy():
            told = self._gathered(news)
        if told:
            receipt = sent(self.addressee, digest_of(told, self.addressee), traffic, self.clock())
            self._done(told, receipt, traffic)

    def _news(self, row: Outbox) -> "News | None":
        """What there is to tell this target of the row's incident."""
        snapshot = queries.snapshot(row.object)
        standing = quiet.standing(snapshot)
        # What a dry run told was told to nobody.
        real = row.told and (self.addressee.dry_run or not row.told["dry_run"])
        why = quiet.occasion(quiet.Standing(**row.told["standing"]) if real else None, standing)
        least = getattr(self.addressee.declared, "min_severity", "info")
        if why is None or not quiet.speaks(why, edits=self.addressee.system.edits):
            return None
        return News(row, snapshot, standing, why) if quiet.severe_enough(snapshot, least) else None

    def _stormy(self) -> bool:
        limit = getattr(self.addressee.declared, "storm_incidents", 0)
        if not limit:
            return False
        lately, waiting = outbox.first_messages(self.name, self.clock(), self._window())
        return quiet.storm(lately, len(waiting) + 1, limit)

    def _window(self) -> timedelta:
        return timedelta(minutes=self.addressee.declared.storm_minutes)

    def _gathered(self, first: "News") -> "list[News]":
        """Everything that is new to the target, the worst first; nothing while the last digest is too fresh."""
        now = self.clock()
        _, waiting = outbox.first_messages(self.name, now, self._window())
        at = outbox.next_digest(self.name, self._window(), now, alone=not waiting)
        if at > now:
            outbox.release(self.rows[0], at)
            outbox.postpone(waiting, at)
            return []
        told = [first]
        for row in outbox.claim_all(waiting, now):
            self.rows.append(row)
            if news := self._news(row):
                told.append(news)
            else:
                outbox.finish(row, now)
        return sorted(told, key=lambda n: (-n.snapshot.severity.rank, n.snapshot.number))

    def _done(self, told: "list[News]", receipt: Receipt, traffic: Traffic) -> None:
        now, dry = self.clock(), self.addressee.dry_run
        held_back = traffic.held_back if dry else []
        with transaction.atomic():
            for news in told:
                row, kept = news.row, {"standing": asdict(news.standing), "dry_run": dry}
                said = {"told": kept, "preview": held_back, "sentence": asdict(receipt.sentence)}
                if dry:
                    outbox.finish(row, now, **said)
                    continue
                outbox.receipt_kept(row, receipt)
                key, url, first = receipt.key[:255], receipt.url[:500], row.first_at or now
                outbox.finish(row, now, **said, sent_at=now, first_at=first, key=key, url=url)
            outbox.reached(self.name, now)

    def _clean(self, error: Exception) -> str:
        secret = secrets_of(self.addressee.declared, settings.DECLARED_SECRET)
        return without(str(error), known_secrets(secret))

    def _objects(self) -> list[str]:
        return [row.object for row in self.rows]

    def _not_yet(self, reason: str, wait_s: float) -> None:
        for row in self.rows:
            outbox.back_off(row, reason, self.clock(), wait_s)

    def _later(self, reason: str, wait_s: float) -> None:
        log.warning("target_unreachable", target=self.name, incidents=self._objects(), error=reason)
        with transaction.atomic():
            self._not_yet(reason, wait_s)
            outbox.missed(self.name, reason, self.clock(), wait_s)

    def _never(self, reason: str) -> None:
        log.warning("target_refused", target=self.name, incidents=self._objects(), error=reason)
        with transaction.atomic():
            for row in self.rows:
                outbox.refuse(row, reason, self.clock())
            outbox.reached(self.name, self.clock(), refused=reason)

    def _fault(self, reason: str) -> None:
        reason = f"a fault of this program: {reason}"
        for row in self.rows:
            if row.attempts >= FAULTS_TO_DIE:
                outbox.refuse(row, reason, self.clock())
            else:
                outbox.back_off(row, reason, self.clock())


@dataclass(frozen=True, slots=True)
class News:
    """What there is to tell of one row's incident, and why now."""

    row: Outbox
    snapshot: IncidentSnapshot
    standing: quiet.Standing
    why: Occasion


def memory_of(row: Outbox, addressee: Addressee) -> Memory:
    """What the system kept of the row; a dry run keeps nothing."""
    return outbox.PassingMemory(row) if addressee.dry_run else outbox.KeptMemory(row)


def notice_of(news: News, addressee: Addressee, about: Known) -> Notice:
    """What is told of one incident, in the target's language."""
    return Notice(
        snapshot=news.snapshot, report=report_of(news.snapshot, about),
        revision=news.row.revision, occasion=news.why, language=addressee.declared.language,
        labels=outbox.labels_for(news.row.object, news.row.target),
    )  # fmt: skip


def digest_of(told: list[News], addressee: Addressee) -> tuple[Notice, Memory]:
    """The notice of the first with all others listed, and the first one's memory."""
    about = known()
    notice = notice_of(told[0], addressee, about)
    if len(told) > 1:
        others = tuple(report_of(news.snapshot, about) for news in told[1:])
        notice = replace(notice, occasion=Occasion.DIGEST, digest=others)
    return notice, memory_of(told[0].row, addressee)


def sent(addressee: Addressee, message: tuple[Notice, Memory], traffic: Traffic, now: datetime) -> Receipt:
    """Tells once. Raises what the system raises; the attempt's traffic is kept whatever happens."""
    means = means_for(addressee, traffic, now)
    with means.client:
        return addressee.system.tell(means, *message)


def means_for(addressee: Addressee, traffic: Traffic, now: datetime, seconds: float = 60.0) -> Means:
    """How a declared target is reached, for one attempt of at most `seconds`."""
    secret = secrets_of(addressee.declared, settings.DECLARED_SECRET)
    traffic.secrets = known_secrets(secret)
    attempt = Attempt(traffic, seconds, addressee.dry_run)
    reached = client(addressee.system, addressee.declared, secret, attempt)
    return Means(addressee.declared, reached, secret, now, addressee.dry_run, traffic.show)
