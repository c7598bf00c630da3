"""What an alert names beside its subject."""

import pytest

from domain.connections import SourceDecl
from domain.entities import EntityKind
from domain.workloads import static_pod
from subjects.decide import subject_of
from subjects.subject import Sent

POD = {"namespace": "shop", "pod": "cart-7d9f8b6c5-x2x4z", "job": "kube-state-metrics"}


def hosts(name: str, **labels: str) -> list[str]:
    found = subject_of(Sent("alertmanager", name, name, labels), SourceDecl(kind="alertmanager", name="prod"))
    return [ref.name for ref in found.others if ref.kind is EntityKind.HOST]


def test_a_rule_on_kube_state_metrics_that_keeps_the_node_names_the_node_of_the_pod() -> None:
    assert hosts("KubePodNotReady", **POD, node="worker-1") == ["worker-1"]


def test_beside_the_address_of_kube_state_metrics_the_node_may_be_its_own() -> None:
    assert hosts("KubePodNotReady", **POD, node="worker-1", instance="10.42.1.28:8080") == []


def test_a_static_pod_runs_on_the_node_that_it_is_named_after() -> None:
    assert hosts("KubePodNotReady", namespace="kube-system", pod="kube-apiserver-master-1") == ["master-1"]
    assert hosts("KubePodNotReady", namespace="shop", pod="kube-apiserver-master-1") == []


@pytest.mark.parametrize("pod", ["etcd-guard-master-0", "kube-apiserver-guard-ip-10-0-1-23.ec2.internal"])
def test_a_guard_pod_is_no_static_pod(pod: str) -> None:
    assert static_pod(pod, "openshift-etcd") is None
