"""Which symptoms alerts, entities and findings are about."""

from dataclasses import replace

import pytest

from causes.cause import Symptom
from causes.symptoms import MEASURE_PREFIXES, symptoms_of, symptoms_of_alert
from domain.alerts import Family
from domain.connections import Connections, EtcdDecl, EtcdMemberDecl
from domain.entities import EntityKind, EntityRef
from tests.causes.scenes import MEMBER, NODE, POD, alert, findings, scope

NAMELESS = replace(alert("etcd"), name="Trouble", title="Trouble", entities=(), subject=None, family=Family.UNKNOWN)
NOWHERE = replace(scope("etcd"), alerts=(NAMELESS,), entities=())


def only(*symptoms: Symptom) -> frozenset[Symptom]:
    return frozenset(symptoms)


@pytest.mark.parametrize(
    ("family", "symptoms"),
    [
        (Family.ETCD, only(Symptom.ETCD)),
        (Family.PROBE, only(Symptom.PROBE)),
        (Family.POD, only(Symptom.PROBE)),
        (Family.WORKLOAD, only(Symptom.PROBE)),
        (Family.TARGET, only(Symptom.PROBE)),
        (Family.NODE, only(Symptom.NODE)),
        (Family.API_SERVER, only(Symptom.API_SERVER)),
        (Family.STORAGE, only()),
        (Family.UNKNOWN, only()),
    ],
)
def test_the_family_of_an_alert_gives_its_symptom(family: Family, symptoms: frozenset[Symptom]) -> None:
    assert symptoms_of_alert(replace(NAMELESS, family=family)) == symptoms


def test_a_node_that_is_not_ready_is_no_failed_probe() -> None:
    fired = replace(alert("node"), entities=(NODE,))
    assert symptoms_of_alert(fired) == only(Symptom.NODE)


def test_a_component_of_the_control_plane_is_no_application_though_it_is_a_workload() -> None:
    component = EntityRef(EntityKind.WORKLOAD, "kube-apiserver", "prod-a", "kube-system")
    assert symptoms_of_alert(replace(alert("api"), entities=(component,))) == only(Symptom.API_SERVER)


@pytest.mark.parametrize(
    ("kind", "symptoms"),
    [
        (EntityKind.ETCD_MEMBER, only(Symptom.ETCD)),
        (EntityKind.ETCD_CLUSTER, only(Symptom.ETCD)),
        (EntityKind.POD, only(Symptom.PROBE)),
        (EntityKind.WORKLOAD, only(Symptom.PROBE)),
        (EntityKind.SERVICE, only(Symptom.PROBE)),
        (EntityKind.HOST, only()),
        (EntityKind.ZONE, only()),
        (EntityKind.CLUSTER, only()),
    ],
)
def test_the_kind_of_what_is_affected_gives_the_symptom(kind: EntityKind, symptoms: frozenset[Symptom]) -> None:
    about = EntityRef(kind, "one", "prod-a")
    assert symptoms_of_alert(replace(NAMELESS, entities=(about,))) == symptoms
    assert symptoms_of(replace(NOWHERE, entities=(about,))) == symptoms


def test_an_incident_is_about_all_that_its_alerts_are_about_and_without_them_about_its_entities() -> None:
    both = replace(NOWHERE, alerts=(alert("node"), alert("etcd")), entities=(MEMBER, POD))
    assert symptoms_of(both) == only(Symptom.NODE, Symptom.ETCD)
    assert symptoms_of(replace(both, alerts=(NAMELESS,))) == only(Symptom.ETCD, Symptom.PROBE)


@pytest.mark.parametrize(
    ("host", "symptoms"),
    [
        (NODE, only()),
        (replace(NODE, name="db-1"), only(Symptom.ETCD)),
        (replace(NODE, aliases=("other", "db-1.example")), only(Symptom.ETCD)),
    ],
)
def test_a_host_of_a_declared_etcd_member_is_about_etcd(host: EntityRef, symptoms: frozenset[Symptom]) -> None:
    member = EtcdMemberDecl(name="etcd1", endpoint="http://127.0.0.1:1", host=["db-1", "db-1.example"])
    there = replace(NOWHERE, entities=(host,), connections=Connections(etcd=[EtcdDecl(name="main", member=[member])]))
    assert symptoms_of(there) == symptoms


@pytest.mark.parametrize(
    ("measure", "symptom"),
    [
        ("etcd-space-alarm", Symptom.ETCD),
        ("probe-refused", Symptom.PROBE),
        ("kubelet-liveness-failing", Symptom.PROBE),
        ("pod-crashed", Symptom.PROBE),
        ("event-reset", Symptom.PROBE),
        ("node-not-ready", Symptom.NODE),
        ("conntrack-full", Symptom.NODE),
        ("apiserver-slow", Symptom.API_SERVER),
    ],
)
def test_where_alerts_name_nothing_what_was_seen_gives_the_symptom(measure: str, symptom: Symptom) -> None:
    assert symptoms_of(NOWHERE, tuple(findings(measure))) == only(symptom)
    assert symptoms_of(NOWHERE, tuple(findings("", measure))) == only()
    assert symptoms_of(NOWHERE, tuple(findings("", "", measure))) == only()
    assert symptoms_of(NOWHERE, tuple(findings(f"other-{measure}"))) == only()
    assert symptoms_of(replace(NOWHERE, entities=(POD,)), tuple(findings("etcd-space-alarm"))) == only(Symptom.PROBE)
    assert set(MEASURE_PREFIXES) == set(Symptom)
