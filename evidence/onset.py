"""When a fault can have begun: an alert whose rule waits starts late by that wait."""

from datetime import datetime, timedelta

from domain.scope import Scope

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
    """The start of the first alert, less what its rule waited; for rules of one's own the start itself."""
    starts = [a.started_at - timedelta(minutes=WAITS.get(a.name, 0)) for a in scope.alerts]
    return min([scope.started_at, *starts])
