"""The three windows of a fault, before, during and after: read by every check, found by `evidence.fault_time`."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

from domain.alerts import ParsedAlert
from domain.scope import Scope

# A probe fails several times before the condition of a rule holds, and rates take a while to show it.
LEAD = timedelta(minutes=5)
# An alert that comes back within this belongs to the occurrence before.
PAUSE = timedelta(minutes=5)
# The `for` of the rules that the Kubernetes mixin and kube-prometheus ship, in minutes. Alertmanager's startsAt is
# when the alert fired, which is after it.
WAITS = {
    "KubePodCrashLooping": 15, "KubePodNotReady": 15, "KubeContainerWaiting": 60, "KubeJobFailed": 15,
    "KubeDeploymentGenerationMismatch": 15, "KubeDeploymentReplicasMismatch": 15, "KubeDeploymentRolloutStuck": 15,
    "KubeStatefulSetReplicasMismatch": 15, "KubeStatefulSetGenerationMismatch": 15,
    "KubeStatefulSetUpdateNotRolledOut": 15, "KubeDaemonSetRolloutStuck": 15, "KubeDaemonSetMisScheduled": 15,
    "KubeDaemonSetNotScheduled": 10, "KubeNodeNotReady": 15, "KubeNodeUnreachable": 15, "KubeNodePressure": 10,
    "KubeNodeReadinessFlapping": 15, "KubeletDown": 15, "KubeletPlegDurationHigh": 5,
    "KubeletPodStartUpLatencyHigh": 15, "KubeAPIDown": 15, "CPUThrottlingHigh": 15, "TargetDown": 10,
}  # fmt: skip


def fault_at(scope: Scope) -> datetime:
    """When the condition of the first alert began to hold: as found, else its start less what such a rule waits."""
    return scope.fault.began if scope.fault else usual_start(scope)


def episode(scope: Scope) -> tuple[ParsedAlert, ...]:
    """The alerts of the newest occurrence, in order of their start: those with no pause of five minutes before them."""
    newest: list[ParsedAlert] = []
    last = datetime.min.replace(tzinfo=UTC)
    for alert in sorted(scope.alerts, key=lambda a: (a.started_at, a.identity)):
        if alert.started_at - last > PAUSE:
            newest = []
        newest.append(alert)
        last = max(last, alert.ended_at or scope.as_of)
    return tuple(newest)


def usual_start(scope: Scope) -> datetime:
    """The start of the newest occurrence, less the `for` of published rules; of rules of one's own the start itself."""
    return _first(episode(scope), scope.as_of)


def first_start(scope: Scope) -> datetime:
    """The same of all occurrences of the incident."""
    return _first(scope.alerts, scope.started_at)


def _first(alerts: Iterable[ParsedAlert], otherwise: datetime) -> datetime:
    return min((a.started_at - timedelta(minutes=WAITS.get(a.name, 0)) for a in alerts), default=otherwise)


def fault_end(scope: Scope) -> datetime:
    """The end of the fault, or of the look while nothing says that it is over."""
    ended = scope.fault.ended if scope.fault else ended_at(scope)
    return min(ended, scope.as_of) if ended else scope.as_of


def is_over(scope: Scope) -> bool:
    """Whether every alert had ended by the look."""
    return fault_end(scope) < scope.as_of


def ended_at(scope: Scope) -> datetime | None:
    """The end of the last alert; None while one fires."""
    ends = [a.ended_at for a in episode(scope)]
    known = [end for end in ends if end is not None and end <= scope.as_of]
    return max(known) if known and len(known) == len(ends) else None


def onset_ms(scope: Scope) -> int:
    """Epoch ms from which on the fault may show."""
    return round((fault_at(scope) - LEAD).timestamp() * 1000)


def end_ms(scope: Scope) -> int:
    """Epoch ms of `as_of`."""
    return round(scope.as_of.timestamp() * 1000)


def fault_end_ms(scope: Scope) -> int:
    """Epoch ms until which the fault may show."""
    return round(fault_end(scope).timestamp() * 1000)
