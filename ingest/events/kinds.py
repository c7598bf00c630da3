"""Which kinds of failure the events of Kubernetes speak of, and the alert that each makes. Pure.

One reason of Kubernetes has several meanings: `BackOff` and `Failed` speak of an image that cannot be pulled as well as
of a container that does not stay up, or cannot be started. The message decides.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from domain.alerts import Family, Severity
from evidence.kubelet_messages import IMAGE

TITLE_CUT = 160
# Words of the kubelet and of Go's client around what went wrong.
PREFIXES = re.compile(
    r"^(?:\(combined from similar events\): )?"
    r"(?:(?:Readiness|Liveness|Startup) probe \w+[^:]{0,40}: |(?:Back-off pulling|Failed to pull) image |"
    r"Error: |Error creating: )?"
)
AROUND = re.compile(
    r'(?:Get|Head|Post) "[^"]*": | ?\((?:Client\.Timeout|caused by)[^)]*\)?| in pod \S+\([0-9a-f-]{36}\)'
)
# Reasons whose message decides which failure it is.
SEVERAL = frozenset({"BackOff", "Failed", "InspectFailed", "ErrImageNeverPull"})
# What containers wait for while their image cannot be pulled.
IMAGE_WAITS = frozenset({
    "ErrImagePull", "ImagePullBackOff", "ErrImageNeverPull", "InvalidImageName", "ImageInspectError",
    "RegistryUnavailable", "SignatureValidationFailed",
})  # fmt: skip
# A message that only names its reason, and one that does not name the cause: another of the group says more.
ONLY_A_REASON = re.compile(r"Error: \w+\s*")
NO_CAUSE = re.compile(r'Back-off pulling image "[^"]*"\s*')


@dataclass(frozen=True, slots=True)
class EventKind:
    """The alert of one kind of failure. `title` has {place}, {where}, {container} and {why}.

    `place` is the workload; `where` is the same with its container, where the pod has several.
    """

    name: str
    title: str
    severity: Severity = Severity.WARNING
    family: Family = Family.POD


KINDS: Mapping[str, EventKind] = MappingProxyType({
    "BackOff": EventKind("ContainerBackOff", "{container} of {place} does not stay up: {why}", Severity.HIGH),
    "ImagePull": EventKind("ImagePullFails", "Image of {where} cannot be pulled: {why}", Severity.HIGH),
    "ContainerStart": EventKind(
        "ContainerStartFails", "{container} of {place} cannot be started: {why}", Severity.HIGH
    ),
    "FailedMount": EventKind("VolumeMountFails", "Volume of {place} cannot be mounted: {why}", family=Family.STORAGE),
    "FailedAttachVolume": EventKind(
        "VolumeAttachFails", "Volume of {place} cannot be attached: {why}", family=Family.STORAGE
    ),
    "ProbeWarning": EventKind("ProbeWarning", "Probe of {where} warns: {why}", Severity.INFO, Family.PROBE),
    "FailedCreatePodSandBox": EventKind("PodFailedCreatePodSandBox", "Sandbox of {place} cannot be created: {why}"),
    "FailedPostStartHook": EventKind("PodFailedPostStartHook", "PostStart hook of {where} fails: {why}"),
    "FailedPreStopHook": EventKind("PodFailedPreStopHook", "PreStop hook of {where} fails: {why}"),
    "FailedKillPod": EventKind("PodFailedKillPod", "Pod of {place} cannot be stopped: {why}"),
    "Evicted": EventKind("PodEvicted", "Pod of {place} was evicted: {why}"),
    "FailedScheduling": EventKind(
        "PodUnschedulable", "Pod of {place} cannot be scheduled: {why}", family=Family.CAPACITY
    ),
    "FailedCreate": EventKind("PodCreateFails", "Pods of {place} cannot be created: {why}", family=Family.WORKLOAD),
    "NodeNotReady": EventKind("NodeNotReady", "Node {place} is not ready: {why}", Severity.HIGH, Family.NODE),
    "NodeHasDiskPressure": EventKind("NodeDiskPressure", "Node {place} runs out of disk: {why}", family=Family.NODE),
    "NodeHasInsufficientMemory": EventKind(
        "NodeMemoryPressure", "Node {place} runs out of memory: {why}", family=Family.NODE
    ),
    "NodeHasInsufficientPID": EventKind(
        "NodePIDPressure", "Node {place} runs out of process numbers: {why}", family=Family.NODE
    ),
})  # fmt: skip
NODE_FAILURES = frozenset({
    "NodeNotReady", "NodeHasDiskPressure", "NodeHasInsufficientMemory", "NodeHasInsufficientPID",
})  # fmt: skip


def failure_kind(reason: str, probe: str, message: str = "") -> str:
    """What events are grouped by: the probe, for its failures and the restarts that it caused, else what failed."""
    if probe and reason in {"Unhealthy", "Killing"}:
        return probe
    if reason not in SEVERAL:
        return reason
    if "restarting failed container" in message:
        return "BackOff"
    if IMAGE.search(message) or reason in {"InspectFailed", "ErrImageNeverPull"}:
        return "ImagePull"
    return "ContainerStart" if reason == "Failed" else reason


def kind_of(failure: str, reason: str, probe: str) -> EventKind:
    """The alert that a failure makes; of a reason without a row here, one that is named after it."""
    if probe and reason == "Killing":
        title = f"{probe} probe of {{where}} fails, its container is restarted: {{why}}"
        return EventKind(f"{probe}ProbeFails", title, Severity.HIGH, Family.PROBE)
    if probe and reason == "Unhealthy":
        return EventKind(f"{probe}ProbeFails", f"{probe} probe of {{where}} fails: {{why}}", family=Family.PROBE)
    word = "".join(c for c in reason if c.isalnum())[:80]
    return KINDS.get(failure) or EventKind(f"Pod{word}", f"{word} at {{place}}: {{why}}")


def clearest(messages: Sequence[str]) -> str:
    """The message for the title: the last one that names a cause, else the last one; empty without any."""
    cause = [m for m in messages if not ONLY_A_REASON.fullmatch(m) and not NO_CAUSE.fullmatch(m)]
    return (cause or list(messages) or [""])[-1]


def short(message: str) -> str:
    """The reason in a kubelet's message, without the text around it."""
    text = " ".join(AROUND.sub("", PREFIXES.sub("", message, count=1)).split())
    return text[:TITLE_CUT] or "no reason given"
