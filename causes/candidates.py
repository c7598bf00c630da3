"""Which causes of the catalogue compete for an incident: those that can explain its symptoms."""

from causes.catalogue import all_causes
from causes.cause import Cause, Symptom
from causes.culprit import ETCD_KINDS
from causes.symptoms import symptoms_of
from domain.findings import Finding
from domain.scope import Scope
from evidence.pods import keys

# Only one of these shows that the control plane below a failing pod is in trouble.
API_SERVER_MEASURES = ("apiserver-errors", "apiserver-etcd-slow", "apiserver-slow", "peers-most-pods-fail")


def eligible(scope: Scope, findings: tuple[Finding, ...] = ()) -> list[Cause]:
    """The causes that can explain the alerts' symptoms, in slug order."""
    symptoms = _symptoms(scope, findings)
    answered = {f.measure for f in findings if f.seen is not None}
    seen = {f.measure for f in findings if f.seen}
    changes = _change_kinds(scope)
    return [
        cause
        for cause in all_causes().values()
        if _explains(cause, symptoms, answered) and _may_compete(cause, changes, seen)
    ]


def _may_compete(cause: Cause, changes: set[str], seen: set[str]) -> bool:
    """Whether it is no change, a change of its kind is known, or the cluster itself proves one."""
    proven = bool(cause.proven_by) and cause.proven_by <= seen
    return not cause.change_kinds or bool(changes & cause.change_kinds) or proven


def _symptoms(scope: Scope, findings: tuple[Finding, ...]) -> frozenset[Symptom]:
    symptoms = symptoms_of(scope, findings)
    if Symptom.PROBE in symptoms and any(f.seen and f.measure in API_SERVER_MEASURES for f in findings):
        return symptoms | {Symptom.API_SERVER}
    return symptoms


def _change_kinds(scope: Scope) -> set[str]:
    """The kinds, in lower case, of the changes to what the incident is about."""
    entities = keys(scope)
    return {change.kind.lower() for change in scope.changes if entities & set(change.entities)}


def _explains(cause: Cause, symptoms: frozenset[Symptom], answered: set[str]) -> bool:
    """Whether it shares a symptom, or is an etcd cause below a failing API server with an answer about etcd."""
    if cause.symptoms & symptoms:
        return True
    return Symptom.API_SERVER in symptoms and cause.about in ETCD_KINDS and bool(answered & cause.measures)
