"""The state of the incident's pods by their own status in the API, in the same words as by kube-state-metrics."""

from collections.abc import Sequence
from dataclasses import replace

from lightkube.models.core_v1 import Pod

from domain.errors import ProductError, Refused
from domain.scope import Scope
from domain.text import Text
from evidence.check import Ask, MeasureResult, unmeasured
from evidence.clients.kubernetes import of
from evidence.onset import LEAD, fault_at
from evidence.pod_status import (
    HARMLESS,
    IMAGE_WAITS,
    SETTINGS_WAITS,
    START_WAITS,
    End,
    containers,
    ends,
    first_start,
    waits,
    was_ever_ready,
)
from evidence.pods import namespace
from evidence.probe_specs import ours

LISTED = ("pod-restarted", "pod-oom-killed", "pod-crashed", "pod-not-started", "pod-young", "pod-being-deleted",
          "pod-waiting")  # fmt: skip
YOUNG_S = 90
NOT_CRASHED = MeasureResult(False, Text("No container ended by itself with an error."), None, 0)


def by_api(ask: Ask) -> dict[str, MeasureResult]:
    """What the pods' statuses say now, of the window; what only an alert says where the API does not answer."""
    try:
        pods = own_pods(ask)
    except ProductError:
        if alerted := alerted_waits(ask.scope):
            return {"pod-waiting": replace(waiting(alerted), asked=False)}
        raise
    since, until = fault_at(ask.scope) - LEAD, ask.scope.as_of
    found = ends(pods, since, until)
    return {
        "pod-restarted": _restarted(pods, found),
        "pod-oom-killed": _oom(found),
        "pod-crashed": _crashed(found),
        "pod-not-started": _never_ready(pods),
        "pod-young": _young(pods, ask.scope),
        "pod-being-deleted": _deleted(pods),
        "pod-waiting": waiting([(wait.reason, wait.container) for wait in waits(pods)]),
    }


def own_pods(ask: Ask) -> list[Pod]:
    """The incident's pods. Raises Refused when none of them is there any more."""
    where = namespace(ask.scope)
    found = ours(ask.kubernetes(of("api/v1", where, "pods")).pods(where), ask.scope)
    if not found:
        raise Refused(Text("the pod is not there any more, so its status cannot be read"))
    return found


def alerted_waits(scope: Scope) -> list[tuple[str, str]]:
    """The reason that an alert of kube-state-metrics gives in a label of its own, with its container."""
    labels = [alert.labels for alert in scope.alerts if alert.labels.get("container")]
    reasons = [(x.get("reason", ""), x["container"]) for x in labels]
    return [(reason, container) for reason, container in reasons if _is_wait(reason)]


def _is_wait(reason: str) -> bool:
    return reason in IMAGE_WAITS | SETTINGS_WAITS | START_WAITS or reason == "CrashLoopBackOff"


def restarted(count: float, container: str) -> MeasureResult:
    """A container was restarted that often; `container` is the one that was most often."""
    yes = Text("Container {container} was restarted {count:.0f} times.", container=container, count=count)
    return MeasureResult(count > 0, yes if count > 0 else Text("No container was restarted."), count, 0)


def oom_killed(seen: bool, container: str) -> MeasureResult:
    """Whether a container was killed for memory, and which."""
    yes = Text("Container {container} was killed for memory (reason OOMKilled).", container=container)
    return MeasureResult(seen, yes if seen else Text("No container was killed for memory."))


def crashed(code: int | None, container: str) -> MeasureResult:
    """A container ended by itself with that exit code; None where only that it ended so is known."""
    if code is None:
        sentence = Text("Container {container} ended by itself; its exit code is unknown.", container=container)
        return MeasureResult(True, sentence, None, 0)
    sentence = Text("Container {container} ended by itself with exit code {code}.", container=container, code=code)
    return MeasureResult(True, sentence, float(code), 0)


def waiting(bad: Sequence[tuple[str, str]]) -> MeasureResult:
    """Of reasons with their containers, those that no start passes through."""
    held = sorted({pair for pair in bad if pair[0] not in HARMLESS})
    if not held:
        return MeasureResult(False, Text("No container was held back."), 0.0, 0)
    reasons = ", ".join(sorted({reason for reason, _ in held}))
    names = ", ".join(sorted({container for _, container in held}))
    sentence = Text("Container {containers} was waiting: {reasons}.", containers=names, reasons=reasons)
    return MeasureResult(True, sentence, float(len(reasons.split(", "))), 0, reasons)


def _restarted(pods: Sequence[Pod], found: Sequence[End]) -> MeasureResult:
    """Restarts whose time is known to lie in the window; how many of a count lie in it the API does not say."""
    counted = [s for pod in pods for s in containers(pod) if s.restartCount]
    lately = {end.container for end in found}
    recent = [status for status in counted if status.name in lately]
    if counted and not recent:
        return MeasureResult(False, Text("No container was restarted in this time."), 0.0, 0)
    most = max(recent, key=lambda s: s.restartCount, default=None)
    return restarted(float(most.restartCount), most.name) if most else restarted(0.0, "")


def _oom(found: Sequence[End]) -> MeasureResult:
    killed = next((end for end in found if end.reason == "OOMKilled"), None)
    return oom_killed(killed is not None, killed.container if killed else "")


def _crashed(found: Sequence[End]) -> MeasureResult:
    bad = sorted((end.code, end.container) for end in found if end.by_itself)
    return crashed(*bad[0]) if bad else NOT_CRASHED


def _never_ready(pods: Sequence[Pod]) -> MeasureResult:
    known = [was_ever_ready(pod) for pod in pods]
    if None in known and True not in known:
        return unmeasured(Text("the pod's status does not tell whether it was ever ready"))
    ever = True in known
    yes, no = Text("The pod was ready at some time."), Text("The pod was never ready since it was started.")
    return MeasureResult(not ever, yes if ever else no)


def _young(pods: Sequence[Pod], scope: Scope) -> MeasureResult:
    """Age when the fault can have begun; a pod that is younger than that is held against the alert itself."""
    starts = [at for pod in pods if (at := first_start(pod))]
    fault = fault_at(scope)
    at = fault if any(start <= fault for start in starts) else scope.started_at
    before = [start for start in starts if start <= at]
    if not before:
        return unmeasured(Text("the API does not tell when the pod began"))
    return age(max(0.0, (at - max(before)).total_seconds()))


def age(age_s: float) -> MeasureResult:
    """Whether the container was young at that age."""
    yes = Text("The container was {age_s:.0f} s old when the alert began.", age_s=age_s)
    no = Text("The container had run for {minutes:.0f} minutes.", minutes=age_s / 60)
    return MeasureResult(age_s < YOUNG_S, yes if age_s < YOUNG_S else no, age_s, YOUNG_S)


def _deleted(pods: Sequence[Pod]) -> MeasureResult:
    gone = any(pod.metadata and pod.metadata.deletionTimestamp for pod in pods)
    return MeasureResult(gone, Text("The pod was being deleted.") if gone else Text("The pod was not being deleted."))
