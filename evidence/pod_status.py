"""What a pod's own status says, as the API shows it now: ends, waits, readiness and conditions of its containers."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from lightkube.models.core_v1 import ContainerStateTerminated, ContainerStatus, Pod, PodCondition

from evidence.probe_specs import name_of

# 128 + SIGKILL and SIGTERM: a kill from outside is not a crash of the program.
KILLED = frozenset({137, 143})
# Every start passes through these.
HARMLESS = frozenset({"ContainerCreating", "PodInitializing", ""})
# What containers wait for while their image cannot be pulled.
IMAGE_WAITS = frozenset({
    "ErrImagePull", "ImagePullBackOff", "ErrImageNeverPull", "InvalidImageName", "ImageInspectError",
    "RegistryUnavailable", "SignatureValidationFailed",
})  # fmt: skip
SETTINGS_WAITS = frozenset({"CreateContainerConfigError"})
START_WAITS = frozenset({"CreateContainerError", "RunContainerError", "StartError", "ContainerCannotRun"})
MAIN = "kubectl.kubernetes.io/default-container"


@dataclass(frozen=True, slots=True)
class End:
    """How a container of a pod ended last; `message` is what it left, or its last words."""

    pod: str
    container: str
    code: int
    reason: str
    at: datetime | None
    message: str

    @property
    def by_itself(self) -> bool:
        """Whether the program ended with an error, and nobody killed it."""
        return self.code not in KILLED | {0} and self.reason != "OOMKilled"


@dataclass(frozen=True, slots=True)
class Wait:
    """What a container of a pod waits for; `init` for one that runs before the others."""

    pod: str
    container: str
    reason: str
    message: str
    init: bool = False


def containers(pod: Pod) -> list[ContainerStatus]:
    """The statuses of its containers; of a pod that is not started yet there are none."""
    return list(pod.status.containerStatuses or []) if pod.status else []


def init_containers(pod: Pod) -> list[ContainerStatus]:
    """The statuses of what runs before the others, without sidecars, which go on running."""
    always = {c.name for c in (pod.spec.initContainers or []) if c.restartPolicy == "Always"} if pod.spec else set()
    found = (pod.status.initContainerStatuses or []) if pod.status else []
    return [status for status in found if status.name not in always]


def ends(pods: Iterable[Pod], since: datetime, until: datetime) -> list[End]:
    """The last end of each container within the window; one whose time is not told counts."""
    found = [end for pod in pods for status in containers(pod) for end in _ends(pod, status)]
    return [end for end in found if end.at is None or since <= end.at <= until]


def _ends(pod: Pod, status: ContainerStatus) -> Iterator[End]:
    for state in (status.state, status.lastState):
        if state and state.terminated:
            yield _end(pod, status, state.terminated)


def _end(pod: Pod, status: ContainerStatus, ended: ContainerStateTerminated) -> End:
    at = utc(ended.finishedAt) if ended.finishedAt else None
    return End(name_of(pod), status.name, ended.exitCode, ended.reason or "", at, ended.message or "")


def waits(pods: Iterable[Pod]) -> list[Wait]:
    """What containers wait for that is not a step of every start."""
    found = []
    for pod in pods:
        for init, statuses in ((True, init_containers(pod)), (False, containers(pod))):
            for status in statuses:
                waiting = status.state.waiting if status.state else None
                if waiting and (waiting.reason or "") not in HARMLESS:
                    found.append(Wait(name_of(pod), status.name, waiting.reason or "", waiting.message or "", init))
    return found


def condition(pod: Pod, kind: str) -> PodCondition | None:
    """One condition of the pod; None where it is not told."""
    return next((c for c in (pod.status.conditions or []) if c.type == kind), None) if pod.status else None


def is_true(pod: Pod, kind: str) -> bool | None:
    """Whether a condition is true; None where it is not told."""
    found = condition(pod, kind)
    return None if found is None else found.status == "True"


def was_ever_ready(pod: Pod) -> bool | None:
    """Whether it was ready since it was started; None where the API does not tell."""
    ready = condition(pod, "Ready")
    if ready and ready.status == "True":
        return True
    begun = pod.status.startTime if pod.status else None
    begun = begun or (pod.metadata.creationTimestamp if pod.metadata else None)
    if ready is None or not ready.lastTransitionTime or not begun:
        return False if pod.status and pod.status.phase == "Pending" else None
    # The kubelet says "not ready" when it first sees the pod; a later time is that of a loss.
    return utc(ready.lastTransitionTime) - utc(begun) > timedelta(seconds=5)


def first_start(pod: Pod) -> datetime | None:
    """When the pod began, unless a container of it ended by itself: then when the last of them began anew."""
    began = [utc(s.state.running.startedAt) for s in containers(pod)
             if s.state and s.state.running and s.state.running.startedAt]  # fmt: skip
    restarted = [s for s in containers(pod) if s.restartCount]
    by_itself = any(end.by_itself or end.reason == "OOMKilled" for s in restarted for end in _ends(pod, s))
    if began and (not restarted or by_itself):
        return max(began)
    begun = (pod.status.startTime if pod.status else None) or (pod.metadata.creationTimestamp if pod.metadata else None)
    return utc(begun) if begun else None


def main_container(pod: Pod, workload: str) -> str:
    """The container that the pod is for: as annotated, else the one called like its workload, else the first."""
    names = [c.name for c in pod.spec.containers] if pod.spec else []
    annotated = ((pod.metadata.annotations or {}) if pod.metadata else {}).get(MAIN, "")
    return next((name for name in (annotated, workload) if name in names), names[0] if names else "")


def utc(time: datetime) -> datetime:
    """The same time, in UTC; the API's times without a zone are in UTC."""
    return time.astimezone(UTC) if time.tzinfo else time.replace(tzinfo=UTC)
