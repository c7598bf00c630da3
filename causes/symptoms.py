"""Which kinds of trouble an incident's alerts are about."""

from causes.cause import Symptom
from causes.culprit import ABOVE_POD, ETCD_THINGS
from domain.alerts import ParsedAlert
from domain.entities import EntityKind
from domain.findings import Finding
from domain.scope import Scope

WORDS = {
    Symptom.ETCD: ("etcd",),
    Symptom.PROBE: ("probe", "blackbox", "readiness", "liveness", "kubepod", "crashloop", "notready", "targetdown"),
    Symptom.NODE: ("kubenode", "kubelet", "nodenotready", "conntrack", "nodepressure"),
    Symptom.API_SERVER: ("kubeapi", "apiserver", "api server"),
}
CHECKS = {
    Symptom.ETCD: ("etcd-",),
    Symptom.PROBE: ("probe-", "kubelet-", "pod-", "event-"),
    Symptom.NODE: ("node-", "conntrack-"),
    Symptom.API_SERVER: ("apiserver-",),
}


def symptoms_of(scope: Scope, findings: tuple[Finding, ...] = ()) -> frozenset[Symptom]:
    """From entities and alert texts; when these name nothing, from what the checks saw."""
    found = {s for a in scope.alerts for s in symptoms_of_alert(a)} | _of_kinds({e.kind for e in scope.entities})
    if _on_member_host(scope):
        found.add(Symptom.ETCD)
    return frozenset(found or _from_findings(findings))


def symptoms_of_alert(alert: ParsedAlert) -> frozenset[Symptom]:
    """What one alert is about, by its own words and entities."""
    labels = alert.labels
    text = f"{alert.name} {alert.title} {labels.get('job', '')} {labels.get('component', '')}".lower()
    return frozenset({s for s, words in WORDS.items() if any(w in text for w in words)}) | _of_kinds(
        {e.kind for e in alert.entities}
    )


def _of_kinds(kinds: set[EntityKind]) -> set[Symptom]:
    pairs = ((Symptom.ETCD, ETCD_THINGS), (Symptom.PROBE, ABOVE_POD))
    return {symptom for symptom, own in pairs if kinds.intersection(own)}


def _on_member_host(scope: Scope) -> bool:
    hosts = {n for e in scope.of_kind(EntityKind.HOST) for n in (e.name, *e.aliases)}
    members = {h for etcd in scope.connections.etcd for m in etcd.member for h in m.hosts}
    return bool(hosts & members)


def _from_findings(findings: tuple[Finding, ...]) -> set[Symptom]:
    seen = [f.measure for f in findings if f.seen]
    return {symptom for symptom, starts in CHECKS.items() if any(m.startswith(starts) for m in seen)}
