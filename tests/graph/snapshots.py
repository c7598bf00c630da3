"""Small incidents for the tests of the graph: an etcd leader switch and its relatives."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from domain.alerts import AlertState, Severity
from domain.entities import EntityKind, EntityRef, Relation, RelationKind
from domain.findings import Finding
from domain.scope import ChangeRef
from domain.similar import SimilarIncident
from domain.snapshot import AlertRecord, Confirmation, IncidentSnapshot
from domain.text import Text
from domain.verdict import Outcome, RankedCause, TermResult, Verdict, VerdictState

START = datetime(2026, 3, 1, 8, 0, tzinfo=UTC)
ETCD = EntityRef(EntityKind.ETCD_CLUSTER, "main", "prod")
MEMBERS = tuple(EntityRef(EntityKind.ETCD_MEMBER, f"etcd-{n}", "prod") for n in range(3))
ZONE = EntityRef(EntityKind.ZONE, "az-1", "prod")
POD = EntityRef(EntityKind.POD, "cart-0", "prod", "shop")


def relations() -> tuple[Relation, ...]:
    belong = tuple(Relation(m.key, RelationKind.MEMBER_OF, ETCD.key) for m in MEMBERS)
    return (*belong, Relation(MEMBERS[0].key, RelationKind.IN_ZONE, ZONE.key))


def finding(measure: str, seen: bool | None, value: float | None = None) -> Finding:
    word = Text("{measure} {seen}", measure=measure, seen=seen)
    return Finding(measure, "etcd-check", seen, word, value, "s", 0.15, "etcd-0")


def cause(slug: str, position: int, probability: float, *terms: TermResult) -> RankedCause:
    return RankedCause(slug, "network", Text.rendered(slug, slug), position, probability, terms)


def term(measure: str, outcome: Outcome, weight: float) -> TermResult:
    return TermResult(measure, outcome, weight, Text.rendered(measure, measure))


def verdict(incident: str, *causes: RankedCause, revision: int = 1, **changes: Any) -> Verdict:
    made = Verdict(
        incident=incident,
        revision=revision,
        state=VerdictState.RANKED,
        headline=Text.rendered("headline", "标题"),
        as_of=START + timedelta(minutes=5),
        causes=causes,
        unknown_probability=1 - sum(c.probability for c in causes),
        ruled_out=(),
        missing=(),
        similar=(),
        ranker_name="rules",
        ranker_version="1",
        input_hash="sha256:0",
    )
    return replace(made, **changes)


def alert(incident: str, *entities: EntityRef, name: str = "EtcdLeaderChanges") -> AlertRecord:
    keys = tuple(e.key for e in entities)
    state, severity = AlertState.RESOLVED, Severity.HIGH
    end = START + timedelta(minutes=4)
    return AlertRecord(f"alert-{incident}", "am", name, "Leader changed", severity, state, START, end, keys)


def plain(id_: str, minutes: int = 0, **changes: Any) -> IncidentSnapshot:
    """An incident with one alert on the first etcd member and nothing found yet."""
    started = START + timedelta(minutes=minutes)
    made = IncidentSnapshot(
        id=id_,
        number=1,
        title=f"Incident {id_}",
        state="resolved",
        severity=Severity.HIGH,
        started_at=started,
        resolved_at=started + timedelta(minutes=12, seconds=30),
        alerts=(alert(id_, MEMBERS[0]),),
        entities=(MEMBERS[0],),
        relations=(),
        findings=(),
        verdict=None,
        confirmed=(),
        rejected=(),
        changes=(),
        tickets=(),
        url=f"/incidents/{id_}/",
    )
    return replace(made, **changes)


def judged(id_: str, minutes: int = 0, **changes: Any) -> IncidentSnapshot:
    """The same with findings and a ranking: jitter between zones before a slow disk."""
    jitter = cause(
        "cross-az-network-jitter",
        1,
        0.8,
        term("etcd-leader-switch", Outcome.FOR, 2.0),
        term("etcd-fsync-one-slow", Outcome.FOR, 0.5),
        term("etcd-space-alarm", Outcome.UNKNOWN, 0.0),
    )
    disk = cause("etcd-slow-disk", 2, 0.1, term("etcd-fsync-one-slow", Outcome.AGAINST, -1.5))
    values = {
        "findings": (
            finding("etcd-leader-switch", True, 1.0),
            finding("etcd-fsync-one-slow", False, 0.004),
            finding("etcd-space-alarm", None),
        ),
        "verdict": verdict(id_, jitter, disk),
    }
    return plain(id_, minutes, **{**values, **changes})


def whole() -> tuple[IncidentSnapshot, ...]:
    """Incidents that between them fill every label and every relation of the schema."""
    every = tuple(EntityRef(kind, f"a-{kind.lower()}", "prod", "shop") for kind in EntityKind)
    links = tuple(Relation(MEMBERS[0].key, kind, ETCD.key) for kind in RelationKind)
    first = judged("first", confirmed=(Confirmation("etcd-slow-disk", "ann", START, "new disk"),))
    alike = SimilarIncident("first", "Incident first", 0.5, (Text.rendered("same", "相同"),))
    base = judged("second", 60)
    assert base.verdict is not None
    second = replace(
        base,
        entities=(*every, MEMBERS[0]),
        relations=(*relations(), *links),
        verdict=replace(base.verdict, similar=(alike,)),
        rejected=("etcd-slow-disk",),
        changes=(ChangeRef("c1", "deploy", "New image", START, (POD.key,), "http://x/1"),),
        tickets=("OPS-1",),
    )
    return first, second


def confirmation(slug: str, fixed_by: str = "") -> Confirmation:
    return Confirmation(slug, "ann", START, fixed_by)
