"""Labels that are called otherwise than Prometheus' operator calls them."""

import pytest

from domain.connections import SourceDecl
from subjects.decide import subject_of
from subjects.subject import Sent


def key(**labels: str) -> str:
    found = subject_of(Sent("alertmanager", "Errors", "Errors", labels), SourceDecl(kind="alertmanager", name="prod"))
    return found.ref.key if found.ref else ""


@pytest.mark.parametrize("dot", ["_", "."])
def test_the_resource_attributes_of_opentelemetry_name_the_subject(dot: str) -> None:
    names = {"k8s.cluster.name": "eu", "k8s.namespace.name": "shop", "k8s.deployment.name": "cart"}
    labels = {name.replace(".", dot): value for name, value in names.items()}
    assert key(**labels) == "Workload/eu/shop/cart"
    assert key(**labels, **{f"k8s{dot}pod{dot}name": "cart-7d9f8b6c5-x2x4z"}) == "Pod/eu/shop/cart-7d9f8b6c5-x2x4z"
    assert key(**{f"k8s{dot}node{dot}name": "worker-1"}) == "Host///worker-1"


def test_labels_of_older_charts_of_prometheus_name_the_subject() -> None:
    scraped = {"job": "kubernetes-pods", "instance": "10.42.1.2:8080", "kubernetes_namespace": "shop"}
    assert key(**scraped, kubernetes_pod_name="cart-7d9f8b6c5-x2x4z") == "Pod//shop/cart-7d9f8b6c5-x2x4z"
    assert key(**scraped, kubernetes_name="cart") == "Service//shop/cart"


def test_a_usual_label_counts_before_one_that_is_called_otherwise() -> None:
    assert key(namespace="shop", pod="cart-0", kubernetes_namespace="agents", k8s_pod_name="agent-0") == (
        "Pod//shop/cart-0"
    )
