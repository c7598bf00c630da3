"""What lies below explains what lies above: a node, an etcd or a guilty change before the pods that stand on it.

Two causes only explain each other away when the one above declares it (`may_follow`), the topology links the two,
and the one below began first.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from causes.cause import Condition, Symptom
from causes.culprit import ABOVE_POD, ETCD_THINGS
from causes.score import ScoredCause
from causes.symptoms import symptoms_of_alert
from domain.entities import EntityKind, EntityRef, RelationKind
from domain.findings import Finding
from domain.scope import Scope
from domain.text import Text
from domain.verdict import Outcome, TermResult

MEASURE = "topology"
# What lies below gains, and what it explains loses, in nats; together about 20 to 1 between the two.
LIFT, LOWER = 1.0, -2.0
# Times are only known to a scrape.
SCRAPE = timedelta(seconds=15)


@dataclass(frozen=True, slots=True)
class Evidence:
    """What the order in time and the links are read from."""

    scope: Scope
    findings: Mapping[str, Finding]


def explain_away(view: Evidence, judged: Sequence[ScoredCause]) -> list[ScoredCause]:
    """The same causes; who is explained from below loses weight and names its explanation, which gains."""
    below = {j.slug: _below(view, j, judged) for j in judged if j.standing}
    lifted = {b.slug: _lead(view, b, above) for above in judged if (b := below.get(above.slug))}
    return [_adjusted(view, j, below.get(j.slug), lifted.get(j.slug)) for j in judged]


def _adjusted(view: Evidence, judged: ScoredCause, below: ScoredCause | None, lead: float | None) -> ScoredCause:
    if lead is not None:
        judged = judged.with_term(_lifted(lead))
    if below is None:
        return judged
    return replace(judged.with_term(_lowered(below, _lead(view, below, judged))), follows=below.slug)


def _lifted(seconds: float) -> TermResult:
    sentence = Text("It lies below what fails, and began {seconds:.0f} s before it.", seconds=seconds)
    return TermResult(MEASURE, Outcome.FOR, LIFT, sentence)


def _lowered(below: ScoredCause, seconds: float) -> TermResult:
    title = below.cause.title
    sentence = Text(
        '"{title}" lies below, began {seconds:.0f} s before, and explains it.', title=title, seconds=seconds
    )
    return TermResult(MEASURE, Outcome.AGAINST, LOWER, sentence)


def _below(view: Evidence, above: ScoredCause, judged: Sequence[ScoredCause]) -> ScoredCause | None:
    """The best cause that explains this one from below."""
    kinds = above.cause.may_follow
    able = [
        j for j in judged
        if j.standing and j.score > 0 and j.slug != above.slug and j.cause.about in kinds and _deep(j)
        and _linked(view, j) and _came_first(view, j, above)
    ]  # fmt: skip
    return max(able, key=lambda j: (j.score, j.slug), default=None)


def _deep(judged: ScoredCause) -> bool:
    """Infrastructure always; a change only when it is shown to be guilty, not for having happened."""
    if judged.cause.layer == "change":
        return any(t.measure == "change-guilty" and t.outcome is Outcome.FOR for t in judged.terms)
    return judged.cause.layer in ("infrastructure", "network") and judged.cause.about is not EntityKind.POD


def _linked(view: Evidence, judged: ScoredCause) -> bool:
    about = judged.cause.about
    if about in ETCD_THINGS:
        return _on_etcd(view.scope)
    if about is EntityKind.HOST:
        return _on_node(view, judged)
    return True


def _on_etcd(scope: Scope) -> bool:
    """The pods' cluster is the one that a declared etcd serves, or a relation leads from them to an etcd."""
    clusters = {e.cluster for kind in ABOVE_POD for e in scope.of_kind(kind)}
    served = {etcd.cluster for etcd in scope.connections.etcd if etcd.cluster}
    starts = {e.key for kind in ABOVE_POD for e in scope.of_kind(kind)}
    told = any(r.start in starts and r.end.startswith(("EtcdCluster/", "EtcdMember/")) for r in scope.relations)
    return bool(clusters & served) or told


def _on_node(view: Evidence, judged: ScoredCause) -> bool:
    """The guilty node is one that the pods run on. Checks of nodes ask about those only, so no relation is no veto."""
    ends = [r.end for r in view.scope.relations if r.kind is RelationKind.RUNS_ON]
    hosts = {EntityRef.from_key(end).name for end in ends}
    subjects = {f.subject for t in judged.terms if (f := view.findings.get(t.measure)) and f.subject}
    return not hosts or not subjects or bool(hosts & subjects)


def _came_first(view: Evidence, below: ScoredCause, above: ScoredCause) -> bool:
    """By time; a change that is shown to be guilty is so because it came first."""
    if below.cause.layer == "change":
        return True
    one, two = _onsets(view, below, above)
    return one is not None and two is not None and one <= two + SCRAPE


def _lead(view: Evidence, below: ScoredCause, above: ScoredCause) -> float:
    """Seconds by which the lower cause came first; 0 where the two cannot be told apart in time."""
    one, two = _onsets(view, below, above)
    return max(0.0, (two - one).total_seconds()) if one and two else 0.0


def _onsets(view: Evidence, below: ScoredCause, above: ScoredCause) -> tuple[datetime | None, datetime | None]:
    """When the two began: by what was measured if that is known of both, otherwise by their alerts."""
    if below.cause.layer == "change":
        return max((c.at for c in view.scope.changes if c.at <= view.scope.started_at), default=None), (
            view.scope.started_at
        )
    measured = _measured(view, below), _measured(view, above)
    if all(measured):
        return measured
    return _alerted(view.scope, below.cause.symptoms - {Symptom.PROBE}), _alerted(view.scope, above.cause.symptoms)


def _measured(view: Evidence, judged: ScoredCause) -> datetime | None:
    shown = {t.measure for t in judged.terms if t.outcome is Outcome.FOR}
    observed = {t.measure for t in judged.cause.terms if t.when is not Condition.NOT_SEEN}
    found = [view.findings[m] for m in sorted(shown & observed) if m in view.findings]
    return min((f.first_seen_at for f in found if f.first_seen_at), default=None)


def _alerted(scope: Scope, symptoms: frozenset[Symptom]) -> datetime | None:
    return min((a.started_at for a in scope.alerts if symptoms_of_alert(a) & symptoms), default=None)


def consequences(view: Evidence, first: ScoredCause, judged: Sequence[ScoredCause], limit: int = 5) -> tuple[Text, ...]:
    """What the first cause explains above it: the causes that follow from it, or the pods' own symptoms."""
    follow = [j for j in judged if j.follows == first.slug]
    if follow:
        return tuple(j.cause.title for j in sorted(follow, key=lambda j: (-j.score, j.slug))[:limit])
    began = _measured(view, first)
    if not _deep(first) or not _linked(view, first) or began is None:
        return ()
    later = [
        f for m, f in sorted(view.findings.items())
        if f.seen and m.startswith(("kubelet-", "event-")) and f.first_seen_at and f.first_seen_at + SCRAPE >= began
    ]  # fmt: skip
    return tuple(f.sentence for f in later[:limit])
