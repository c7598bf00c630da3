"""The labels of an alert, divided into those of its subject and those of the target that was scraped. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass

from domain.connections import SourceDecl
from subjects.subject import Sent
from subjects.tables import Reporter, Row, reporter_named

# How the label of the cluster is called in the field, the usual one first.
CLUSTER_LABELS = (
    "cluster", "cluster_name", "k8s_cluster", "k8s_cluster_name", "kubernetes_cluster", "kube_cluster", "cluster_id",
    "clusterID", "k8s.cluster.name",
)  # fmt: skip
# What Prometheus and the usual scrape configurations attach to every series of a target.
TARGET_LABELS = ("namespace", "pod", "container", "service", "endpoint", "instance", "job")
EXPORTED = "exported_"
# How OpenTelemetry and the scrape configurations of older Prometheus charts call the usual labels.
_OBJECTS = {
    "pod": "pod", "namespace": "namespace", "node": "node", "container": "container", "deployment": "deployment",
    "statefulset": "statefulset", "daemonset": "daemonset", "replicaset": "replicaset", "cronjob": "cronjob",
    "job": "job_name",
}  # fmt: skip
USUAL = {
    **{f"k8s{dot}{name}{dot}name": usual for dot in "_." for name, usual in _OBJECTS.items()},
    "kubernetes_pod_name": "pod", "kubernetes_namespace": "namespace", "kubernetes_name": "service",
}  # fmt: skip
# Labels by which a reporter is known. A pod's name is none: a pod of a reporter may be ill itself.
NAMING_LABELS = ("job", "service", "container", "app", "app_kubernetes_io_name", "k8s_app", "component")


@dataclass(frozen=True, slots=True)
class View:
    """`own` are the labels of the subject, `target` those of what was scraped; a label may be in both.

    `exported` is whether the series' own labels had to give way, as with `honor_labels: false`.
    """

    own: Mapping[str, str]
    target: Mapping[str, str]
    cluster: str
    reporter: Reporter | None
    exported: bool = False

    @property
    def namespace(self) -> str:
        """The subject's namespace, empty when no label gives one."""
        return self.own.get("namespace", "")


def view_of(sent: Sent, declared: SourceDecl, row: Row | None) -> View:
    """The divided labels of one alert, without those that only a reporter has."""
    labels = _usual({label: value for label, value in sent.labels.items() if value})
    cluster = cluster_of(labels, declared)
    reporter = reporter_named(labels.get(label, "") for label in NAMING_LABELS)
    target = {label: labels[label] for label in TARGET_LABELS if label in labels}
    exported = {label.removeprefix(EXPORTED): v for label, v in labels.items() if label.startswith(EXPORTED)}
    if exported:
        left = {label: v for label, v in labels.items() if label not in target and not label.startswith(EXPORTED)}
        return View(left | exported, target, cluster, reporter, exported=True)
    if row is None and reporter is not None:
        labels = {label: value for label, value in labels.items() if not _of_reporter(label, labels, reporter)}
    return View(labels, target, cluster, reporter)


def _usual(labels: Mapping[str, str]) -> dict[str, str]:
    """The labels, with the usual ones beside those that are called otherwise; a usual label that is there stays."""
    return {USUAL[label]: value for label, value in labels.items() if label in USUAL} | dict(labels)


def cluster_of(labels: Mapping[str, str], declared: SourceDecl) -> str:
    """The cluster by the labels that the source declares for it, or by the usual ones."""
    own = [declared.cluster_label] if isinstance(declared.cluster_label, str) else declared.cluster_label
    return next((labels[name] for name in [n for n in own if n] or CLUSTER_LABELS if labels.get(name)), "")


def _of_reporter(label: str, labels: Mapping[str, str], reporter: Reporter) -> bool:
    """Whether a label speaks of the reporter itself; its address does unless it is what is reported on."""
    match label:
        case "job" | "endpoint":
            return True
        case "instance":
            return reporter.exports == "nothing"
        case "service" | "container":
            return reporter_named([labels[label]]) == reporter
        case "pod":
            own = (
                reporter_named([labels.get("container", "")]) == reporter or reporter_named([labels["pod"]]) == reporter
            )
            return own or (reporter.exports == "host" and reporter.name != "kubelet")
    return False
