"""What an earlier version stored wrongly is mended, once; what is proven stays."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from connections.declared import connections_for
from domain import codec
from domain.alerts import Family, ParsedAlert
from domain.connections import Connections, EtcdDecl, EtcdMemberDecl, SourceDecl
from domain.entities import EntityKind, EntityRef
from domain.text import Text
from incidents import deliveries, sources
from incidents.burst import apply_burst
from incidents.entities import store_entities
from incidents.models import Alert, Change, Entity, EntityAlias, EntityRelation, GraphQueue, Incident, Source
from incidents.names import Statement, learn
from incidents.repair import Repaired, repair
from incidents.same_entity import entity_named, merge
from ingest.sources import all_sources
from tests.ingest.test_field_cases import case

AT = datetime(2026, 11, 30, 20, 0, tzinfo=UTC)
NOTHING = Repaired(0, 0, 0, 0, 0)
KSM = EntityRef(EntityKind.POD, "kps-kube-state-metrics-6f664bc8c4-5lwq6", "", "shop")


@pytest.fixture
def source(db: None) -> Source:
    return sources.make_source("alertmanager", "prod")[0]


def place(source: Source, *bodies: object) -> None:
    for body in bodies:
        raw = json.dumps(body).encode()
        parsed = all_sources()[source.kind].parse(raw, AT, SourceDecl(kind=source.kind, name=source.name))
        apply_burst([(deliveries.accept(source, raw, {}, AT), parsed)], Connections())


def as_before(row: Alert, *entities: EntityRef) -> None:
    """Store the alert as a version did that knew no subjects."""
    parsed = codec.decode(row.parsed, ParsedAlert)
    old = ParsedAlert(
        parsed.identity, parsed.occurrence, parsed.state, parsed.name, parsed.title, parsed.severity, parsed.started_at,
        entities=entities, labels=parsed.labels, annotations=parsed.annotations, url=parsed.url,
    )  # fmt: skip
    rows = store_entities(entities)
    Alert.objects.filter(pk=row.pk).update(parsed=codec.encode(old), subject=None, family="")
    row.entities.set(rows.values())
    assert row.incident is not None
    row.incident.entities.add(*rows.values())


def melted(source: Source) -> None:
    """Two workloads and two nodes as kube-state-metrics' pod, with what followed from it."""
    place(source, case("01")["body"], case("02")["body"])
    workloads = [EntityRef(EntityKind.WORKLOAD, name, "", "shop") for name in ("cart", "mailer")]
    worker = EntityRef(EntityKind.HOST, "worker-1")
    rows = list(Alert.objects.order_by("pk"))
    for row, other in zip(rows, (*workloads, worker, worker), strict=True):
        as_before(row, KSM, other)
    stored = store_entities([KSM, worker, *workloads])
    Entity.objects.filter(key="Host///worker-2").delete()
    for workload in workloads:
        EntityRelation.objects.create(start=stored[KSM.key], kind="PART_OF", end=stored[workload.key])
    for alias in ("10.42.1.28:8080", "worker-2"):
        EntityAlias.objects.create(entity=stored[worker.key], kind="Host", alias=alias)
    GraphQueue.objects.all().delete()


def mend(**options: Any) -> Repaired:
    return repair(connections_for, Connections(), **options)


def subjects() -> list[str]:
    return [row.subject.key if row.subject else "" for row in Alert.objects.order_by("pk").select_related("subject")]


WORKLOADS_AND_NODES = ["Workload//shop/cart", "Workload//shop/mailer", "Host///worker-1", "Host///worker-2"]


def test_alerts_get_their_own_subjects_and_the_reporter_is_gone(source: Source) -> None:
    melted(source)
    found = mend()
    assert (found.alerts, found.names, found.relations) == (4, 2, 2)
    assert subjects() == WORKLOADS_AND_NODES
    assert sorted(Entity.objects.values_list("key", flat=True)) == sorted(WORKLOADS_AND_NODES)
    assert not EntityRelation.objects.exists() and not EntityAlias.objects.exists()
    for incident in Incident.objects.all():
        assert set(incident.entities.values_list("alerts__incident", flat=True)) == {incident.pk}


def test_the_scope_of_later_investigations_has_the_new_subjects(source: Source) -> None:
    melted(source)
    mend()
    parsed = codec.decode(Alert.objects.order_by("pk")[0].parsed, ParsedAlert)
    assert parsed.entities == (EntityRef(EntityKind.WORKLOAD, "cart", "", "shop"),)
    assert (parsed.family, parsed.reporter) == (Family.WORKLOAD, "kube-state-metrics")


def test_the_graph_follows_every_incident_that_changed(source: Source) -> None:
    melted(source)
    found = mend()
    assert found.incidents > 0
    assert GraphQueue.objects.count() == found.incidents


def test_a_second_run_changes_nothing(source: Source) -> None:
    melted(source)
    mend()
    before = list(Entity.objects.order_by("pk").values_list("pk", "key"))
    assert mend() == NOTHING and mend(dry_run=True) == NOTHING
    assert list(Entity.objects.order_by("pk").values_list("pk", "key")) == before


def test_a_dry_run_counts_the_same_and_stores_nothing(source: Source) -> None:
    melted(source)
    keys = set(Entity.objects.values_list("key", flat=True))
    counted = mend(dry_run=True)
    assert set(Entity.objects.values_list("key", flat=True)) == keys and subjects() == [""] * 4
    assert EntityAlias.objects.count() == EntityRelation.objects.count() == 2
    done = mend()
    assert (counted.alerts, counted.names, counted.relations) == (done.alerts, done.names, done.relations)
    assert counted.entities == done.entities == 1


def test_the_progress_counts_every_alert(source: Source) -> None:
    melted(source)
    seen: list[tuple[int, int]] = []
    mend(progress=lambda done, total: seen.append((done, total)))
    assert seen[-1] == (4, 4)


def test_what_has_a_statement_stays(source: Source) -> None:
    worker = EntityRef(EntityKind.HOST, "worker-1")
    learn([Statement(worker, "192.0.2.21", Text("the node object has both"))], "test", connections_for)
    place(source, case("01")["body"])
    pay = store_entities([EntityRef(EntityKind.SERVICE, "pay")])["Service///pay"]
    Change.objects.create(kind="deploy", reference="r1", title="t", at=AT).entities.add(pay)
    assert mend() == NOTHING
    assert Entity.objects.filter(key__in=[worker.key, pay.key]).count() == 2


def test_what_a_person_merged_stays_merged(source: Source) -> None:
    place(source, case("02")["body"])
    one, two = entity_named("Host///worker-1"), entity_named("Host///worker-2")
    merge(one, two, "alex", Text("one machine"), connections_for)
    assert mend() == NOTHING
    assert set(subjects()) == {"Host///worker-2"}


def test_static_pods_that_were_one_workload_named_after_their_node_become_their_components(db: None) -> None:
    watcher = sources.closed_source("kubernetes", "prod-a")
    place(watcher, json.loads(all_sources()["kubernetes"].example))
    pods = [EntityRef(EntityKind.POD, f"{c}-master-5", "prod-a", "kube-system") for c in ("etcd", "kube-apiserver")]
    wrong = EntityRef(EntityKind.WORKLOAD, "master-5", "prod-a", "kube-system")
    as_before(Alert.objects.get(), *pods, wrong)
    mend()
    keys = set(Alert.objects.get().entities.values_list("key", flat=True))
    assert keys == {*(pod.key for pod in pods), "Workload/prod-a/kube-system/etcd",
                    "Workload/prod-a/kube-system/kube-apiserver"}  # fmt: skip
    assert not Entity.objects.filter(key=wrong.key).exists()


def test_a_watchers_alert_without_a_subject_is_about_the_workload_that_it_names(db: None) -> None:
    watcher = sources.closed_source("kubernetes", "prod-a")
    place(watcher, json.loads(all_sources()["kubernetes"].example))
    row = Alert.objects.get()
    before = codec.decode(row.parsed, ParsedAlert)
    as_before(row, *before.entities)
    mend()
    row.refresh_from_db()
    assert row.subject is not None
    assert (row.subject.key, row.family) == ("Workload/prod-a/shop/cart", "probe")
    assert mend() == NOTHING


def test_members_of_the_only_declared_etcd_come_together(source: Source) -> None:
    for body in case("06")["deliveries"]:
        place(source, body)
    member = EtcdMemberDecl(name="etcd1", endpoint="http://10.1.0.11:2379", instance="10.1.0.11:2379")
    declared = Connections(etcd=[EtcdDecl(name="etcd-prod", cluster="prod-a", member=[member])])
    repair(lambda _source: declared, declared)
    assert set(subjects()) == {"EtcdMember/prod-a//etcd1", "EtcdCluster/prod-a//etcd-prod"}
    assert EntityRelation.objects.filter(kind="MEMBER_OF").count() == 1
