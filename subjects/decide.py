"""Decides what an alert is about, who only reports it, and which family it belongs to. Pure.

What is known of its rule by name decides first, then the metrics of its expression, then the most specific label that
is not the reporter's.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from domain.alerts import NOTHING_NAMES_IT, Family
from domain.connections import SourceDecl
from domain.entities import EntityKind, EntityRef
from domain.heartbeats import is_heartbeat
from domain.text import Text
from domain.workloads import static_pod
from subjects import words
from subjects.expression import metrics_of
from subjects.naming import (
    ETCD_PORTS,
    FAMILY_OF_KIND,
    HOST_PORTS,
    HOSTS,
    SPECIFIC,
    entity_by,
    host_of,
    is_url,
    pod_of_instance,
    port_of,
)
from subjects.related import others_of
from subjects.subject import Sent, Subject
from subjects.tables import Row, alerts, metric_row, reporter_named
from subjects.view import View, view_of
from subjects.zabbix import zabbix_subject


@dataclass(frozen=True, slots=True)
class _Known:
    """A row, and the sentence by which it was found."""

    row: Row
    because: Text


def subject_of(sent: Sent, declared: SourceDecl) -> Subject:
    """The subject of one alert; `declared` is its source's declaration."""
    if sent.sender == "zabbix":
        return zabbix_subject(sent, declared)
    if is_heartbeat(sent.name, sent.labels, declared.always_firing):
        return Subject(None, Family.HEARTBEAT, decided_by=Text("it is a sign of life"))
    known = _known(sent)
    view = view_of(sent, declared, known.row if known else None)
    scraped = known is not None and known.row.family is Family.TARGET  # then the words know what is scraped
    found = (_by_words(sent, view) if scraped else None) or (_by_row(known, view) if known else None)
    found = found or _by_words(sent, view) or _by_label(view)
    ref, because = found if found else (None, NOTHING_NAMES_IT)
    ref = _as_member(ref)
    family = _family(known, sent, view, ref)
    reporter = _reporter(known, view, ref)
    return Subject(ref, family, reporter, because, others_of(ref, view, reporter))


def _known(sent: Sent) -> _Known | None:
    """What the tables know of the alert's rule, by its name or by a metric of its expression."""
    if row := alerts().get(sent.name):
        return _Known(row, Text("known rule {rule}", rule=sent.name))
    for metric in metrics_of(sent.url):
        row = metric_row(metric)
        if row is not None and row.by:
            return _Known(row, Text("metric {metric} of the rule's expression", metric=metric))
    return None


def _by_row(known: _Known, view: View) -> tuple[EntityRef | None, Text] | None:
    if known.row.reporter == "kube-state-metrics" and _only_the_reporter(view):
        return None, Text(
            "the labels are those of {reporter} itself; set honor_labels: true", reporter="kube-state-metrics"
        )
    for token in known.row.by:
        if ref := entity_by(token, view):
            where = "" if token.startswith("@") else token.rpartition("=")[2]
            label = Text("{rule}, label {label}", rule=known.because, label=where) if where else known.because
            return ref, label
    return None


def _as_member(ref: EntityRef | None) -> EntityRef | None:
    """A static pod of etcd is a member of it, known by its pod and by its node."""
    static = static_pod(ref.name, ref.namespace) if ref and ref.kind is EntityKind.POD else None
    if ref is None or static is None or static[0] != "etcd":
        return ref
    return EntityRef(EntityKind.ETCD_MEMBER, ref.name, ref.cluster, "", (static[1],))


def _only_the_reporter(view: View) -> bool:
    """Whether an aggregated alert of kube-state-metrics names only its pod, as where `honor_labels` is off.

    It cannot report its own pod as not ready: then nobody scrapes it.
    """
    named = reporter_named([view.own.get("pod", "")])
    return not view.exported and not view.target.get("instance") and named is not None and (
        named.name == "kube-state-metrics" and not any(view.own.get(label) for label in SPECIFIC[2:])
    )  # fmt: skip


def _by_words(sent: Sent, view: View) -> tuple[EntityRef, Text] | None:
    """etcd or a component of the control plane, by words where the labels name nothing more specific."""
    if any(view.own.get(label) for label in SPECIFIC[:1]) and not words.etcd_pod(view.own):
        return None
    return words.component_by_words(sent, view)


def _by_label(view: View) -> tuple[EntityRef, Text] | None:
    """By the most specific label that is not the reporter's."""
    for label in _ordered_labels(view):
        if ref := entity_by(label, view):
            return ref, Text("taken from label {label}", label=label)
    if instance := view.own.get("instance", ""):
        return _by_instance(instance, view), Text("taken from label {label}", label="instance")
    for label, ref in _last_resorts(view):
        if ref:
            return ref, Text("taken from label {label}", label=label)
    return None


def _ordered_labels(view: View) -> Iterator[str]:
    """Labels that may name the subject; an exporter of a host speaks of its host before anything else."""
    if view.reporter and view.reporter.exports == "host" and view.reporter.name != "kubelet":
        yield "@host"
    if view.reporter and view.reporter.exports == "probed":
        yield "@probed"
    # A database's own node or host is no machine of ours.
    of_service = view.reporter is not None and view.reporter.exports == "service"
    yield from (label for label in SPECIFIC if not of_service or label not in HOSTS)


def _by_instance(instance: str, view: View) -> EntityRef:
    cluster, namespace = view.cluster, view.namespace
    if pod := pod_of_instance(instance):
        return EntityRef(EntityKind.POD, pod, cluster, namespace)
    if is_url(instance) or (view.reporter and view.reporter.exports in {"probed", "service"}):
        return EntityRef(EntityKind.SERVICE, instance, cluster, namespace)
    if port_of(instance) in ETCD_PORTS:
        return EntityRef(EntityKind.ETCD_MEMBER, instance, cluster, "", (host_of(instance),))
    if port_of(instance) in HOST_PORTS or not view.target.get("job"):
        return EntityRef(EntityKind.HOST, host_of(instance), cluster)
    return EntityRef(EntityKind.SERVICE, instance, cluster, namespace)


def _last_resorts(view: View) -> Iterator[tuple[str, EntityRef | None]]:
    reporter = view.reporter
    if not reporter or reporter.name == "kube-state-metrics" or view.exported:
        yield "namespace", entity_by("namespace", view)
    if not reporter and (job := view.own.get("job")):
        yield "job", EntityRef(EntityKind.SERVICE, job, view.cluster, view.namespace)
    if reporter and reporter.exports != "nothing" and (pod := view.target.get("pod")):
        # Nothing else is named: the exporter speaks of itself, or only its name is like one.
        yield "pod", EntityRef(EntityKind.POD, pod, view.cluster, view.target.get("namespace", ""))
    yield "cluster", EntityRef(EntityKind.CLUSTER, view.cluster, view.cluster) if view.cluster else None


def _family(known: _Known | None, sent: Sent, view: View, ref: EntityRef | None) -> Family:
    """The family: etcd's when the subject is etcd; else the rule's, that of the alert's words, that of the kind."""
    if ref and ref.kind in {EntityKind.ETCD_CLUSTER, EntityKind.ETCD_MEMBER}:
        return Family.ETCD
    reports = known is not None and known.row.reporter == "cluster-version-operator"
    if words.is_control_plane(ref) and (known is None or reports):
        return words.family_of_component(ref)
    if known and known.row.family:
        return words.family_of_operator(ref) or known.row.family
    by_words = words.family_by_words(sent, view)
    return by_words or (FAMILY_OF_KIND.get(ref.kind, Family.UNKNOWN) if ref else Family.UNKNOWN)


def _reporter(known: _Known | None, view: View, ref: EntityRef | None) -> str:
    """Who only reports it; empty when the subject speaks of itself."""
    if known and known.row.reporter:
        return known.row.reporter
    if view.reporter is None or ref is None:
        return ""
    own_service = ref.kind in {EntityKind.SERVICE, EntityKind.POD} and view.reporter.exports != "probed"
    speaks_of_itself = own_service and any(word in ref.name for word in view.reporter.words)
    return "" if speaks_of_itself else view.reporter.name
