"""How a declared target is reached: a client bound to its address, with its secrets, for one attempt."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

from django.conf import settings

from notify import targets
from notify.targets import Target
from tickets.system import Transport
from tickets.transport import Attempt, Traffic, client, known_secrets, secrets_of

ATTEMPT_S = 60.0


def transport_for(target: Target, traffic: Traffic, now: datetime, seconds: float = ATTEMPT_S) -> Transport:
    """The transport of one attempt of at most `seconds`; `traffic` collects what goes over it.

    Raises Refused when the declaration cannot be used.
    """
    secret = secrets_of(target.declared, settings.DECLARED_SECRET)
    traffic.secrets = known_secrets(secret)
    http = client(target.system, target.declared, secret, Attempt(traffic, seconds, target.dry_run))
    return Transport(target.declared, http, secret, now, target.dry_run, traffic.show)


@contextmanager
def transport_to(target: Target, now: datetime, seconds: float = ATTEMPT_S) -> Iterator[Transport]:
    """The transport for what is no notification: checks, webhooks and polls. Its responses are counted in any case."""
    traffic = Traffic()
    try:
        transport = transport_for(target, traffic, now, seconds)
        with transport.client:
            yield transport
    finally:
        targets.count_responses(target.name, traffic.codes)
