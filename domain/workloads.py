"""Which workload a pod belongs to, by the form that its controller gives the pod's name. Pure.

The random parts come from an alphabet without vowels and without 0, 1 and 3, so that no words arise
(k8s.io/apimachinery/pkg/util/rand); a template hash has up to ten of these letters.
"""

import re
from collections.abc import Callable, Sequence

_SAFE = "bcdfghjklmnpqrstvwxz2456789"
# The hash that a ReplicaSet, or the like of other kinds (Rollout, CloneSet), puts into its name, then the pod's suffix.
_REPLICA_SET = re.compile(rf"(.+)-[{_SAFE}]{{5,10}}-[a-z0-9]{{5}}")
_HASHED = re.compile(rf"(.+)-[{_SAFE}]{{5,10}}")
# A CronJob names its Jobs after the minute, or in old versions the second, of their time.
_CRON_JOB_POD = re.compile(rf"(.+)-\d{{8,10}}-[{_SAFE}]{{5}}")
_CRON_JOB = re.compile(r"(.+)-\d{8,10}")
_ORDINAL = re.compile(r"(.+)-(?:0|[1-9]\d{0,3})")
_DAEMON_SET = re.compile(rf"(.+)-[{_SAFE}]{{5}}")
# Components whose pods are static or named after their node.
COMPONENTS = (
    "kube-apiserver", "kube-controller-manager", "kube-scheduler", "kube-proxy", "kube-vip", "cloud-controller-manager",
    "openshift-kube-scheduler", "etcd",
)  # fmt: skip
# OpenShift's guard pods (`etcd-guard-<node>`) only hold a node back from being drained.
_COMPONENT = re.compile(rf"({'|'.join(COMPONENTS)})-(?!guard-)(.+)")
CONTROL_PLANE_NAMESPACES = frozenset({"kube-system"})
_Form = Callable[[str], "re.Match[str] | None"]
_FORMS: Sequence[_Form] = (
    _CRON_JOB_POD.fullmatch, _REPLICA_SET.fullmatch, _ORDINAL.fullmatch, _DAEMON_SET.fullmatch,
)  # fmt: skip


def workload_of(pod: str, namespace: str = "") -> str:
    """The workload of a pod by its name; empty when the name has no form of a controller."""
    if static := static_pod(pod, namespace):
        return static[0]
    return next((found[1] for form in _FORMS if (found := form(pod))), "")


def owner_of_replica_set(replica_set: str) -> str:
    """The Deployment, or the like, that made a replica set, by the hash in its name; empty without one."""
    found = _HASHED.fullmatch(replica_set)
    return found[1] if found else ""


def cron_job_of(job: str) -> str:
    """The CronJob that made a Job, by the Job's name; empty when it has another form."""
    found = _CRON_JOB.fullmatch(job)
    return found[1] if found else ""


def static_pod(pod: str, namespace: str) -> tuple[str, str] | None:
    """Component and node of a control plane's static pod, which is named after both; None for any other pod."""
    found = _COMPONENT.fullmatch(pod)
    if found is None or not _of_control_plane(namespace) or _DAEMON_SET.fullmatch(pod):
        return None
    return found[1], found[2]


def _of_control_plane(namespace: str) -> bool:
    return namespace in CONTROL_PLANE_NAMESPACES or namespace.startswith("openshift-")
