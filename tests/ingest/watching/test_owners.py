"""What an alert of the watcher is about: workloads of every kind, static pods, nodes; with init and sidecar containers."""

from typing import Any

import msgspec
import pytest

from domain.alerts import Family
from domain.entities import EntityKind, EntityRef
from evidence.clients.kubernetes_watch import EVENTS
from ingest.events.message import EventGroupMessage, Owner, PodSeen
from ingest.watching.state import WatchState
from tests.ingest.watching.alerts import alerts_of, event_of, parsed, pod_of, watching
from tests.ingest.watching.made import at

LOOPBACK = ('Liveness probe failed: Get "http://127.0.0.1:2381/health?serializable=true": context deadline exceeded '
            "(Client.Timeout exceeded while awaiting headers)")  # fmt: skip
STATUS = "Liveness probe failed: HTTP probe failed with statuscode: 500"
READINESS = "Readiness probe failed: HTTP probe failed with statuscode: 503"
RESTARTS = "Back-off restarting failed container {0} in pod x_shop(1)"


def unhealthy(namespace: str, pod: str, message: str = STATUS, **more: Any) -> dict[str, Any]:
    return event_of(("Pod", namespace, pod), "Unhealthy", message, **more)


def static(component: str, node: str = "master-5") -> dict[str, Any]:
    return pod_of("kube-system", f"{component}-{node.lower()}", ("Node", node), node)


def test_two_static_pods_of_one_node_are_two_alerts_and_that_of_etcd_is_about_its_member() -> None:
    etcd, api = sorted(
        alerts_of(
            watching(
                [static("etcd"), static("kube-apiserver")],
                [unhealthy("kube-system", "etcd-master-5", LOOPBACK), unhealthy("kube-system", "kube-apiserver-master-5")],
            )
        ),
        key=lambda alert: alert.title,
    )  # fmt: skip
    assert etcd.title == "Liveness probe of kube-system/etcd-master-5 fails: context deadline exceeded"
    assert etcd.subject == EntityRef(EntityKind.ETCD_MEMBER, "etcd-master-5", "prod-a", "", ("master-5",))
    assert (etcd.family, etcd.entities, etcd.reporter) == (Family.ETCD, (etcd.subject,), "")
    assert (
        api.title
        == "Liveness probe of kube-system/kube-apiserver-master-5 fails: HTTP probe failed with statuscode: 500"
    )
    assert api.subject == EntityRef(EntityKind.WORKLOAD, "kube-apiserver", "prod-a", "kube-system")
    assert api.family is Family.PROBE and "static pod" in api.decided_by.en
    assert [e.key for e in api.entities[1:]] == ["Pod/prod-a/kube-system/kube-apiserver-master-5"]
    assert etcd.labels["node"] == "master-5" and etcd.identity != api.identity


@pytest.mark.parametrize(
    ("component", "node", "subject", "family"),
    [
        ("etcd", "ip-10-0-0-9.ec2.internal", "EtcdMember/prod-a//etcd-ip-10-0-0-9.ec2.internal", Family.ETCD),
        ("etcd", "Master-5", "EtcdMember/prod-a//etcd-master-5", Family.ETCD),
        ("kube-apiserver", "master-5", "Workload/prod-a/kube-system/kube-apiserver", Family.API_SERVER),
        ("kube-scheduler", "master-5", "Workload/prod-a/kube-system/kube-scheduler", Family.CONTROL_PLANE),
        ("haproxy-of-ours", "master-5", "Workload/prod-a/kube-system/haproxy-of-ours", Family.CONTROL_PLANE),
    ],
)
def test_a_static_pod_is_its_component_by_the_name_of_its_node(
    component: str, node: str, subject: str, family: Family
) -> None:
    pod = static(component, node)
    about = ("Pod", "kube-system", pod["metadata"]["name"])
    (alert,) = alerts_of(watching([pod], [event_of(about, "BackOff", RESTARTS.format("app"))]))
    assert alert.subject is not None
    assert (alert.subject.key, alert.family, alert.name) == (subject, family, "ContainerBackOff")


def test_the_same_component_of_two_nodes_is_two_alerts() -> None:
    pods = [static("kube-apiserver", f"master-{n}") for n in (1, 2)]
    found = alerts_of(watching(pods, [unhealthy("kube-system", pod["metadata"]["name"]) for pod in pods]))
    assert len({alert.identity for alert in found}) == 2 and len({str(alert.subject) for alert in found}) == 1


def test_a_static_pod_of_etcd_that_is_not_known_yet_is_a_member_by_its_name() -> None:
    (alert,) = alerts_of(watching([], [unhealthy("kube-system", "etcd-master-5", LOOPBACK)]))
    assert alert.subject == EntityRef(EntityKind.ETCD_MEMBER, "etcd-master-5", "prod-a", "", ("master-5",))


@pytest.mark.parametrize(
    ("pod", "owner", "workload"),
    [
        ("cart-7d9f8b6c5-x2x4z", ("ReplicaSet", "cart-7d9f8b6c5"), "cart"),
        ("cart-blue-x2x4z", ("ReplicaSet", "cart-blue"), "cart-blue"),
        ("cart-x2x4z", ("CloneSet", "cart"), "cart"),
        ("mysql-0", ("StatefulSet", "mysql"), "mysql"),
        ("kafka-broker-0", ("StrimziPodSet", "kafka-broker"), "kafka-broker"),
        ("report-29345760-x2x4z", ("Job", "report-29345760"), "report"),
        ("migrate-x2x4z", ("Job", "migrate"), "migrate"),
    ],
)
def test_a_controller_of_any_kind_is_the_workload(pod: str, owner: tuple[str, str], workload: str) -> None:
    (alert,) = alerts_of(watching([pod_of("shop", pod, owner)], [unhealthy("shop", pod)]))
    assert alert.subject == EntityRef(EntityKind.WORKLOAD, workload, "prod-a", "shop")
    assert [e.key for e in alert.entities[1:]] == [f"Pod/prod-a/shop/{pod}"]
    assert (alert.family, alert.decided_by.en) == (Family.PROBE, "Kubernetes's owner reference")


def test_a_pod_without_an_owner_is_the_subject_itself() -> None:
    (alert,) = alerts_of(watching([pod_of("shop", "debug", None)], [unhealthy("shop", "debug")]))
    assert [e.key for e in alert.entities] == ["Pod/prod-a/shop/debug"] and alert.subject in alert.entities


CART = ("cart-7d9f8b6c5-x2x4z", ("ReplicaSet", "cart-7d9f8b6c5"))
SIDECAR = {"initContainers": [{"name": "migrate"}, {"name": "istio-proxy", "restartPolicy": "Always"}]}


@pytest.mark.parametrize(
    ("spec", "path", "reason", "title"),
    [
        ({}, "spec.containers{app}", "BackOff", "Container of shop/cart does not stay up: "),
        ({"containers": ("app", "istio-proxy")}, "spec.containers{istio-proxy}", "BackOff",
         "Container istio-proxy of shop/cart does not stay up: "),
        (SIDECAR, "spec.initContainers{migrate}", "BackOff", "Init container migrate of shop/cart does not stay up: "),
        (SIDECAR, "spec.initContainers{istio-proxy}", "BackOff", "Container istio-proxy of shop/cart does not stay up: "),
        ({"containers": ("app", "istio-proxy")}, "spec.containers{istio-proxy}", "Unhealthy",
         "Readiness probe of container istio-proxy of shop/cart fails: "),
        (SIDECAR, "spec.initContainers{istio-proxy}", "Unhealthy",
         "Readiness probe of container istio-proxy of shop/cart fails: "),
        (SIDECAR, "", "BackOff", "Container of shop/cart does not stay up: "),
    ],
)  # fmt: skip
def test_the_container_is_named_where_the_pod_has_several(
    spec: dict[str, Any], path: str, reason: str, title: str
) -> None:
    text = READINESS if reason == "Unhealthy" else RESTARTS.format("x")
    one = event_of(("Pod", "shop", CART[0]), reason, text, path=path)
    (alert,) = alerts_of(watching([pod_of("shop", *CART, **spec)], [one]))
    assert alert.title.startswith(title)
    assert alert.labels.get("container", "") == path.partition("{")[2].rstrip("}")


def test_several_failing_containers_of_a_pod_are_one_alert_that_lists_them() -> None:
    about = ("Pod", "shop", CART[0])
    events = [event_of(about, "BackOff", RESTARTS.format(c), path=f"spec.containers{{{c}}}") for c in ("app", "proxy")]
    (alert,) = alerts_of(watching([pod_of("shop", *CART, containers=("app", "proxy"))], events))
    assert alert.annotations["containers"] == "app, proxy" and "container" not in alert.labels
    assert alert.title.startswith("Container of shop/cart does not stay up")


def test_the_whole_message_is_kept_and_the_title_is_short() -> None:
    words = " ".join(f"word{n}" for n in range(200))
    (alert,) = alerts_of(
        watching([pod_of("shop", *CART)], [unhealthy("shop", CART[0], f"Readiness probe failed: {words}")])
    )
    assert alert.annotations["message_1"] == f"Readiness probe failed: {words}" and len(alert.title) < 250
    huge = unhealthy("shop", CART[0], "Readiness probe failed: token=abc12345 " + "x" * 9000)
    (alert,) = alerts_of(watching([pod_of("shop", *CART)], [huge]))
    assert len(alert.annotations["message_1"]) <= 2000


OLD = EventGroupMessage(
    version=1, state="firing", cluster="prod-a", namespace="kube-system", workload=Owner("Node", "master-5"),
    reason="Unhealthy", probe="Liveness", first=at(0), last=at(9), pods=[PodSeen("etcd-master-5", "master-5")],
    messages=[LOOPBACK],
)  # fmt: skip


def test_what_was_reported_before_static_pods_were_known_stays_readable() -> None:
    alert = parsed(OLD)
    assert alert.subject == EntityRef(EntityKind.ETCD_MEMBER, "etcd-master-5", "prod-a", "", ("master-5",))
    two = msgspec.structs.replace(OLD, pods=[*OLD.pods, PodSeen("kube-apiserver-master-5", "master-5")])
    assert parsed(two).subject == EntityRef(EntityKind.WORKLOAD, "master-5", "prod-a", "kube-system")
    assert parsed(two).identity == alert.identity


def test_a_group_that_an_older_watcher_reported_is_ended_with_the_same_identity() -> None:
    first, last, reported_at = (f"2026-11-25T15:{minute}:00Z" for minute in (30, 31, 32))
    dump = msgspec.json.encode([{
        "key": {"namespace": "shop", "owner": {"kind": "Deployment", "name": "cart"}, "failure": "BackOff", "probe": ""},
        "first": first, "last": last, "reason": "BackOff", "count": 2, "occurrences": [], "pods": [["gone", "uid-gone"]],
        "messages": ['Back-off pulling image "cart:2"'], "reported_at": reported_at,
    }])  # fmt: skip
    state = WatchState("prod-a", dump)
    assert not state.step(at(0)), "before the pods are listed, nobody knows whether it is over"
    state.pods_listed([], at(1))
    (message,) = state.step(at(1))
    old = msgspec.structs.replace(message, failure="", containers=[])
    assert message.state == "resolved" and parsed(message).identity == parsed(old).identity
    assert parsed(message).title.startswith("Image of shop/cart cannot be pulled")


@pytest.mark.parametrize("owner", [None, [], [{}], [{"kind": "Node"}], [{"kind": "", "name": "", "controller": True}]])
def test_a_broken_owner_reference_leaves_the_pod_as_the_subject(owner: Any) -> None:
    pod = pod_of("shop", "odd", None)
    pod["metadata"]["ownerReferences"] = owner
    (alert,) = alerts_of(watching([pod], [unhealthy("shop", "odd")]))
    assert alert.subject is not None and alert.subject.key == "Pod/prod-a/shop/odd"


def test_an_event_without_most_of_its_fields_is_taken_in() -> None:
    bare = b'{"metadata":{},"involvedObject":{"kind":"Pod","name":"odd"},"reason":"BackOff"}'
    state = watching()
    state.event_changed("ADDED", EVENTS.one.decode(bare), at(0))
    (alert,) = alerts_of(state, 5)
    assert alert.title == "Container of odd does not stay up: no reason given"
