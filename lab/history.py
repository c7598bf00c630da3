"""Makes bundles/history.json: earlier etcd incidents, each a marked recurrence of a recorded one.

Numbers and dates are multiplied; what was seen is what the recorded bundle's answers say. They teach the
similar-incidents part only and never enter an accuracy figure.
"""

import json
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from evidence.bundles import Bundle
from ingest.replay import look

# recorded bundle: how often it came back, its fix, and minutes to repair of each time
EARLIER: dict[str, tuple[str, tuple[int, ...]]] = {
    "etcd-switch-network-burst": ("The provider rerouted the link between the zones", (47, 31, 22, 52, 18, 40)),
    "etcd-switch-slow-disk": ("Moved the member's data folder to a dedicated SSD", (35, 28, 44, 19, 25)),
    "etcd-switch-frozen-leader": ("Moved a batch job off the leader's host", (12, 9, 16)),
    "etcd-move-leader": ("Nothing to fix: planned move by an operator", (3, 2)),
    "etcd-follower-restart": ("Nothing to fix: restart after a package update", (5,)),
}


def history(bundles: Path) -> list[dict[str, Any]]:
    """Seventeen entries, oldest first; fields are named like those of an incident's snapshot."""
    made: list[dict[str, Any]] = []
    for kind, (name, (fixed_by, repairs)) in enumerate(EARLIER.items()):
        bundle = Bundle.load(bundles / name)
        for number, minutes in enumerate(repairs):
            made.append(_entry(name, bundle, fixed_by, minutes, timedelta(days=9 + 8 * number + kind, hours=3 * kind)))
    return sorted(made, key=lambda e: str(e["started_at"]))


def _entry(name: str, bundle: Bundle, fixed_by: str, minutes: int, ago: timedelta) -> dict[str, Any]:
    scope, collected = look(bundle)
    started: datetime = (scope.started_at - ago).replace(microsecond=0)
    return {
        "title": bundle.title,
        "cause": bundle.truth.cause if bundle.truth else "",
        "fixed_by": fixed_by,
        "started_at": started.isoformat(),
        "resolved_at": (started + timedelta(minutes=minutes)).isoformat(),
        "minutes": minutes,
        "entities": [e.key for e in scope.entities],
        "findings": [f.measure for f in collected.findings if f.seen],
        "recurrence_of": name,
    }


def write(bundles: Path) -> int:
    """Writes the file; how many entries it has."""
    entries = history(bundles)
    (bundles / "history.json").write_text(json.dumps(entries, indent=1, ensure_ascii=False) + "\n")
    return len(entries)
