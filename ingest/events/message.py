"""The message of the Kubernetes watcher: what it writes, and what the source reads. Fields are added, never changed."""

from datetime import datetime
from typing import Literal

import msgspec

# The owner of a static pod is its node, which is no workload: the pod stands for itself.
STATIC_POD = "StaticPod"
NODE = "Node"
# Bounds of a message: pods and texts, and the characters of a text.
MOST_PODS = 20
MOST_MESSAGES = 5
MESSAGE_CUT = 2000
INIT, CONTAINER = "init container", "container"


class Owner(msgspec.Struct, frozen=True):
    """The workload, from owner references; kind Pod when a pod has no owner or is not known.

    Kind StaticPod with the pod's name for one that its node runs by itself, and Node for a node.
    """

    kind: str
    name: str


class PodSeen(msgspec.Struct, frozen=True):
    """A pod that an event was about."""

    name: str
    node: str = ""


class ContainerSeen(msgspec.Struct, frozen=True):
    """A container that an event was about; `role` is `container` or `init container`, `only` where it is alone."""

    name: str
    role: str = CONTAINER
    only: bool = False


class EventGroupMessage(msgspec.Struct, frozen=True):
    """The message. `first` identifies the occurrence; `count` is a number of events, not of failures.

    At least `after_deletion` of them came during a pod's deletion, and `at_start` in a container's first minute.
    `failure` is what the events were grouped by; it is empty in messages from before it was written.
    """

    version: Literal[1]
    state: Literal["firing", "resolved"]
    cluster: str
    namespace: str
    workload: Owner
    reason: str
    first: datetime
    last: datetime
    probe: Literal["", "Readiness", "Liveness", "Startup"] = ""
    pods: list[PodSeen] = []
    more_pods: int = 0
    messages: list[str] = []
    count: int = 1
    after_deletion: int = 0
    at_start: int = 0
    ended: datetime | None = None
    failure: str = ""
    containers: list[ContainerSeen] = []
