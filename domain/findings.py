"""What a check found: one measured statement with its query, value and limit."""

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
    """Chart data of a finding; `name` says whose it is."""

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

    `seen` is True (the named thing was observed), False (looked, and it is not so) or None (unknown:
    then `why_unknown` says why). `value` is in `unit`; `limit` is what it was compared with.
    `from_`..`to` is the time range asked for; `query` is what a person can paste to check it.
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
