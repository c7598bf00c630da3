"""Is a change the cause: do the symptoms start after it, and only on what it changed?"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from domain.scope import ChangeRef, Scope
from evidence.clients.prometheus import Answered
from evidence.onset import fault_at
from evidence.pods import keys, named, workload, workload_of
from evidence.unready import Crowd, Fallen

# A rollout's replica set is made within this time of the recorded change it belongs to.
AROUND = timedelta(minutes=10)
REPORTED_LATE = timedelta(seconds=60)
LOOK_BACK = timedelta(hours=1)
# A new pod that is broken is never ready; a new setting may be read a little later.
SOON_ROLLED, SOON_READ = timedelta(seconds=60), timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Changed:
    """One change: when, what it is called, and the pods of the namespace that it made anew or touched."""

    at: datetime
    title: str
    pods: frozenset[str]
    rolled: bool


def changes(scope: Scope, crowd: Crowd, around: Answered) -> list[Changed]:
    """New replica sets of the workload, and recorded changes of what the incident is about, latest last."""
    own = workload(scope)
    mine = {pod for pod in crowd.nodes if workload_of(pod) == own}
    made = _replica_sets(scope, around, own)
    found = [Changed(at, f"replica set {name}", frozenset(p for p in mine if crowd.owners.get(p) == name), rolled=True)
             for name, at in made.items()]  # fmt: skip
    for change in scope.changes:
        if change.at <= scope.started_at and keys(scope) & set(change.entities):
            found.append(_changed(change, mine, made, crowd))
    return sorted(found, key=lambda c: (c.at, c.title))


def _changed(change: ChangeRef, mine: set[str], made: dict[str, datetime], crowd: Crowd) -> Changed:
    """It changed the pods of a replica set made around it, or else all pods of the workload."""
    names = {name for name, at in made.items() if -REPORTED_LATE <= at - change.at <= AROUND}
    pods = {p for p in mine if crowd.owners.get(p) in names} if names else mine
    return Changed(change.at, change.title, frozenset(pods), rolled=bool(names))


def _replica_sets(scope: Scope, around: Answered, own: str) -> dict[str, datetime]:
    """Replica sets of the workload that were made in the hour before the fault, where an older one exists."""
    times = {line.labels.get("replicaset", ""): datetime.fromtimestamp(line.points[-1].value, UTC)
             for line in named(around, "kube_replicaset_created") if line.points}  # fmt: skip
    same = {name: at for name, at in times.items() if name.rpartition("-")[0] == own}
    fault = fault_at(scope)
    first = min(same.values(), default=fault)
    # The workload's first one is its own start, not a change.
    return {name: at for name, at in same.items() if first < at and fault - LOOK_BACK <= at <= scope.as_of}


def verdict(changed: Changed, fallen: list[Fallen]) -> bool | None:
    """True when all fell after it, (nearly) all of them are what it changed, and they fell soon after it.

    None when they fell after it, and only later: then the order of times says nothing either way.
    """
    hit = [f for f in fallen if f.pod in changed.pods]
    at_ms = changed.at.timestamp() * 1000
    early = [f for f in fallen if f.first_ms < at_ms]
    if not hit or early or len(hit) < 0.9 * len(fallen):
        return False
    soon = (SOON_ROLLED if changed.rolled else SOON_READ).total_seconds() * 1000
    return True if min(f.first_ms for f in hit) <= at_ms + soon else None
