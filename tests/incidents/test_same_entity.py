"""Two names of one machine: merged by a person or by a statement, taken apart again, and never without a trace."""

import json
from datetime import UTC, datetime

import pytest

from connections.declared import connections_for
from domain.connections import Connections, SourceDecl
from domain.entities import EntityKind, EntityRef
from domain.errors import Refused
from domain.text import Text
from incidents import deliveries, entity_reads, sources
from incidents.burst import apply_burst
from incidents.entities import store_entities
from incidents.models import Alert, AuditEntry, Entity, EntityAlias, EntityRelation, Incident, Source
from incidents.names import Statement, learn
from incidents.same_entity import entity_named, merge, unmerge
from ingest.sources import all_sources
from tests.ingest.test_field_cases import message

AT = datetime(2026, 11, 30, 20, 0, tzinfo=UTC)
BY_ADDRESS, BY_NAME = "Host/a//192.0.2.21", "Host/a//worker-1"
WORKER = EntityRef(EntityKind.HOST, "worker-1", "a")
PROOF = Text("the node object has both")


@pytest.fixture
def source(db: None) -> Source:
    return sources.make_source("alertmanager", "prod")[0]


def place(source: Source, **labels: str) -> None:
    raw = json.dumps(message(cluster="a", **labels)).encode()
    parsed = all_sources()["alertmanager"].parse(raw, AT, SourceDecl(kind="alertmanager", name="prod"))
    apply_burst([(deliveries.accept(source, raw, {}, AT), parsed)], Connections())


@pytest.fixture
def two(source: Source) -> Source:
    """One machine that two exporters know by two names, each with its incident."""
    place(source, alertname="NodeClockSkewDetected", job="node-exporter", instance="192.0.2.21:9100")
    place(source, alertname="KubeNodeNotReady", job="kube-state-metrics", node="worker-1")
    assert Incident.objects.count() == 2
    return source


def merged() -> int:
    return merge(entity_named(BY_ADDRESS), entity_named(BY_NAME), "alex", Text("its address"), connections_for)


def keys(incident: Incident) -> set[str]:
    return set(incident.entities.values_list("key", flat=True))


def test_everything_about_one_is_about_the_other_then(two: Source) -> None:
    assert merged() == 1
    assert [keys(i) for i in Incident.objects.order_by("number")] == [{BY_NAME}, {BY_NAME}]
    assert {row.subject.key for row in Alert.objects.all() if row.subject} == {BY_NAME}
    place(two, alertname="NodeRAIDDegraded", job="node-exporter", instance="192.0.2.21:9100")
    assert keys(Incident.objects.get(merged_into=None)) == {BY_NAME}


def test_taken_apart_each_has_its_own_alerts_again(two: Source) -> None:
    before = [keys(i) for i in Incident.objects.order_by("number")]
    merged()
    assert unmerge(entity_named(BY_ADDRESS), "alex", connections_for) == 1
    assert [keys(i) for i in Incident.objects.order_by("number")] == before


def test_the_audit_trail_says_who_and_why(two: Source) -> None:
    merged()
    unmerge(entity_named(BY_ADDRESS), "kim", connections_for)
    trail = list(AuditEntry.objects.order_by("pk").values_list("by", "action", "object", "detail"))
    assert trail == [
        ("alex", "merge entities", BY_ADDRESS, {"into": BY_NAME, "because": "its address"}),
        ("kim", "take entities apart", BY_ADDRESS, {"from": BY_NAME}),
    ]


def test_the_page_of_an_entity_knows_why_two_names_are_one(two: Source) -> None:
    merged()
    (one,) = entity_reads.known(entity_named(BY_NAME)).merged
    assert (one.key, one.by, one.because) == (BY_ADDRESS, "alex", "its address")


def test_what_cannot_be_one_is_refused_with_the_reason(two: Source) -> None:
    store_entities([EntityRef(EntityKind.POD, "worker-1", "a")])
    with pytest.raises(Refused, match="two kinds"):
        merge(entity_named(BY_NAME), entity_named("Pod/a//worker-1"), "alex", Text("x"), connections_for)
    with pytest.raises(Refused, match="already"):
        merge(entity_named(BY_NAME), entity_named(BY_NAME), "alex", Text("x"), connections_for)
    with pytest.raises(Refused, match="stands for itself"):
        unmerge(entity_named(BY_NAME), "alex", connections_for)
    merged()
    with pytest.raises(Refused, match="already"):
        merged()
    with pytest.raises(Refused, match="no entity Host/a//gone"):
        entity_named("Host/a//gone")


def test_three_names_of_one_machine_lead_to_the_last_one(two: Source) -> None:
    place(two, alertname="KubeNodeNotReady", node="worker-1.example")
    merged()
    merge(entity_named(BY_NAME), entity_named("Host/a//worker-1.example"), "alex", Text("x"), connections_for)
    assert {keys(i).pop() for i in Incident.objects.all()} == {"Host/a//worker-1.example"}
    place(two, alertname="NodeRAIDDegraded", job="node-exporter", instance="192.0.2.21:9100")
    assert {row.subject.key for row in Alert.objects.all() if row.subject} == {"Host/a//worker-1.example"}


def test_relations_move_along_and_are_not_doubled(two: Source) -> None:
    one, two_, pod = entity_named(BY_ADDRESS), entity_named(BY_NAME), store_entities([EntityRef(EntityKind.POD, "p")])
    for host in (one, two_):
        EntityRelation.objects.create(start=pod["Pod///p"], kind="RUNS_ON", end=host)
    EntityRelation.objects.create(start=one, kind="RUNS_ON", end=two_)
    merged()
    assert [(r.start.key, r.end.key) for r in EntityRelation.objects.all()] == [("Pod///p", BY_NAME)]


def test_a_statement_makes_two_names_one_also_afterwards(two: Source) -> None:
    assert learn([Statement(WORKER, "192.0.2.21", PROOF)], "kubernetes a", connections_for) == 1
    assert {keys(i).pop() for i in Incident.objects.all()} == {BY_NAME}
    assert AuditEntry.objects.get().by == "kubernetes a"
    assert learn([Statement(WORKER, "192.0.2.21", PROOF)], "kubernetes a", connections_for) == 0


def test_a_statement_before_the_first_alert_leads_it_to_the_machine(source: Source) -> None:
    learn([Statement(WORKER, "192.0.2.21", PROOF)], "kubernetes a", connections_for)
    place(source, alertname="NodeClockSkewDetected", job="node-exporter", instance="192.0.2.21:9100")
    assert keys(Incident.objects.get()) == {BY_NAME}
    (name,) = entity_reads.known(entity_named(BY_NAME)).names
    assert (name.name, name.because) == ("192.0.2.21", PROOF)


def test_an_address_of_another_cluster_is_another_machine(source: Source) -> None:
    learn([Statement(EntityRef(EntityKind.HOST, "worker-1", "b"), "192.0.2.21", PROOF)], "b", connections_for)
    place(source, alertname="NodeClockSkewDetected", job="node-exporter", instance="192.0.2.21:9100")
    assert keys(Incident.objects.get()) == {BY_ADDRESS}


def test_an_address_that_moved_belongs_to_the_machine_that_has_it_now(source: Source) -> None:
    learn([Statement(WORKER, "192.0.2.21", PROOF)], "a", connections_for)
    learn([Statement(EntityRef(EntityKind.HOST, "worker-9", "a"), "192.0.2.21", PROOF)], "a", connections_for)
    assert EntityAlias.objects.get().entity.key == "Host/a//worker-9"
    place(source, alertname="NodeClockSkewDetected", job="node-exporter", instance="192.0.2.21:9100")
    assert keys(Incident.objects.get()) == {"Host/a//worker-9"}
    assert Entity.objects.filter(merged_into__isnull=False).count() == 0
