"""Which symptoms alerts, entities and findings are about."""

from dataclasses import replace

import pytest

from causes.cause import Symptom
from causes.symptoms import ALERT_WORDS, MEASURE_PREFIXES, symptoms_of, symptoms_of_alert
from domain.connections import Connections, EtcdDecl, EtcdMemberDecl
from domain.entities import EntityKind, EntityRef
from tests.causes.scenes import MEMBER, NODE, POD, alert, findings, scope

NAMELESS = replace(alert("etcd"), name="Trouble", title="Trouble", entities=())
NOWHERE = replace(scope("etcd"), alerts=(NAMELESS,), entities=())
OWN_WORDS = [(word, symptom) for symptom, words in ALERT_WORDS.items() for word in words]


def only(*symptoms: Symptom) -> frozenset[Symptom]:
    return frozenset(symptoms)


@pytest.mark.parametrize(("word", "symptom"), OWN_WORDS)
def test_a_word_of_an_alerts_name_title_job_or_component_gives_its_symptom(word: str, symptom: Symptom) -> None:
    words = f"My {word.upper()} is bad"
    for fired in (
        replace(NAMELESS, name=words),
        replace(NAMELESS, title=words),
        replace(NAMELESS, labels={"job": words}),
        replace(NAMELESS, labels={"component": words}),
    ):
        assert symptom in symptoms_of_alert(fired)
    assert symptoms_of_alert(replace(NAMELESS, labels={"pod": words})) == only()


@pytest.mark.parametrize(
    ("text", "symptoms"),
    [
        ("EtcdInsufficientMembers", only(Symptom.ETCD)),
        ("ProbeFailed", only(Symptom.PROBE)),
        ("BlackboxExporter", only(Symptom.PROBE)),
        ("ReadinessFailing", only(Symptom.PROBE)),
        ("LivenessFailing", only(Symptom.PROBE)),
        ("KubePodNotHealthy", only(Symptom.PROBE)),
        ("CrashLoop", only(Symptom.PROBE)),
        ("TargetDown", only(Symptom.PROBE)),
        ("KubeDeploymentNotReady", only(Symptom.PROBE)),
        ("KubeNodeUnreachable", only(Symptom.NODE)),
        ("KubeletDown", only(Symptom.NODE)),
        ("ConntrackFull", only(Symptom.NODE)),
        ("NodePressure", only(Symptom.NODE)),
        ("KubeAPIErrors", only(Symptom.API_SERVER)),
        ("ApiserverSlow", only(Symptom.API_SERVER)),
        ("The API server is slow", only(Symptom.API_SERVER)),
        ("HostOutOfDisk", only()),
    ],
)
def test_the_usual_names_of_alerts_have_their_symptoms(text: str, symptoms: frozenset[Symptom]) -> None:
    assert symptoms_of_alert(replace(NAMELESS, name=text)) == symptoms


def test_a_node_that_is_not_ready_is_about_nodes() -> None:
    assert Symptom.NODE in symptoms_of_alert(replace(NAMELESS, name="NodeNotReady"))


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


def test_an_incident_is_about_all_that_its_alerts_and_its_entities_are_about() -> None:
    both = replace(NOWHERE, alerts=(replace(NAMELESS, name="KubeNodeNotReachable"), NAMELESS), entities=(MEMBER, POD))
    assert symptoms_of(both) == only(Symptom.NODE, Symptom.ETCD, Symptom.PROBE)


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
