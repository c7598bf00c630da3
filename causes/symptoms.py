"""Which kinds of trouble an incident's alerts are about."""

from causes.cause import Symptom
from domain.alerts import ParsedAlert
from domain.entities import EntityKind
from domain.findings import Finding
from domain.scope import Scope

ETCD_KINDS = frozenset({EntityKind.ETCD_CLUSTER, EntityKind.ETCD_MEMBER})
PROBE_KINDS = frozenset({EntityKind.POD, EntityKind.WORKLOAD, EntityKind.SERVICE})
PROBE_WORDS = ("probe", "blackbox", "readiness", "liveness", "kubepod", "crashloop", "notready")
PROBE_CHECKS = ("probe-", "kubelet-", "pod-")


def symptoms_of(scope: Scope, findings: tuple[Finding, ...] = ()) -> frozenset[Symptom]:
    """From entities and alert texts; when these name nothing, from what the checks saw."""
    kinds = {e.kind for e in scope.entities}
    texts = [_words(a) for a in scope.alerts]
    found = set()
    if kinds & ETCD_KINDS or any("etcd" in t for t in texts) or _on_member_host(scope):
        found.add(Symptom.ETCD)
    if kinds & PROBE_KINDS or any(w in t for t in texts for w in PROBE_WORDS):
        found.add(Symptom.PROBE)
    return frozenset(found or _from_findings(findings))


def _words(alert: ParsedAlert) -> str:
    return f"{alert.name} {alert.title} {alert.labels.get('job', '')} {alert.labels.get('component', '')}".lower()


def _on_member_host(scope: Scope) -> bool:
    hosts = {n for e in scope.of_kind(EntityKind.HOST) for n in (e.name, *e.aliases)}
    members = {h for etcd in scope.connections.etcd for m in etcd.member for h in m.hosts}
    return bool(hosts & members)


def _from_findings(findings: tuple[Finding, ...]) -> set[Symptom]:
    seen = [f.measure for f in findings if f.seen]
    etcd = {Symptom.ETCD for m in seen if m.startswith("etcd-")}
    return etcd | {Symptom.PROBE for m in seen if m.startswith(PROBE_CHECKS)}
