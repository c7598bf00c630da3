"""What people did at told targets, by webhook or by asking, into the record."""

from datetime import datetime

import structlog

from domain.errors import Malformed, ProductError, Refused
from incidents import said, targets
from incidents.models import Heard
from incidents.targets import Addressee
from ingest.telling import reached

log = structlog.get_logger()


def hear(heard_id: str) -> int:
    """One webhook into the record; how many events changed something."""
    row = said.claim(heard_id)
    if row is None:
        return 0
    try:
        changed = _heard(row)
        said.settle_heard(row, "done")
        return changed
    except (Malformed, Refused) as error:
        # Kept with its reason; it is not tried again by itself.
        said.settle_heard(row, "parked", str(error))
    except Exception as error:  # the border of a task: what is not expected counts as an attempt too
        log.exception("hearing_failed", target=row.target)
        said.try_later(row, str(error))
    return 0


def _heard(row: Heard) -> int:
    addressee = targets.addressees().get(row.target)
    if addressee is None:
        raise Refused(f"{row.target} is not declared any more; declare it again")
    with reached(addressee, row.received_at) as means:
        events = addressee.system.heard(means, row.headers, bytes(row.body))
    return sum(said.apply(row.target, event) for event in events)


def poll(now: datetime) -> int:
    """Asks every ticket system that sends no webhooks, where it is time; how many events changed something."""
    changed = 0
    for addressee in targets.addressees().values():
        if addressee.system.section == "ticket" and addressee.declared.poll_s and not _calls_us(addressee):
            changed += _asked(addressee, now)
    return changed


def _calls_us(addressee: Addressee) -> bool:
    declared = addressee.declared
    names = ("webhook_secret_file", "webhook_secret_env", "webhook_path_file", "webhook_path_env")
    return any(getattr(declared, name) for name in names)


def _asked(addressee: Addressee, now: datetime) -> int:
    keys = said.open_keys(addressee.name, now)
    since = said.take_poll(addressee.name, addressee.declared.poll_s, now) if keys else None
    if since is None:
        return 0
    try:
        with reached(addressee, now) as means:
            events = addressee.system.polled(means, keys, since)
        return sum(said.apply(addressee.name, event) for event in events)
    except ProductError as error:
        log.warning("poll_failed", target=addressee.name, error=str(error))
    except Exception:  # the border of a task: an answer that nobody expected holds up no other system
        log.exception("poll_failed", target=addressee.name)
    said.poll_failed(addressee.name, since)
    return 0
