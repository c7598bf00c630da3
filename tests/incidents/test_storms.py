"""Generated storms of mixed clusters, exporters and sources: one entity for each thing, one thing for each entity.

The alerts are those of the public rule sets, with their labels moved to machines, pods and members of two clusters.
"""

import json
import random
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import pytest

from domain.alerts import AlertState, ParsedAlert, Severity
from domain.connections import Connections, EtcdDecl, EtcdMemberDecl, KubernetesDecl, SourceDecl
from domain.entities import EntityKind, EntityRef
from domain.text import Text
from incidents import sources
from incidents.entities import EntityCache
from incidents.models import Source
from incidents.names import Statement, learn
from subjects.decide import subject_of
from tests.incidents.test_alerts import BEGAN
from tools.alert_rules import Rule, rules

STORMS, ALERTS = 200, 30
CLUSTERS = ("east", "west")
KINDS = {"Pod", "Workload", "Host", "EtcdMember", "EtcdCluster", "Volume", "Namespace", "Object"}
# What the rules' label sets are about, and how many of its like each cluster has.
NAMED = {
    "cart-7d9f8b6c5-x2x4z": [f"{app}-7d9f8b6c5-{end}" for app in ("cart", "mail") for end in ("x2x4z", "b5b7c")],
    "worker-1": ["worker-1", "worker-2", "worker-3"],
    "192.0.2.21": ["192.0.2.21", "192.0.2.22", "192.0.2.23"],
    "master-1": ["master-1", "master-2"],
    "192.0.2.11": ["192.0.2.11", "192.0.2.12"],
}
APART = ("shop", "data-db-0")
REPLACED = {
    "shop": ["shop", "pay"], "agent": ["agent", "logs"], "data-db-0": ["data-db-0", "data-db-1"],
}  # fmt: skip
CONNECTIONS = Connections(
    kubernetes=[KubernetesDecl(name=c) for c in CLUSTERS],
    etcd=[
        EtcdDecl(name=f"etcd-{c}", cluster=c, selector={"job": "kube-etcd"}, member=[
            EtcdMemberDecl(name=f"etcd-{c}-{n}", endpoint=f"https://192.0.2.1{n}:2379", instance=f"192.0.2.1{n}:2381",
                           host=[f"master-{n}"])
            for n in (1, 2)
        ])
        for c in CLUSTERS
    ],
)  # fmt: skip


@dataclass(frozen=True)
class Sent:
    """An alert of a storm and what it is truly about."""

    thing: tuple[str, ...]
    alert: ParsedAlert


def usable() -> list[Rule]:
    """Rules whose truth has a name in the labels, that is known without doubt."""
    return [
        r for r in rules()
        if r.truth["kind"] in KINDS and r.truth["name"] and "doubt" not in r.facts
        and not (r.set == "zabbix" and str(r.truth["kind"]).startswith("Etcd"))
        and r.set not in {"openshift", "victoriametrics"} and r.facts.get("variant") != "plain"
        and "10.1.0.11" not in json.dumps(r.facts)
        and not (r.truth["kind"] == "EtcdCluster" and r.sent().labels.get("job", "kube-etcd") != "kube-etcd")
    ]  # fmt: skip


RULES = usable()


def moved(draw: random.Random, texts: Any) -> Any:
    """The labels and the truth of a rule about others of their kind; names that belong together move together."""
    node, master = draw.randrange(3), draw.randrange(2)
    by_name = {
        "worker-1": NAMED["worker-1"][node], "192.0.2.21": NAMED["192.0.2.21"][node],
        "master-1": NAMED["master-1"][master], "192.0.2.11": NAMED["192.0.2.11"][master],
        "cart-7d9f8b6c5-x2x4z": draw.choice(NAMED["cart-7d9f8b6c5-x2x4z"]),
        **{name: draw.choice(others) for name, others in REPLACED.items()},
    }  # fmt: skip
    text = json.dumps(texts)
    for name, other in by_name.items():
        text = text.replace(name, other)
    return json.loads(text)


def storm(seed: int) -> Iterator[Sent]:
    draw = random.Random(seed)
    for number in range(ALERTS):
        rule, cluster = draw.choice(RULES), draw.choice(CLUSTERS)
        kind = rule.sent().sender
        labels, truth = moved(draw, [dict(rule.sent().labels), rule.truth])
        labels.pop("cluster", None)
        declared = SourceDecl(kind=kind, name=cluster, labels={"cluster": cluster})
        if draw.random() < 0.5:  # the external label of the server, under one of its names
            label = draw.choice(["cluster", "k8s_cluster", "cluster_name"])
            labels, declared = labels | {label: cluster}, SourceDecl(kind=kind, name=cluster)
        yield Sent(thing(truth, cluster), parsed(replace(rule.sent(), labels=labels), declared, str(number)))


def parsed(sent: Any, declared: SourceDecl, identity: str) -> ParsedAlert:
    labels = {**declared.labels, **sent.labels}
    subject = subject_of(replace(sent, labels=labels), declared)
    return ParsedAlert(
        identity, "", AlertState.FIRING, sent.name, sent.name, Severity.WARNING, BEGAN, entities=subject.entities,
        labels=labels, subject=subject.ref, family=subject.family,
    )  # fmt: skip


def thing(truth: dict[str, str], cluster: str) -> tuple[str, ...]:
    """What is meant, by one of its names: machines and members have several."""
    kind, name = truth["kind"], truth["name"]
    if kind == "Host":
        name = name.replace("worker-", "192.0.2.2").replace("master-", "192.0.2.1")
    if kind == "EtcdMember":
        number = name.partition(":")[0][-1] if ":" in name else name[-1]
        name = f"member {number}"
    if kind == "EtcdCluster":
        return (kind, cluster)
    namespace = "" if kind in {"Host", "EtcdMember", "Namespace"} else truth["namespace"]
    return (kind, cluster, namespace, name)


@pytest.fixture
def known_machines(db: None) -> Source:
    """The node objects of both clusters, which have the same addresses."""
    source, _ = sources.make_source("alertmanager", "prod")
    statements = [
        Statement(EntityRef(EntityKind.HOST, f"{role}-{n}", cluster), f"192.0.2.{tens}{n}", Text("node object"))
        for cluster in CLUSTERS for role, tens in (("worker", 2), ("master", 1)) for n in (1, 2, 3)
    ]  # fmt: skip
    learn(statements, "test", lambda _source: CONNECTIONS)
    return source


def test_no_two_things_share_an_entity_and_no_thing_has_two(known_machines: Source) -> None:
    assert len(RULES) > 250
    entities, things = defaultdict(set), defaultdict(set)
    for seed in range(STORMS):
        cache = EntityCache(CONNECTIONS)
        for sent in storm(seed):
            row = cache.subject(sent.alert)
            assert row is not None, (seed, sent.alert.name, sent.alert.labels)
            entities[sent.thing].add(row.key)
            things[row.key].add(sent.thing)
    assert {thing: keys for thing, keys in entities.items() if len(keys) > 1} == {}
    assert {key: found for key, found in things.items() if len(found) > 1} == {}
    assert len(things) > 60
