"""Turns snapshots of incidents into rows of the graph. Pure: the same snapshots give the same rows."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from domain.entities import EntityRef
from domain.errors import Malformed
from domain.findings import Finding
from domain.scope import ChangeRef
from domain.snapshot import AlertRecord, IncidentSnapshot
from domain.verdict import Outcome, Verdict
from graph import schema
from graph.rows import Rows


def project(snapshots: Iterable[IncidentSnapshot]) -> Rows:
    """All rows of these incidents. Raises Malformed where a snapshot has an empty key or a wrong type."""
    rows = Rows()
    for snapshot in snapshots:
        rows.owner(schema.OWNED, snapshot.id)
        _incident(rows, snapshot)
        _topology(rows, snapshot)
        for alert in snapshot.alerts:
            _alert(rows, snapshot.id, alert)
        for change in snapshot.changes:
            _change(rows, change)
        for ticket in snapshot.tickets:
            rows.node(schema.TICKET, ticket)
            rows.relation(schema.TRACKED_BY, snapshot.id, ticket)
        _findings(rows, snapshot)
        if snapshot.verdict is not None:
            _verdict(rows, snapshot, snapshot.verdict)
        _feedback(rows, snapshot)
    return rows


def epoch_ms(at: datetime | None) -> int | None:
    """Epoch milliseconds UTC. Raises Malformed for a time without a zone."""
    if at is None:
        return None
    if at.tzinfo is None:
        raise Malformed("a time must have a zone", "time")
    return round(at.timestamp() * 1000)


def finding_id(finding: Finding) -> str:
    """`measure:yes` or `measure:no`; empty when the outcome is unknown."""
    if finding.seen is None:
        return ""
    return f"{finding.measure}:{'yes' if finding.seen else 'no'}"


def finding_ids(snapshot: IncidentSnapshot) -> list[str]:
    """The known outcomes, sorted."""
    return sorted({id_ for finding in snapshot.findings if (id_ := finding_id(finding))})


def cause_probabilities(snapshot: IncidentSnapshot) -> dict[str, float]:
    """The incident's causes with their probabilities, best first.

    Confirmed causes have probability 1; without any, these are the ranked ones that nobody rejected.
    """
    if snapshot.confirmed:
        return {confirmation.cause: 1.0 for confirmation in snapshot.confirmed}
    ranked = snapshot.verdict.causes if snapshot.verdict else ()
    return {c.cause: c.probability for c in ranked if c.cause not in snapshot.rejected}


def alert_names(snapshot: IncidentSnapshot) -> list[str]:
    """The names of the alerts, each once, sorted."""
    return sorted({alert.name for alert in snapshot.alerts})


def _incident(rows: Rows, snapshot: IncidentSnapshot) -> None:
    verdict = snapshot.verdict
    causes = cause_probabilities(snapshot)
    rows.node(
        schema.INCIDENT,
        snapshot.id,
        number=snapshot.number,
        title=snapshot.title,
        state=snapshot.state,
        severity=snapshot.severity,
        started_ms=epoch_ms(snapshot.started_at),
        resolved_ms=epoch_ms(snapshot.resolved_at),
        revision=_revision(snapshot),
        verdict=verdict.state if verdict else None,
        causes=list(causes),
        probabilities=list(causes.values()),
        confirmed=bool(snapshot.confirmed),
        fixed_by=_fixed_by(snapshot),
        findings=finding_ids(snapshot),
        entities=sorted({entity.key for entity in snapshot.entities}),
        alerts=alert_names(snapshot),
        url=snapshot.url,
        recurrence_of=snapshot.recurrence_of,
    )


def _revision(snapshot: IncidentSnapshot) -> int:
    return snapshot.verdict.revision if snapshot.verdict else 0


def _fixed_by(snapshot: IncidentSnapshot) -> str:
    return next((c.fixed_by for c in reversed(snapshot.confirmed) if c.fixed_by), "")


def _topology(rows: Rows, snapshot: IncidentSnapshot) -> None:
    for entity in sorted(snapshot.entities):
        _entity(rows, entity)
        rows.relation(schema.AFFECTS, snapshot.id, entity.key)
    of_kind = {relation.kind: relation for relation in schema.TOPOLOGY}
    for relation in sorted(snapshot.relations):
        for key in (relation.start, relation.end):
            _entity(rows, entity_of(key))
        rows.relation(of_kind[relation.kind.value], relation.start, relation.end)


def entity_of(key: str) -> EntityRef:
    """The entity that a key names. Raises Malformed for a text that is not an entity's key."""
    try:
        return EntityRef.from_key(key)
    except ValueError as error:
        raise Malformed("is not kind/cluster/namespace/name", f"entity {key!r}") from error


def _entity(rows: Rows, entity: EntityRef) -> None:
    rows.node(
        schema.ENTITY,
        entity.key,
        entity.kind.value,
        name=entity.name,
        cluster=entity.cluster,
        namespace=entity.namespace,
    )


def _alert(rows: Rows, incident: str, alert: AlertRecord) -> None:
    rows.node(
        schema.ALERT,
        alert.id,
        source=alert.source,
        name=alert.name,
        title=alert.title,
        severity=alert.severity,
        state=alert.state,
        started_ms=epoch_ms(alert.started_at),
        ended_ms=epoch_ms(alert.ended_at),
    )
    rows.relation(schema.ALERT_OF, alert.id, incident)
    for key in sorted(alert.entities):
        _entity(rows, entity_of(key))
        rows.relation(schema.ALERT_ON, alert.id, key)


def _change(rows: Rows, change: ChangeRef) -> None:
    rows.node(
        schema.CHANGE,
        change.id,
        kind=change.kind,
        title=change.title,
        at_ms=epoch_ms(change.at),
        url=change.url,
    )
    for key in sorted(change.entities):
        _entity(rows, entity_of(key))
        rows.relation(schema.TOUCHED, change.id, key)


def _findings(rows: Rows, snapshot: IncidentSnapshot) -> None:
    for finding in snapshot.findings:
        id_ = finding_id(finding)
        if not id_:
            continue
        rows.node(schema.FINDING, id_, measure=finding.measure, seen=finding.seen)
        rows.relation(
            schema.SHOWED,
            snapshot.id,
            id_,
            value=finding.value,
            limit=finding.limit,
            unit=finding.unit,
            subject=finding.subject,
            sentence=finding.sentence.en,
            sentence_zh=finding.sentence.in_language("zh"),
            revision=_revision(snapshot),
        )


def _verdict(rows: Rows, snapshot: IncidentSnapshot, verdict: Verdict) -> None:
    shown = {f.measure: id_ for f in snapshot.findings if (id_ := finding_id(f))}
    for cause in verdict.causes:
        _cause_node(rows, cause.cause, layer=cause.layer, title=cause.title.en, title_zh=cause.title.in_language("zh"))
        rows.relation(
            schema.RANKED,
            snapshot.id,
            cause.cause,
            position=cause.position,
            probability=cause.probability,
            revision=verdict.revision,
        )
        for term in cause.terms:
            arrow = _WEIGHED.get(term.outcome)
            if arrow is not None and term.measure in shown:
                rows.relation(arrow, shown[term.measure], cause.cause, weight=term.weight)
    for similar in verdict.similar:
        rows.relation(
            schema.SIMILAR_TO,
            snapshot.id,
            similar.incident,
            score=similar.score,
            why=[reason.en for reason in similar.why],
            why_zh=[reason.in_language("zh") for reason in similar.why],
        )


_WEIGHED = {Outcome.FOR: schema.SUPPORTS, Outcome.AGAINST: schema.CONTRADICTS}


def _feedback(rows: Rows, snapshot: IncidentSnapshot) -> None:
    for confirmation in snapshot.confirmed:
        _cause_node(rows, confirmation.cause)
        rows.relation(
            schema.CONFIRMED_AS,
            snapshot.id,
            confirmation.cause,
            by=confirmation.by,
            at_ms=epoch_ms(confirmation.at),
            fixed_by=confirmation.fixed_by,
        )
    for slug in sorted(snapshot.rejected):
        _cause_node(rows, slug)
        rows.relation(schema.REJECTED, snapshot.id, slug)


def _cause_node(rows: Rows, slug: str, **properties: Any) -> None:
    """Add a cause by slug; without properties only if there is no node for it yet."""
    known = rows.nodes.get((schema.CAUSE.label, ""), {})
    if properties or slug not in known:
        rows.node(schema.CAUSE, slug, **properties)
