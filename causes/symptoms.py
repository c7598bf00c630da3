"""Which symptoms an incident's alerts are about."""

from causes.cause import Symptom
from causes.culprit import APPLICATION_KINDS, ETCD_KINDS
from domain.alerts import Family, ParsedAlert
from domain.entities import EntityKind
from domain.findings import Finding
from domain.scope import Scope

SYMPTOM_OF_FAMILY = {
    Family.ETCD: Symptom.ETCD,
    Family.PROBE: Symptom.PROBE,
    Family.TARGET: Symptom.PROBE,
    Family.POD: Symptom.PROBE,
    Family.WORKLOAD: Symptom.PROBE,
    Family.NODE: Symptom.NODE,
    Family.API_SERVER: Symptom.API_SERVER,
}
MEASURE_PREFIXES = {
    Symptom.ETCD: ("etcd-",),
    Symptom.PROBE: ("probe-", "kubelet-", "pod-", "event-"),
    Symptom.NODE: ("node-", "conntrack-"),
    Symptom.API_SERVER: ("apiserver-",),
}


def symptoms_of(scope: Scope, findings: tuple[Finding, ...] = ()) -> frozenset[Symptom]:
    """From the families of the alerts; when these say nothing, from what the checks saw."""
    symptoms = {symptom for alert in scope.alerts for symptom in symptoms_of_alert(alert)}
    symptoms = symptoms or _symptoms_of_kinds({entity.kind for entity in scope.entities})
    if _names_host_of_member(scope):
        symptoms.add(Symptom.ETCD)
    return frozenset(symptoms or _symptoms_of_findings(findings))


def symptoms_of_alert(alert: ParsedAlert) -> frozenset[Symptom]:
    """What one alert is about: by its family, or by the kinds of its entities when the family has no symptom."""
    if symptom := SYMPTOM_OF_FAMILY.get(alert.family):
        return frozenset({symptom})
    return frozenset(_symptoms_of_kinds({entity.kind for entity in alert.entities}))


def _symptoms_of_kinds(kinds: set[EntityKind]) -> set[Symptom]:
    pairs = ((Symptom.ETCD, ETCD_KINDS), (Symptom.PROBE, APPLICATION_KINDS))
    return {symptom for symptom, own in pairs if kinds.intersection(own)}


def _names_host_of_member(scope: Scope) -> bool:
    """Whether an entity is the host of a declared etcd member."""
    hosts = {name for entity in scope.of_kind(EntityKind.HOST) for name in (entity.name, *entity.aliases)}
    member_hosts = {host for etcd in scope.connections.etcd for member in etcd.member for host in member.hosts}
    return bool(hosts & member_hosts)


def _symptoms_of_findings(findings: tuple[Finding, ...]) -> set[Symptom]:
    seen = [finding.measure for finding in findings if finding.seen]
    return {
        symptom
        for symptom, prefixes in MEASURE_PREFIXES.items()
        if any(measure.startswith(prefixes) for measure in seen)
    }
