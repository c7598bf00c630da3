"""etcd and the control plane by the words of an alert, where its rule is not known. Pure."""

import re
from collections.abc import Iterator, Mapping

from domain.alerts import Family
from domain.entities import EntityKind, EntityRef
from domain.text import Text
from domain.workloads import static_pod
from subjects.naming import COMPONENT_OF_JOB, CONTROL_PLANE, HOSTS, SPECIFIC, component, entity_by
from subjects.subject import Sent
from subjects.tables import reporter_named
from subjects.view import View

_ETCD = re.compile(r"(?<![a-z])etcd(?!adm)", re.IGNORECASE)
# In names whose words are joined, as in EtcdNoLeader and kubeEtcdDown.
_ETCD_IN_NAME = re.compile(r"etcd(?!adm)", re.IGNORECASE)
_API_SERVER = re.compile(r"api[ _-]?server|kubeapi", re.IGNORECASE)
# Labels whose value says what an alert is about, whoever sent it.
_ABOUT = ("component", "target", "grpc_service", "etcd_cluster", "rulename", "grafana_folder", "k8s_app", "app")
_FAMILY_WORDS = (
    (Family.PROBE, re.compile(r"probe|blackbox|readiness|liveness|synthetic", re.IGNORECASE)),
    (Family.API_SERVER, _API_SERVER),
    (
        Family.MONITORING,
        re.compile(
            r"prometheus|alertmanager|victoria|\bvm(?:agent|alert|auth|select|insert|storage|single)|grafana|thanos|\bloki"
            r"|config-reloader|exporter",
            re.IGNORECASE,
        ),
    ),
    (Family.TARGET, re.compile(r"target ?down|instance ?down|scrape", re.IGNORECASE)),
    (Family.POD, re.compile(r"crash ?loop|kubepod|oom ?kill", re.IGNORECASE)),
    (Family.NODE, re.compile(r"kubenode|kubelet|conntrack|node ?pressure|node ?not ?ready", re.IGNORECASE)),
)


def etcd_pod(labels: Mapping[str, str]) -> bool:
    """Whether the pod that the labels name is a static pod of etcd."""
    found = static_pod(labels.get("pod", ""), labels.get("namespace", ""))
    return found is not None and found[0] == "etcd"


def component_by_words(sent: Sent, view: View) -> tuple[EntityRef, Text] | None:
    """etcd or a component, and the place whose words name it; None when they name neither."""
    job = view.target.get("job", "").lower().rpartition("/")[2]
    if view.reporter and view.reporter.exports in {"host", "probed"}:
        return None
    about_others = _names_other_than_etcd(view)
    if job not in COMPONENT_OF_JOB and not about_others and (place := next(_places_of_etcd(sent, view), "")):
        whole = place in {"summary", "description"}
        ref = entity_by("@etcd" if whole else "@member", view)
        return (ref, Text("the word etcd in {place}", place=place)) if ref else None
    if any(view.own.get(label) for label in SPECIFIC if label != "service"):
        return None
    if job in COMPONENT_OF_JOB:
        return component(COMPONENT_OF_JOB[job], view.cluster), Text("taken from label {label}", label="job")
    if _API_SERVER.search(sent.name):
        return component("kube-apiserver", view.cluster), Text("the words of the alert's name")
    return None


def _names_other_than_etcd(view: View) -> bool:
    """Whether labels name an object that is not etcd: one without the word, or a job that works for it."""
    if view.own.get("cronjob") or view.own.get("job_name"):
        return True
    named = [view.own[label] for label in SPECIFIC if label not in (*HOSTS, "service") and view.own.get(label)]
    return bool(named) and not any(_ETCD_IN_NAME.search(name) for name in named)


def _places_of_etcd(sent: Sent, view: View) -> Iterator[str]:
    """Where etcd is named: the alert's name, its job, a label that says what it is about, else its texts."""
    if _ETCD_IN_NAME.search(sent.name):
        yield "alertname"
    if _ETCD_IN_NAME.search(view.target.get("job", "")):
        yield "job"
    yield from (label for label in _ABOUT if _ETCD_IN_NAME.search(view.own.get(label, "")))
    if any(view.own.get(label) for label in SPECIFIC) or view.target.get("job"):
        return  # they name something else, and a text may speak of much
    yield from (name for name in ("summary", "description") if _ETCD.search(sent.annotations.get(name, "")))


def family_by_words(sent: Sent, view: View) -> Family:
    """The family that the alert's name and job speak of; UNKNOWN when they speak of none.

    An exporter's own name says nothing of the host or service that it is in front of.
    """
    texts = [sent.labels.get(label, "") for label in ("job", "component", "container")]
    if view.reporter and view.reporter.exports in {"host", "service"}:
        texts = [value for value in texts if reporter_named([value]) != view.reporter]
    text = " ".join((sent.name, *texts))
    return next((family for family, words in _FAMILY_WORDS if words.search(text)), Family.UNKNOWN)


def family_of_operator(ref: EntityRef | None) -> Family:
    """The family of what an operator of OpenShift runs; UNKNOWN for anything else."""
    if ref is not None and ref.kind is EntityKind.OBJECT and ref.name.startswith("clusteroperator/"):
        return _OPERATORS.get(ref.name.partition("/")[2], Family.UNKNOWN)
    return Family.UNKNOWN


_OPERATORS = {
    "monitoring": Family.MONITORING, "network": Family.NETWORK, "ingress": Family.NETWORK,
    "storage": Family.STORAGE,
}  # fmt: skip


def is_control_plane(ref: EntityRef | None) -> bool:
    """Whether it is a component of the control plane by name."""
    return ref is not None and ref.kind is EntityKind.WORKLOAD and ref.namespace == CONTROL_PLANE and (
        ref.name in set(COMPONENT_OF_JOB.values())
    )  # fmt: skip


def family_of_component(ref: EntityRef | None) -> Family:
    """The family of a component of the control plane."""
    return Family.API_SERVER if ref is not None and ref.name == "kube-apiserver" else Family.CONTROL_PLANE
