"""The text list that Amazon's managed Prometheus sends by default: Alertmanager's template `__text_alert_list`."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from typing import Literal

_HEAD: dict[str, Literal["firing", "resolved"]] = {"Alerts Firing:": "firing", "Alerts Resolved:": "resolved"}
# Far more than one message of SNS, 256 KiB, can hold.
MOST = 20_000
_PAIR = re.compile(r"- ([^=]{1,200}?) = (.*)")


@dataclass(slots=True)
class Listed:
    """One alert of the list, which has no times."""

    status: Literal["firing", "resolved"]
    labels: dict[str, str] = field(default_factory=dict)
    annotations: dict[str, str] = field(default_factory=dict)
    source: str = ""


def alerts_of(text: str) -> list[Listed]:
    """The alerts with labels that a text lists, none if it is no such list."""
    found = list(islice(_listed(text.splitlines()), MOST))
    return [listed for listed in found if listed.labels]


def _listed(lines: Iterable[str]) -> Iterator[Listed]:
    status: Literal["firing", "resolved"] | None = None
    one: Listed | None = None
    pairs: dict[str, str] = {}
    for line in map(str.strip, lines):
        status = _HEAD.get(line, status)
        if line == "Labels:" and status:
            one = Listed(status)
            yield one
            pairs = one.labels
        elif one is None:
            continue
        elif line == "Annotations:":
            pairs = one.annotations
        elif line.startswith("Source: "):
            one.source = line.removeprefix("Source: ")
        elif pair := _PAIR.fullmatch(line):
            pairs[pair[1]] = pair[2]
        elif line and line not in _HEAD and pairs:  # a value of several lines
            last = next(reversed(pairs))
            pairs[last] += f"\n{line}"
