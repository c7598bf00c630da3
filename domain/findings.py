"""Findings of checks: a measured statement with its query, value and limit."""

from dataclasses import dataclass
from datetime import datetime

import msgspec

from domain.text import Text


class Point(msgspec.Struct, frozen=True, gc=False):
    """One sample: epoch milliseconds UTC, value in the series' unit."""

    at_ms: int
    value: float


@dataclass(frozen=True, slots=True)
class Series:
    """Chart data of a finding; `name` names what was measured."""

    name: str
    points: tuple[Point, ...]


@dataclass(frozen=True, slots=True)
class Item:
    """One line of a finding's detail table, e.g. one member pair."""

    name: str
    value: float | None
    note: str = ""
    exceeds: bool | None = None


@dataclass(frozen=True, slots=True)
class Finding:
    """The answer to one measure in one investigation.

    `seen` is True (it was observed), False (measured and not so) or None (unknown, with the reason in
    `why_unknown`). `value` is in `unit`; `limit` is what it was compared with.
    `from_`..`to` is the time range asked for; `query` can be pasted to check the value. `kept_from` is the time of the
    earlier look that found it, where this one could not ask again.
    """

    measure: str
    check: str
    seen: bool | None
    sentence: Text
    value: float | None = None
    unit: str = ""
    limit: float | None = None
    subject: str = ""
    query: str = ""
    from_: datetime | None = None
    to: datetime | None = None
    connection: str = ""
    why_unknown: Text | None = None
    items: tuple[Item, ...] = ()
    series: tuple[Series, ...] = ()
    first_seen_at: datetime | None = None
    kept_from: datetime | None = None
