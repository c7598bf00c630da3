"""A fault of a node, an etcd or a change explains the pods that depend on it, when it came first.

One cause explains another only when the explained one declares it (`may_follow`), the topology links the two, and
the explaining one began first.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from causes.cause import Condition, Symptom
from causes.culprit import APPLICATION_KINDS, ETCD_KINDS
from causes.score import ScoredCause
from causes.symptoms import symptoms_of_alert
from domain.entities import EntityKind, EntityRef, RelationKind
from domain.findings import Finding
from domain.scope import Scope
from domain.text import Text
from domain.verdict import Outcome, TermResult

MEASURE = "topology"
# The explaining cause gains the first and the explained one loses the second, in nats; together about 20 to 1.
EXPLAINS, EXPLAINED = 1.0, -2.0
# Times are only known to a scrape.
SCRAPE = timedelta(seconds=15)
# The measure that shows that a change caused the symptoms.
CHANGE_CAUSED_IT = "change-guilty"
ETCD_KEYS = tuple(f"{kind.value}/" for kind in (EntityKind.ETCD_CLUSTER, EntityKind.ETCD_MEMBER))
POD_SYMPTOMS = ("kubelet-", "event-")


@dataclass(frozen=True, slots=True)
class Evidence:
    """What causes are compared by: the incident with its topology, and the findings by measure."""

    scope: Scope
    findings: Mapping[str, Finding]


def explain_away(evidence: Evidence, scored: Sequence[ScoredCause]) -> list[ScoredCause]:
    """The same causes in the same order.

    A cause that a lower one explains loses 2 nats and names it in `follows`; the explaining cause gains 1 nat, once.
    """
    explanations = {c.slug: found for c in scored if c.competing and (found := _explanation(evidence, c, scored))}
    # Of several causes that one explains, the last in order gives the time.
    leads = {explanations[c.slug].slug: _lead_s(evidence, explanations[c.slug], c)
             for c in scored if c.slug in explanations}  # fmt: skip
    return [_adjusted(evidence, c, explanations.get(c.slug), leads.get(c.slug)) for c in scored]


def _adjusted(
    evidence: Evidence, scored: ScoredCause, explanation: ScoredCause | None, lead_s: float | None
) -> ScoredCause:
    """The cause with its gain, if it explains another (`lead_s`), and its loss, if another explains it."""
    if lead_s is not None:
        scored = scored.with_term(_explains_term(lead_s))
    if explanation is None:
        return scored
    lowered = scored.with_term(_explained_term(explanation, _lead_s(evidence, explanation, scored)))
    return replace(lowered, follows=explanation.slug)


def _explains_term(seconds: float) -> TermResult:
    sentence = Text("It lies below what fails, and began {seconds:.0f} s before it.", seconds=seconds)
    return TermResult(MEASURE, Outcome.FOR, EXPLAINS, sentence)


def _explained_term(explanation: ScoredCause, seconds: float) -> TermResult:
    title = explanation.cause.title
    sentence = Text(
        '"{title}" lies below, began {seconds:.0f} s before, and explains it.', title=title, seconds=seconds
    )
    return TermResult(MEASURE, Outcome.AGAINST, EXPLAINED, sentence)


def _explanation(evidence: Evidence, explained: ScoredCause, scored: Sequence[ScoredCause]) -> ScoredCause | None:
    """The strongest cause that explains this one."""
    able = [c for c in scored if c.slug != explained.slug and _explains(evidence, c, explained)]
    return max(able, key=lambda c: (c.score, c.slug), default=None)


def _explains(evidence: Evidence, lower: ScoredCause, upper: ScoredCause) -> bool:
    return (
        lower.competing
        and lower.score > 0
        and lower.cause.about in upper.cause.may_follow
        and _can_explain(lower)
        and _is_linked(evidence, lower)
        and _came_first(evidence, lower, upper)
    )


def _can_explain(scored: ScoredCause) -> bool:
    """Whether it is infrastructure, or a change that is shown to have caused the symptoms."""
    if scored.cause.layer == "change":
        return any(t.measure == CHANGE_CAUSED_IT and t.outcome is Outcome.FOR for t in scored.terms)
    return scored.cause.layer in ("infrastructure", "network") and scored.cause.about is not EntityKind.POD


def _is_linked(evidence: Evidence, scored: ScoredCause) -> bool:
    """Whether the topology links what the cause is about with the incident's pods."""
    if scored.cause.about in ETCD_KINDS:
        return _pods_depend_on_etcd(evidence.scope)
    if scored.cause.about is EntityKind.HOST:
        return _pods_run_on_node(evidence, scored)
    return True


def _pods_depend_on_etcd(scope: Scope) -> bool:
    """Whether a declared etcd serves the pods' cluster, or a relation leads from them to an etcd."""
    entities = [entity for kind in APPLICATION_KINDS for entity in scope.of_kind(kind)]
    served = {etcd.cluster for etcd in scope.connections.etcd if etcd.cluster}
    if served & {entity.cluster for entity in entities}:
        return True
    starts = {entity.key for entity in entities}
    return any(r.start in starts and r.end.startswith(ETCD_KEYS) for r in scope.relations)


def _pods_run_on_node(evidence: Evidence, scored: ScoredCause) -> bool:
    """Whether a node that the evidence names runs one of the pods.

    Checks of nodes ask about these only, so it also holds where no relation or no subject is known.
    """
    nodes = {EntityRef.from_key(r.end).name for r in evidence.scope.relations if r.kind is RelationKind.RUNS_ON}
    findings = (evidence.findings.get(t.measure) for t in scored.terms)
    subjects = {finding.subject for finding in findings if finding and finding.subject}
    return not nodes or not subjects or bool(nodes & subjects)


def _came_first(evidence: Evidence, lower: ScoredCause, upper: ScoredCause) -> bool:
    """Whether the lower cause began first, to a scrape; a change that caused the symptoms always did."""
    if lower.cause.layer == "change":
        return True
    lead = _lead(evidence, lower, upper)
    return lead is not None and lead >= -SCRAPE


def _lead_s(evidence: Evidence, lower: ScoredCause, upper: ScoredCause) -> float:
    """Seconds by which the lower cause began first; 0 where it did not or where times are unknown."""
    lead = _lead(evidence, lower, upper)
    return max(0.0, lead.total_seconds()) if lead else 0.0


def _lead(evidence: Evidence, lower: ScoredCause, upper: ScoredCause) -> timedelta | None:
    """The time from the onset of the lower cause to that of the upper one; None where one is unknown.

    By what was measured if that is known of both, otherwise by their alerts.
    """
    scope = evidence.scope
    if lower.cause.layer == "change":
        return _between(_last_change(scope), scope.started_at)
    measured = _between(_measured_onset(evidence, lower), _measured_onset(evidence, upper))
    if measured is not None:
        return measured
    lower_symptoms = lower.cause.symptoms - {Symptom.PROBE}
    return _between(_alerted_onset(scope, lower_symptoms), _alerted_onset(scope, upper.cause.symptoms))


def _between(start: datetime | None, end: datetime | None) -> timedelta | None:
    return end - start if start and end else None


def _last_change(scope: Scope) -> datetime | None:
    """When the last change before the incident was made."""
    return max((change.at for change in scope.changes if change.at <= scope.started_at), default=None)


def _measured_onset(evidence: Evidence, scored: ScoredCause) -> datetime | None:
    """When the first observation that supports the cause was made; absences have no onset."""
    supporting = {t.measure for t in scored.terms if t.outcome is Outcome.FOR}
    observed = {t.measure for t in scored.cause.terms if t.when is not Condition.NOT_SEEN}
    found = [evidence.findings[m] for m in supporting & observed if m in evidence.findings]
    return min((finding.first_seen_at for finding in found if finding.first_seen_at), default=None)


def _alerted_onset(scope: Scope, symptoms: frozenset[Symptom]) -> datetime | None:
    """When the first alert of these symptoms started."""
    return min((a.started_at for a in scope.alerts if symptoms_of_alert(a) & symptoms), default=None)


def consequences(
    evidence: Evidence, first: ScoredCause, scored: Sequence[ScoredCause], limit: int = 5
) -> tuple[Text, ...]:
    """What the first cause explains, at most `limit`: the causes that follow from it, else the pods' symptoms."""
    following = sorted((c for c in scored if c.follows == first.slug), key=lambda c: (-c.score, c.slug))
    if following:
        return tuple(c.cause.title for c in following[:limit])
    onset = _measured_onset(evidence, first)
    if onset is None or not _can_explain(first) or not _is_linked(evidence, first):
        return ()
    return tuple(finding.sentence for finding in _pod_symptoms_since(evidence, onset)[:limit])


def _pod_symptoms_since(evidence: Evidence, onset: datetime) -> list[Finding]:
    """What the kubelet and events showed from a scrape before the onset on, by measure."""
    seen = [f for m, f in sorted(evidence.findings.items()) if f.seen and m.startswith(POD_SYMPTOMS)]
    return [f for f in seen if f.first_seen_at and f.first_seen_at + SCRAPE >= onset]
