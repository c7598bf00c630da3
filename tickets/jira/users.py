"""Our own user in a Jira, so that our own changes are no ticket events."""

import threading
import time
from collections.abc import Mapping
from typing import Any

from tickets.jira.api import connect
from tickets.sanitize import one_line
from tickets.system import Transport

KEPT_S, KEPT = 3600.0, 100
NAMES = ("accountId", "key", "name", "emailAddress")

_own: dict[tuple[str, str, str], tuple[frozenset[str], float]] = {}
_lock = threading.Lock()


def names_of(user: Any) -> frozenset[str]:
    """Everything that identifies a user, Cloud or Data Center."""
    if not isinstance(user, Mapping):
        return frozenset()
    return frozenset(str(user[name]) for name in NAMES if user.get(name))


def own(transport: Transport) -> frozenset[str]:
    """What identifies our own user there, asked for once an hour, and the declared account."""
    declared = transport.declared
    place = (declared.url, declared.name, declared.account)
    with _lock:
        names, until = _own.get(place, (frozenset[str](), 0.0))
    if time.monotonic() < until:
        return names
    names = names_of(connect(transport).read("the own user", "myself")) | (
        {declared.account} if declared.account else set()
    )
    with _lock:
        if len(_own) >= KEPT:
            _own.clear()
        _own[place] = (names, time.monotonic() + KEPT_S)
    return names


def is_own(transport: Transport, user: Any) -> bool:
    """Whether it was us."""
    named = names_of(user)
    return bool(named) and bool(named & own(transport))


def shown(user: Any) -> str:
    """A user's name for people, bounded."""
    if not isinstance(user, Mapping):
        return ""
    name = user.get("displayName") or user.get("name") or user.get("accountId") or ""
    return one_line(str(name))[:150]
