"""Which incident an alert belongs to, and the state that follows for the incident. Called inside one transaction."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from django.db.models import Count, Max, Min, Q

from domain import codec
from domain.alerts import AlertState, ParsedAlert
from domain.text import Text
from incidents.alerts import (
    end_merged,
    nearby_occurrences,
    new_occurrence,
    occurrence_before,
    stored_occurrence,
)
from incidents.entities import EntityCache
from incidents.grouping import Decision, Link, Member, Rules, connecting, group
from incidents.merging import merge
from incidents.models import Alert, Delivery, Entity, Incident
from incidents.neighbours import (
    Around,
    Span,
    alive_incidents,
    around,
    lone,
    members_near,
    open_incidents,
    over_at,
    span_of,
    widened,
)

RULES = Rules()
# The fields of an incident that follow from its alerts.
DERIVED_FIELDS = ("state", "severity", "started_at", "last_alert_at", "resolved_at", "closed_at", "reopened")


@dataclass(frozen=True, slots=True)
class _AlertSummary:
    """All alerts of one incident: first and last start, last end, highest severity (0 to 4), how many hold it open."""

    first_start: datetime
    last_start: datetime
    last_end: datetime | None
    severity: int
    firing: int


class Placing:
    """What the alerts that one transaction places have in common."""

    def __init__(self, entities: EntityCache) -> None:
        self.entities = entities
        self.touched: dict[str, Incident] = {}
        self.merged: set[str] = set()
        self.changed: set[str] = set()  # incidents with an alert that is new, or fires, ends or is worse than it was
        self._around: dict[tuple[str, ...], Around] = {}
        self._alive: dict[tuple[Span, str], dict[UUID, Incident]] = {}
        self._read: dict[str, Incident] = {}
        self._members: dict[tuple[int, str], tuple[Span, list[Member]]] = {}
        self._named: set[object] = set()

    def stored(self, alert: ParsedAlert) -> dict[str, Entity]:
        """The rows of the alert's entities by key."""
        if (named := self.entities.named(alert)) not in self._named:  # their relations are new too
            self._named.add(named)
            self._around.clear()
        return self.entities.of(alert)

    def around(self, stored: Mapping[str, Entity]) -> Around:
        """The relations of these entities; they are read once until others are stored."""
        keys = tuple(stored)
        if keys not in self._around:
            self._around[keys] = around(stored.values())
        return self._around[keys]

    def alive(self, span: Span, recorded: str) -> dict[UUID, Incident]:
        """The incidents that an alert of this time may join: read once, and all that this transaction changed."""
        if (span, recorded) not in self._alive:
            rows = alive_incidents(span, recorded)
            self._alive[span, recorded] = {row.pk: row for row in rows}
            self._read |= {str(row.pk): row for row in rows}
        changed = (row for row in self.touched.values() if row.recorded_from == recorded)
        return self._alive[span, recorded] | {row.pk: row for row in changed}

    def members(self, newcomer: Member, surroundings: Around, recorded: str) -> list[Member]:
        """The stored alerts that the newcomer may be connected with; those on one entity are read once."""
        span = span_of(newcomer, RULES)
        unread = [pk for pk in sorted(surroundings.ids) if not self._covers(pk, recorded, span)]
        if unread:
            wide = widened(span)
            for pk, members in members_near(wide, unread, self.alive(wide, recorded)).items():
                self._members[pk, recorded] = (wide, members)
        found = (member for pk in surroundings.ids for member in self._members[pk, recorded][1])
        return list({id(member): member for member in found}.values())

    def _covers(self, pk: int, recorded: str, span: Span) -> bool:
        known = self._members.get((pk, recorded))
        return known is not None and known[0].begins <= span.begins and span.ends <= known[0].ends

    def add_member(self, member: Member, surroundings: Around | None, recorded: str) -> None:
        """Add an alert that was just placed to what was read on its entities or around them."""
        if surroundings is None:
            self.forget_members()
            return
        for pk in surroundings.ids:
            if (pk, recorded) in self._members:
                self._members[pk, recorded][1].append(member)

    def forget_members(self) -> None:
        """Read alerts again: a stored one changed, or its incident."""
        self._members.clear()

    def oldest_first(self, links: Sequence[Link]) -> list[Incident]:
        """The incidents of these links."""
        known = [self.touched.get(link.incident) or self._read.get(link.incident) for link in links]
        unread = [link.incident for link, row in zip(links, known, strict=True) if row is None]
        read = Incident.objects.filter(pk__in=unread) if unread else ()
        return sorted([*filter(None, known), *read], key=lambda row: (row.started_at, row.number))

    def merge(self, incidents: Sequence[Incident], links: Sequence[Link], now: datetime) -> Incident:
        """Make one incident of several, the oldest of them, which is returned."""
        survivor, *others = incidents
        if others:
            self.forget_members()
        because = {link.incident: link.reason for link in links}
        for other in others:
            merge(survivor, other, because[str(other.pk)], now)
            self.touched.pop(str(other.pk), None)
            self.merged.add(str(other.pk))
        return survivor


def place_alert(delivery: Delivery, alert: ParsedAlert, placing: Placing) -> Incident:
    """Store the alert; the incident that it is part of, opened if none fits.

    Incidents that the alert connects become one; those that are no more stand in `placing.merged`. A message that
    repeats what is stored does not put its incident into `placing.changed`.
    """
    near = nearby_occurrences(delivery, alert)
    before = {known.pk: _facts(known) for known in near}
    row = stored_occurrence(near, delivery, alert) or new_occurrence(near, delivery, alert)
    ended_others = alert.state is AlertState.RESOLVED and end_merged(near, alert)
    stored = placing.stored(alert)
    row.subject, row.family = placing.entities.subject(alert), alert.family.value
    incident = row.incident or _join(row, delivery, near, stored, placing)
    placing.touched[str(incident.pk)] = incident
    if ended_others or row.pk is None or _facts(row) != before[row.pk]:
        placing.changed.add(str(incident.pk))
        if near:
            placing.forget_members()
    row.save()
    row.entities.add(*stored.values())
    placing.entities.join(incident, stored)
    if alert.acknowledged and incident.acknowledged_at is None:
        Incident.objects.filter(pk=incident.pk).update(
            acknowledged_at=delivery.received_at, acknowledged_by=str(delivery.source)
        )
    return incident


def _facts(row: Alert) -> tuple[object, ...]:
    """What of a stored alert an investigation rests on."""
    return row.firing, row.severity, row.started_at, row.ended_at, row.subject_id


def _join(
    row: Alert, delivery: Delivery, near: Sequence[Alert], stored: Mapping[str, Entity], placing: Placing
) -> Incident:
    """The one incident of everything that the new alert is connected with."""
    recorded, now = delivery.source.recorded_from, delivery.received_at
    newcomer, surroundings, decision = _decide(row, near, stored, recorded, placing)
    row.joined_because = codec.to_builtins(decision.reason)
    if decision.incident:
        links = (Link(decision.incident, decision.reason), *decision.joins)
        row.incident = placing.merge(placing.oldest_first(links), links, now)
    else:
        row.incident = _open(row, now, recorded, decision)
    placed = replace(newcomer, incident=str(row.incident.pk), number=row.incident.number)
    placing.add_member(placed, surroundings, recorded)
    return row.incident


def _decide(
    row: Alert, near: Sequence[Alert], stored: Mapping[str, Entity], recorded: str, placing: Placing
) -> tuple[Member, Around | None, Decision]:
    """The alert as a member, what is around it where incidents are near, and which of them it joins."""
    newcomer, returns_to = _newcomer(row, stored), _returns_to(row, near, recorded, placing)
    alive = placing.alive(widened(span_of(newcomer, RULES)), recorded)
    if not alive:
        return newcomer, None, group(newcomer, (), RULES, returns_to)
    surroundings = placing.around(stored)
    newcomer = replace(newcomer, relations=surroundings.relations)
    members = placing.members(newcomer, surroundings, recorded)
    decision = group(newcomer, members, RULES, returns_to, open_incidents(row.started_at, alive, RULES))
    return newcomer, surroundings, decision


def _newcomer(row: Alert, stored: Mapping[str, Entity]) -> Member:
    subject = row.subject.key if row.subject else ""
    return Member(
        subject=subject or lone(stored), keys=connecting(subject, stored), family=row.family, name=row.name,
        started_at=row.started_at, ended_at=row.ended_at,
    )  # fmt: skip


def _returns_to(row: Alert, near: Sequence[Alert], recorded: str, placing: Placing) -> list[Link]:
    """The incidents of the same alert's occurrences just before and after this one, if that time was not too long."""
    before, later = occurrence_before(row), [o for o in near if o.incident and o.started_at > row.started_at][:1]
    found = [before] if before and (_soon(before, row.started_at) or _open_at(before, row.started_at, placing)) else []
    found += [o for o in later if _soon(row, o.started_at)]
    links = [Link(str(o.incident_id), Text("the same alert fired here before")) for o in found
             if o.incident and o.incident.recorded_from == recorded]  # fmt: skip
    return list({link.incident: link for link in links}.values())


def _soon(earlier: Alert, at: datetime) -> bool:
    """Whether the alert was not over for longer than `reopen_window` at this time."""
    incident = earlier.incident
    closed_at = incident.closed_at if incident and incident.state == "resolved" else None
    ended_at = over_at(earlier.started_at, earlier.ended_at, closed_at)
    return ended_at is None or at - ended_at <= RULES.reopen_window


def _open_at(earlier: Alert, at: datetime, placing: Placing) -> bool:
    """Whether the alert's incident is open, or was until shortly before, because of other alerts or of a person."""
    incident = earlier.incident
    if incident is None or incident.resolved_at:
        return incident is not None and at - (incident.resolved_at or at) <= RULES.reopen_window
    if str(incident.pk) not in placing.touched:
        return True
    late = Q(firing=True) | Q(ended_at__gte=at - RULES.reopen_window)
    return Alert.objects.filter(late, incident=incident, started_at__lte=at).exists()


def next_number() -> int:
    """The number of the next incident."""
    return (Incident.objects.aggregate(last=Max("number"))["last"] or 0) + 1


def _open(row: Alert, now: datetime, recorded: str, decision: Decision) -> Incident:
    opened = Incident.objects.create(
        number=next_number(), title=row.title[:300], severity=row.severity,
        started_at=row.started_at, opened_at=now, last_alert_at=row.started_at,
        recorded_from=recorded, follows_id=decision.follows or None,
    )  # fmt: skip
    if decision.followed_by:
        Incident.objects.filter(pk__in=decision.followed_by, follows=None).update(follows=opened)
    return opened


def refresh_state(incident: Incident) -> bool:
    """Derive state, severity and times of the incident from its alerts; whether that opened or resolved it.

    It is resolved when no alert fires. Once a person closed it, only alerts that start later hold it open.
    """
    incident.refresh_from_db()
    previous_state, previous = incident.state, _derived(incident)
    summary = _summary_of_alerts(incident)
    incident.started_at, incident.severity = summary.first_start, summary.severity
    if summary.firing:
        _keep_open(incident, summary)
    else:
        _keep_resolved(incident, summary)
    if _derived(incident) != previous:
        # Only these fields: a person or a verdict may be writing to the others.
        incident.save(update_fields=DERIVED_FIELDS)
    return incident.state != previous_state


def _derived(incident: Incident) -> list[object]:
    return [getattr(incident, field) for field in DERIVED_FIELDS]


def _summary_of_alerts(incident: Incident) -> _AlertSummary:
    holds_open = Q(firing=True)
    if incident.closed_at:
        holds_open &= Q(started_at__gt=incident.closed_at)
    return _AlertSummary(
        **incident.alerts.aggregate(
            first_start=Min("started_at"), last_start=Max("started_at"), last_end=Max("ended_at"),
            severity=Max("severity"), firing=Count("pk", filter=holds_open),
        )
    )  # fmt: skip


def _keep_open(incident: Incident, summary: _AlertSummary) -> None:
    if incident.state == "resolved":
        incident.reopened += 1
    incident.state = "open"
    incident.resolved_at = incident.closed_at = None
    incident.last_alert_at = summary.last_start


def _keep_resolved(incident: Incident, summary: _AlertSummary) -> None:
    ended_at = incident.closed_at or summary.last_end
    incident.state = "resolved"
    incident.resolved_at = ended_at
    incident.last_alert_at = summary.last_start if ended_at is None else max(summary.last_start, ended_at)
