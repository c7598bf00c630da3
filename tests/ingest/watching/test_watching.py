"""The watcher on an API server that forgets, restarts, hangs and refuses; what comes in, and what does not come twice."""

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.utils import timezone

from connections.declare import declare
from domain.connections import Connections, KubernetesDecl
from evidence.clients import kubernetes_watch
from evidence.clients.kubernetes_watch import HUNG_S
from incidents import watch_leases
from incidents.models import Alert, Connection, Delivery, Incident, Source, WatchLease
from ingest.sources import all_sources
from ingest.watching import follower, streams, watcher
from ingest.watching.follower import Follower
from tests.drain import drain
from tests.fakes.kube_api import KubeApi
from tests.ingest.watching.alerts import event_of, node_of
from tests.ingest.watching.made import T0, event_json, pod_json

pytestmark = pytest.mark.django_db(transaction=True)
A = "cart-7d9f8b6c5-aaaaa"


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same program with shorter waits."""
    monkeypatch.setattr(streams, "FIRST_WAIT_S", 0.05)
    monkeypatch.setattr(streams, "REFUSED_WAIT_S", 0.2)
    monkeypatch.setattr(follower, "STEP_S", 0.05)
    monkeypatch.setattr(follower, "RENEW_S", 0.1)
    monkeypatch.setattr(follower, "TRY_AGAIN_S", 0.1)


@pytest.fixture
def api() -> Iterator[KubeApi]:
    with KubeApi() as made:
        made.put("pods", pod_json(A))
        yield made


class Watching:
    """Followers of one cluster in threads of their own, each with what it nudged."""

    def __init__(self, api: KubeApi) -> None:
        self.declared = KubernetesDecl(name="prod-a", url=api.url)
        self.running: list[tuple[Follower, threading.Thread]] = []
        self.nudged: list[str] = []

    def add(self, holder: str = "one", hung_s: float = HUNG_S) -> Follower:
        made = Follower(self.declared, holder, self._nudge, hung_s=hung_s)
        thread = threading.Thread(target=made.run, daemon=True)
        thread.start()
        self.running.append((made, thread))
        return made

    def _nudge(self, ids: Sequence[str]) -> None:
        self.nudged += ids

    def end(self) -> None:
        for made, _ in self.running:
            made.ended.set()
        for _, thread in self.running:
            thread.join(10)
            assert not thread.is_alive()


@pytest.fixture
def watching(api: KubeApi) -> Iterator[Watching]:
    made = Watching(api)
    yield made
    made.end()


def until(true: Callable[[], Any], seconds: float = 15.0) -> Any:
    """Waits for it; fails the test when it does not come."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if found := true():
            return found
        time.sleep(0.03)
    raise AssertionError("it did not come in time")


def fails(api: KubeApi, count: int, name: str = A, **more: Any) -> None:
    """The kubelet says now that readiness failed, for the `count`th time; it began 15 s ago."""
    now = (datetime.now(UTC) - T0).total_seconds()
    api.put("events", event_json(name, now, count, first=now - 15, **more))


def deliveries() -> list[Delivery]:
    return list(Delivery.objects.order_by("received_at", "pk"))


def opened(api: KubeApi, watching: Watching) -> None:
    """One firing message has come in."""
    until(lambda: api.watches("events"))
    fails(api, 4)
    until(lambda: len(deliveries()) == 1)


def test_a_failing_probe_comes_in_as_one_incident_by_its_own_source(api: KubeApi, watching: Watching) -> None:
    watching.add()
    opened(api, watching)
    (row,) = deliveries()
    assert str(row.source) == "kubernetes/prod-a" and watching.nudged == [str(row.pk)]
    drain()
    incident = Incident.objects.get()
    assert incident.title == "Readiness probe of shop/cart fails: context deadline exceeded"
    assert {e.key for e in incident.entities.all()} == {f"Pod/prod-a/shop/{A}", "Workload/prod-a/shop/cart"}
    assert Source.objects.get().last_delivery_at == row.received_at


def test_a_version_that_is_no_longer_kept_is_listed_anew_without_doubling(api: KubeApi, watching: Watching) -> None:
    watching.add()
    opened(api, watching)
    lists = api.lists("events")
    api.compact()
    until(lambda: api.lists("events") > lists and api.watches("events") > 1)
    time.sleep(0.5)
    assert len(deliveries()) == 1
    fails(api, 4, "other-5f6d7-bbbbb")
    until(lambda: len(deliveries()) == 2)


def test_it_goes_on_after_a_restart_of_the_api_server_from_where_it_was(api: KubeApi, watching: Watching) -> None:
    watching.add()
    opened(api, watching)
    lists = api.lists("events")
    api.stop()
    until(lambda: "cannot be reached" in WatchLease.objects.get().error)
    fails(api, 6, reason="BackOff", message="Back-off restarting failed container")
    api.start()
    until(lambda: len(deliveries()) == 2)
    until(lambda: not WatchLease.objects.get().error)
    assert api.lists("events") == lists and Source.objects.count() == 1


def test_a_connection_that_hangs_is_given_up_and_made_anew(api: KubeApi, watching: Watching) -> None:
    watching.add(hung_s=0.5)
    until(lambda: api.watches("events"))
    api.hangs = True
    fails(api, 4)
    until(lambda: "did not answer in time" in WatchLease.objects.get().error)
    assert not deliveries()
    api.hangs = False
    until(lambda: len(deliveries()) == 1)


@pytest.mark.parametrize(("verb", "plural"), [("list", "pods"), ("list", "events"), ("watch", "events")])
def test_a_refusal_names_verb_resource_and_manifest_and_ends_when_the_role_is_there(
    api: KubeApi, watching: Watching, verb: str, plural: str
) -> None:
    api.forbidden = {(verb, plural)}
    watching.add()
    until(lambda: f"`{verb}` on `{plural}`" in getattr(WatchLease.objects.first(), "error", ""))
    assert kubernetes_watch.MANIFEST in WatchLease.objects.get().error
    api.forbidden = set()
    until(lambda: api.watches("events"))
    fails(api, 4)
    until(lambda: len(deliveries()) == 1)


def test_garbage_is_an_error_that_passes(api: KubeApi, watching: Watching) -> None:
    api.sends_garbage = True
    watching.add()
    until(lambda: "not theirs" in getattr(WatchLease.objects.first(), "error", ""))
    api.sends_garbage = False
    fails(api, 4)
    until(lambda: len(deliveries()) == 1)


def test_lists_come_in_pages(api: KubeApi, watching: Watching) -> None:
    api.page_most = 3
    for number in range(10):
        api.put("pods", pod_json(f"cart-7d9f8b6c5-{number:05}"))
        fails(api, 1, f"cart-7d9f8b6c5-{number:05}", reason="BackOff", message="Back-off restarting failed container")
    watching.add()
    until(lambda: len(deliveries()) == 1)
    drain()
    assert len(Alert.objects.get().entities.filter(kind="Pod")) == 10


def test_no_event_is_read_before_the_pods_are_known(api: KubeApi, watching: Watching) -> None:
    api.slow_lists = {"pods": 0.8}
    fails(api, 4)
    watching.add()
    until(lambda: len(deliveries()) == 1)
    drain()
    assert "Workload/prod-a/shop/cart" in {e.key for e in Alert.objects.get().entities.all()}


def test_of_two_watchers_one_leads_and_the_other_takes_over_without_doubling(api: KubeApi, watching: Watching) -> None:
    first = watching.add("one")
    until(lambda: WatchLease.objects.filter(holder="one").exists())
    watching.add("two")
    opened(api, watching)
    assert WatchLease.objects.get().holder == "one" and api.lists("events") == 1
    first.ended.set()
    until(lambda: WatchLease.objects.get().holder == "two" and api.lists("events") == 2)
    time.sleep(0.5)
    assert len(deliveries()) == 1
    fails(api, 6, "other-5f6d7-bbbbb")
    until(lambda: len(deliveries()) == 2)


def test_a_follower_that_lost_its_lease_reports_nothing_more(api: KubeApi, watching: Watching) -> None:
    watching.add("one")
    until(lambda: api.watches("events"))
    later = timezone.now() + 2 * watch_leases.HELD
    WatchLease.objects.update(holder="two", held_until=later)
    fails(api, 4)
    time.sleep(0.8)
    assert not deliveries() and WatchLease.objects.get().holder == "two"
    with pytest.raises(watch_leases.NotHeld):
        watch_leases.report("prod-a", "one", [b"{}"], b"[]", timezone.now())
    assert not Delivery.objects.exists()
    WatchLease.objects.update(holder="", held_until=None)
    until(lambda: len(deliveries()) == 1)


def test_a_watcher_that_died_is_replaced_when_its_time_is_over(api: KubeApi) -> None:
    now = timezone.now()
    assert watch_leases.take("prod-a", "dead", now) == b"[]"
    assert watch_leases.take("prod-a", "next", now + watch_leases.HELD) is None
    assert watch_leases.take("prod-a", "next", now + 1.1 * watch_leases.HELD) == b"[]"
    with pytest.raises(watch_leases.NotHeld):
        watch_leases.report("prod-a", "next", [b"{}"], b"[]", now + 3 * watch_leases.HELD)
    assert not Delivery.objects.exists()
    with pytest.raises(watch_leases.NotHeld):
        watch_leases.renew("prod-a", "dead", now + 1.1 * watch_leases.HELD, None, "")


def test_an_alert_is_resolved_when_its_pod_is_gone(
    api: KubeApi, watching: Watching, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ingest.watching.dedup.RESOLVE_AFTER", watch_leases.HELD / 30)
    api.put("pods", pod_json(A, ready=False))
    watching.add()
    opened(api, watching)
    time.sleep(1.5)
    assert len(deliveries()) == 1
    api.delete("pods", f"uid-{A}")
    until(lambda: len(deliveries()) == 2)
    drain()
    assert Incident.objects.get().state == "resolved" and not Alert.objects.get().firing


def test_the_process_follows_what_is_declared_and_leaves_what_is_not(api: KubeApi) -> None:
    stop = threading.Event()
    process = threading.Thread(target=watcher.watch, args=(stop, lambda ids: None, 0.1))
    process.start()
    try:
        time.sleep(0.3)
        assert not api.asked
        plain = {"name": "prod-a", "url": api.url}
        row = Connection.objects.create(kind="kubernetes", name="prod-a", config=plain)
        until(lambda: api.watches("events"))
        Connection.objects.filter(pk=row.pk).update(config=plain | {"watch": False})
        until(lambda: not WatchLease.objects.get().holder)
    finally:
        stop.set()
        process.join(15)
    assert not process.is_alive()
    connection.close()


@pytest.mark.parametrize(
    ("declared", "watched"),
    [
        ({"url": "https://k:6443"}, True),
        ({"in_cluster": True}, True),
        ({"kubeconfig_file": "/k"}, True),
        ({"in_cluster": True, "watch": False}, False),
        ({"api": True}, False),
        ({}, False),
    ],
)
def test_only_a_cluster_with_an_api_of_its_own_is_watched(declared: dict[str, Any], watched: bool) -> None:
    assert KubernetesDecl(name="prod-a", **declared).watched is watched


def test_a_declared_cluster_has_its_source_at_once_and_no_token_is_shown() -> None:
    connections = Connections(kubernetes=[
        KubernetesDecl(name="prod-a", in_cluster=True), KubernetesDecl(name="metrics-only"),
    ])  # fmt: skip
    for _ in range(2):
        assert not declare(connections).tokens
    assert [str(s) for s in Source.objects.all()] == ["kubernetes/prod-a"]
    declare(Connections(kubernetes=[KubernetesDecl(name="prod-b", in_cluster=True)]), dry_run=True)
    assert Source.objects.count() == 1


@pytest.mark.parametrize(("language", "text"), [("en", "are not failure counts"), ("zh-hans", "事件数不等于失败次数")])
def test_the_incidents_page_explains_the_counts(admin_client: Client, language: str, text: str) -> None:
    now = timezone.now()
    watch_leases.take("prod-a", "one", now)
    watch_leases.report("prod-a", "one", [all_sources()["kubernetes"].example], b"[]", now)
    drain()
    page = admin_client.get("/incidents/1/", headers={"Accept-Language": language}).content.decode()
    assert text in page and "kubernetes/prod-a" in page


def test_the_metrics_show_which_clusters_are_watched_and_how_long_the_api_has_been_silent() -> None:
    now = timezone.now()
    watch_leases.take("prod-a", "one", now)
    watch_leases.renew("prod-a", "one", now, now - 2 * watch_leases.HELD, "")
    watch_leases.take("prod-b", "one", now)
    watch_leases.release("prod-b", "one")
    page = Client().get("/metrics").content.decode()
    assert 'incident_graph_watcher_leader{cluster="prod-a"} 1.0' in page
    assert 'incident_graph_watcher_leader{cluster="prod-b"} 0.0' in page
    assert 'incident_graph_watcher_lag_seconds{cluster="prod-a"} 60' in page
    assert 'lag_seconds{cluster="prod-b"}' not in page


def test_static_pods_of_one_node_come_in_as_an_etcd_member_and_a_component(api: KubeApi, watching: Watching) -> None:
    master = [{"kind": "Node", "name": "master-5", "controller": True}]
    for name in ("etcd-master-5", "kube-apiserver-master-5"):
        made = pod_json(name, ready=False, namespace="kube-system", ownerReferences=master, labels={})
        api.put("pods", made | {"spec": {"nodeName": "master-5", "containers": [{"name": name.rsplit("-", 2)[0]}]}})
    watching.add()
    until(lambda: api.watches("events"))
    for name in ("etcd-master-5", "kube-apiserver-master-5"):
        about = {"kind": "Pod", "namespace": "kube-system", "name": name, "uid": f"uid-{name}"}
        message = "Liveness probe failed: HTTP probe failed with statuscode: 500"
        fails(api, 6, name, involvedObject=about, message=message)
    until(lambda: len(deliveries()) == 2)
    drain()
    etcd, server = Alert.objects.order_by("title")
    assert etcd.title.startswith("Liveness probe of kube-system/etcd-master-5 fails")
    assert {e.kind for e in etcd.entities.all()} == {"EtcdMember"}
    assert {e.key for e in server.entities.all()} >= {"Workload/prod-a/kube-system/kube-apiserver"}


def test_a_node_that_is_not_ready_comes_in_and_ends_when_it_is(
    api: KubeApi, watching: Watching, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ingest.watching.dedup.RESOLVE_AFTER", watch_leases.HELD / 30)
    api.put("nodes", node_of("worker-1", ready=False, why="Kubelet stopped posting node status."))
    watching.add()
    until(lambda: api.watches("nodes") and api.watches("events"))
    now = (datetime.now(UTC) - T0).total_seconds()
    api.put("events", event_of(("Node", "", "worker-1"), "NodeNotReady", "not ready", first=now - 40, last=now))
    until(lambda: len(deliveries()) == 1)
    api.put("nodes", node_of("worker-1", since=now))
    until(lambda: len(deliveries()) == 2)
    drain()
    alert = Alert.objects.get()
    assert alert.title == "Node worker-1 is not ready: Kubelet stopped posting node status." and not alert.firing
    assert {e.key for e in alert.entities.all()} == {"Host/prod-a//worker-1"}


def test_without_the_permission_to_read_nodes_pods_are_followed_all_the_same(api: KubeApi, watching: Watching) -> None:
    api.forbidden = {("list", "nodes")}
    watching.add()
    opened(api, watching)
    assert "`list` on `nodes`" in until(lambda: WatchLease.objects.get().error)
