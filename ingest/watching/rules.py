"""When one kind of failure opens a group of events, and what keeps it open: a table, by what the events are grouped by.

Most kinds need several events, because one may pass by itself. Some are worth an alert alone. Others last: the state of
the pod or node says whether the failure is still there, so one event is enough once it has been so for a while.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from types import MappingProxyType

from ingest.events.kinds import IMAGE_WAITS
from ingest.watching.event_rules import NodeState, PodState

RESOLVE_AFTER = timedelta(minutes=5)
# A rollout waits for a place or an image for a moment; a node that restarts its kubelet is away for a moment.
LASTS = timedelta(seconds=30)
# A controller tries to make a pod again after up to 16 min 40 s (client-go's rate limiter: at most 1000 s).
BETWEEN_CREATIONS = timedelta(minutes=20)


@dataclass(slots=True)
class Seen:
    """What is known of the cluster now: pods by uid, nodes by name, and whether a list of each came in."""

    pods: dict[str, PodState] = field(default_factory=dict)
    nodes: dict[str, NodeState] = field(default_factory=dict)
    pods_listed: bool = False
    nodes_listed: bool = False


# Whether the failure is still there, of one pod by its uid, or of a node by its name.
Fails = Callable[[Seen, str], bool]


def not_ready(seen: Seen, uid: str) -> bool:
    """A pod that is there, is meant to stay, and is not Ready."""
    pod = seen.pods.get(uid)
    return pod is not None and pod.stays and not pod.ready


def unscheduled(seen: Seen, uid: str) -> bool:
    """A pod that has no node yet."""
    pod = seen.pods.get(uid)
    return pod is not None and pod.stays and not pod.node


def without_image(seen: Seen, uid: str) -> bool:
    """A pod with a container that waits for its image."""
    pod = seen.pods.get(uid)
    return pod is not None and pod.stays and not pod.ready and bool(IMAGE_WAITS & set(pod.waiting))


def still_there(seen: Seen, uid: str) -> bool:
    """A pod that is not gone."""
    pod = seen.pods.get(uid)
    return pod is not None and pod.gone_at is None and not pod.ended


def node_not_ready(seen: Seen, name: str) -> bool:
    """A node that is there and not Ready."""
    node = seen.nodes.get(name)
    return node is not None and not node.ready


def under(pressure: str) -> Fails:
    """A node with that condition, e.g. DiskPressure."""

    def fails(seen: Seen, name: str) -> bool:
        node = seen.nodes.get(name)
        return node is not None and pressure in node.pressures

    return fails


def never(_seen: Seen, _name: str) -> bool:
    """What is over once it happened."""
    return False


@dataclass(frozen=True, slots=True)
class Rule:
    """`alone`: one event opens. `several`: several events open. `lasts`: one opens when `fails` holds that long after.

    It stays open while `fails`, and `quiet` after the last event. With `in_deletion` pods that are being deleted count
    as well, and with `in_start` containers in their first minute.
    """

    fails: Fails = not_ready
    alone: bool = False
    several: bool = True
    lasts: timedelta | None = None
    quiet: timedelta | None = None
    in_deletion: bool = False
    in_start: bool = True
    of_node: bool = False


_PROBE = Rule(in_start=False)
RULES: Mapping[str, Rule] = MappingProxyType({
    "Readiness": _PROBE,
    "Liveness": _PROBE,
    "Startup": _PROBE,
    "ProbeWarning": _PROBE,
    "BackOff": Rule(alone=True),
    "ImagePull": Rule(without_image, lasts=LASTS),
    "FailedScheduling": Rule(unscheduled, several=False, lasts=LASTS),
    "FailedKillPod": Rule(still_there, in_deletion=True),
    "Evicted": Rule(never, alone=True, in_deletion=True),
    "FailedCreate": Rule(never, quiet=BETWEEN_CREATIONS),
    "NodeNotReady": Rule(node_not_ready, several=False, lasts=LASTS, of_node=True),
    "NodeHasDiskPressure": Rule(under("DiskPressure"), several=False, lasts=LASTS, of_node=True),
    "NodeHasInsufficientMemory": Rule(under("MemoryPressure"), several=False, lasts=LASTS, of_node=True),
    "NodeHasInsufficientPID": Rule(under("PIDPressure"), several=False, lasts=LASTS, of_node=True),
})  # fmt: skip
EVERY_OTHER = Rule()


def rule_of(failure: str) -> Rule:
    """The rule of a kind of failure."""
    return RULES.get(failure, EVERY_OTHER)
