"""Each check on metrics: what makes it seen, what makes it not seen, and that nothing known is unknown."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import httpx
import pytest

from domain.alerts import AlertState, ParsedAlert, Severity
from domain.entities import EntityKind, EntityRef, Relation, RelationKind
from domain.scope import Scope
from evidence.checks import all_checks
from evidence.checks.api_server import QUERY
from evidence.unready import UNREADY
from tests.evidence.scene import (
    END,
    NOON,
    POD,
    Values,
    World,
    after,
    at,
    change,
    findings,
    rising,
    scope,
    seen,
    steady,
)  # fmt: skip

KEY = f"Pod/prod-a/shop/{POD}"
OTHER = "cart-6c8f9d7b5-aaaaa"
CONDITION = "(kube_node_status_condition"


def info(world: World | None = None) -> World:
    return (world or World()).add(
        "kube_pod_info", 1.0, node="node-1", host_ip="10.0.0.5", created_by_name="cart-6c8f9d7b5"
    )


def latency(world: World, name: str, *, mean: float, before: float = 0.01, **labels: str) -> World:
    """Ten requests a second; their mean changes at the alert's lead."""

    def total(t: float) -> float:
        return 10 * before * (min(t, -300) + 1800) + 10 * mean * max(0.0, t + 300)

    return world.add(f"{name}_count", rising(10), **labels).add(f"{name}_sum", total, **labels)  # fmt: skip


def collecting(collector: float, work: float) -> World:
    """CPU seconds a second of a Go process since the fault; half of little went to the collector before."""

    def total(cores: float) -> Values:
        return lambda t: 0.001 * (min(t, -120) + 1800) + cores * max(0.0, t + 120)

    names = ("go_cpu_classes_gc_total_cpu_seconds_total", "go_cpu_classes_user_cpu_seconds_total")
    return World().add(names[0], total(collector)).add(names[1], total(work))


def nodes(**bad: str) -> World:
    world = info()
    rows = [({"node": node, "condition": condition}, after(-60, 0.0)) for condition, node in bad.items()]
    world.computed[CONDITION] = [*rows, ({}, steady(3.0))]
    return world


def network(entries: float = 100, resent: float = 0.001, before: float = 0.001) -> World:
    world = info()
    for name, value in (
        ("node_nf_conntrack_entries", after(-60, entries, 50.0)),
        ("node_nf_conntrack_entries_limit", 1000),
    ):
        world.add(name, value, instance="10.0.0.5:9100", pod="", namespace="")

    def again(t: float) -> float:
        return 100 * before * (min(t, -300) + 1800) + 100 * resent * max(0.0, t + 300)

    world.add("node_netstat_Tcp_OutSegs", rising(100), instance="10.0.0.5:9100", pod="", namespace="")
    return world.add("node_netstat_Tcp_RetransSegs", again, instance="10.0.0.5:9100", pod="", namespace="")  # fmt: skip


def api_server(latency_s: float = 0.1, errors: float | None = None, store: float = 0.02) -> World:
    measured = {"latency": latency_s, "store": store, "asked": 50.0} | ({} if errors is None else {"errors": errors})
    lines = [({"told": name}, after(-30, value, 0.01)) for name, value in measured.items()]
    return World(computed={QUERY[:40]: lines})


def pool(used: float = 4, limit: float = 5, waited: float = 0.0, waits: float = 0.0) -> World:
    world = World().add("go_sql_in_use_connections", after(-60, used, 1.0), db_name="db")
    world.add("go_sql_max_open_connections", limit, db_name="db")
    world.add("go_sql_wait_duration_seconds_total", rising(waited, -60), db_name="db")
    return world.add("go_sql_wait_count_total", rising(waits, -60), db_name="db")


def crowd(fallen: list[tuple[str, str, str, Values]], per_node: dict[str, int], pods: dict[str, str]) -> World:
    """`fallen` are namespace, pod, node and when it was unready; `pods` of the own namespace by replica set."""
    world = World()
    world.computed[UNREADY] = [({"namespace": n, "pod": p, "node": node}, v) for n, p, node, v in fallen]
    totals = [({"node": node}, steady(count)) for node, count in per_node.items()]
    totals += [
        ({"namespace": "shop", "pod": p, "node": "node-1", "created_by_name": rs}, steady(1.0))
        for p, rs in pods.items()
    ]
    world.computed["count by (node) (kube_pod_info"] = totals
    return world  # fmt: skip


def down(since: float = -30) -> Values:
    return lambda t: 0.0 if t >= since else None


PODS = {POD: "cart-6c8f9d7b5", OTHER: "cart-6c8f9d7b5"}
OWN = ("shop", POD, "node-1", down())

CASES: list[tuple[str, str, World, bool]] = [
    ("request-routes", "probe-route-slow", latency(World(), "http_request_duration_seconds", mean=2, route="/healthz"), True),
    ("request-routes", "probe-route-slow", latency(World(), "http_request_duration_seconds", mean=0.02, route="/healthz"), False),
    ("request-routes", "other-routes-slow", latency(World(), "http_server_request_duration_seconds", mean=2, http_route="/work"), True),
    ("request-routes", "other-routes-slow", latency(World(), "http_request_duration_seconds", mean=2, before=1.9, handler="/work"), False),
    ("connection-pool", "pool-exhausted", pool(5, waited=12, waits=3), True),
    ("connection-pool", "pool-exhausted", pool(5, waits=3), True),
    ("connection-pool", "pool-exhausted", pool(5, waited=0.1, waits=9), False),
    ("connection-pool", "pool-exhausted", pool(3, waited=0.1), False),
    ("dependencies", "dependency-latency-high", latency(World(), "http_client_request_duration_seconds", mean=3, dependency="db"), True),
    ("dependencies", "dependency-latency-high", latency(World(), "http_client_request_duration_seconds", mean=0.1, dependency="db"), False),
    ("dependencies", "dependency-failing", World().add("http_client_requests_total", rising(5), code="503", dependency="db"), True),
    ("dependencies", "dependency-failing", World().add("http_client_requests_total", rising(5), code="200", dependency="db"), False),
    ("endpoints", "endpoints-none-ready",
     World().add("kube_deployment_status_replicas_available", after(-10, 0.0, 2.0), deployment="cart", pod=""), True),
    ("endpoints", "endpoints-none-ready",
     World().add("kube_deployment_status_replicas_available", 2.0, deployment="cart", pod=""), False),
    ("node-state", "node-not-ready", nodes(Ready="node-1"), True),
    ("node-state", "node-not-ready", nodes(Ready="node-2"), False),
    ("node-state", "node-pressure", nodes(MemoryPressure="node-1"), True),
    ("node-state", "node-pressure", nodes(), False),
    ("node-network", "conntrack-near-limit", network(entries=950), True),
    ("node-network", "conntrack-near-limit", network(), False),
    ("node-network", "tcp-retransmits-high", network(resent=0.05), True),
    ("node-network", "tcp-retransmits-high", network(resent=0.05, before=0.04), False),
    ("api-server", "apiserver-slow", api_server(latency_s=3), True),
    ("api-server", "apiserver-slow", api_server(), False),
    ("api-server", "apiserver-errors", api_server(errors=0.2), True),
    ("api-server", "apiserver-errors", api_server(), False),
    ("api-server", "apiserver-etcd-slow", api_server(store=1.5), True),
    ("api-server", "apiserver-etcd-slow", api_server(), False),
    ("peers", "peers-same-workload-fail", crowd([OWN, ("shop", OTHER, "node-1", down())], {"node-1": 9}, PODS), True),
    ("peers", "peers-same-workload-fail", crowd([OWN], {"node-1": 9}, PODS), False),
    ("peers", "peers-same-node-fail",
     crowd([OWN, *(("pay", f"pay{i}-0", "node-1", down()) for i in range(3))], {"node-1": 6}, PODS), True),
    ("peers", "peers-same-node-fail",
     crowd([OWN, *(("pay", f"pay{i}-0", "node-2", down()) for i in range(3))], {"node-1": 6, "node-2": 3}, PODS), False),
    ("peers", "peers-same-node-fail",
     crowd([OWN, *(("pay", f"pay{i}-0", "node-1", down(-1800)) for i in range(3))], {"node-1": 6}, PODS), False),
    ("peers", "peers-most-pods-fail", crowd([OWN, *(("pay", f"pay{i}-0", "n", down()) for i in range(5))], {"n": 8}, PODS), True),
    ("peers", "peers-most-pods-fail", crowd([OWN], {"n": 8}, PODS), False),
    ("pod-state", "pod-waiting",
     info().add("kube_pod_container_status_waiting_reason", after(-20, 1.0), reason="CrashLoopBackOff")
     .add("kube_pod_container_status_ready", 1.0), True),
    ("pod-state", "pod-waiting",
     info().add("kube_pod_container_status_waiting_reason", 1.0, reason="ContainerCreating")
     .add("kube_pod_container_status_ready", 1.0), False),
    ("pod-state", "pod-recovered-after-start",
     World().add("kube_pod_container_state_started", at(-100))
     .add("kube_pod_container_status_ready", lambda t: 0.0 if -100 <= t < -80 else 1.0), True),
    ("pod-state", "pod-recovered-after-start",
     World().add("kube_pod_container_state_started", at(-1000))
     .add("kube_pod_container_status_ready", lambda t: 0.0 if -100 <= t < -80 else 1.0), False),
    ("go-runtime", "go-goroutines-leaking", World().add("go_goroutines", lambda t: 50 + (t + 1800) / 2), True),
    ("go-runtime", "go-goroutines-leaking", World().add("go_goroutines", after(-100, 900.0, 50.0)), False),
    ("go-runtime", "go-mutex-wait-high",
     World().add("go_goroutines", 9).add("go_sync_mutex_wait_total_seconds_total", rising(20, -60)), True),
    ("go-runtime", "go-mutex-wait-high",
     World().add("go_goroutines", 9).add("go_sync_mutex_wait_total_seconds_total", rising(0.001)), False),
    ("go-gc", "go-gc-cpu-high", collecting(0.4, 0.1), True),
    ("go-gc", "go-gc-cpu-high", collecting(0.01, 0.4), False),
    ("surroundings", "rollout-stuck",
     World().add("kube_deployment_status_condition", 1.0, deployment="cart", condition="Progressing", status="false", pod=""), True),
    ("surroundings", "rollout-stuck",
     World().add("kube_deployment_status_condition", 1.0, deployment="cart", condition="Progressing", status="true", pod=""), False),
    ("surroundings", "planned-work", info(World(computed={"kube_node_spec_unschedulable": [({"node": "node-1"}, after(-60, 1.0))]})), True),
    ("surroundings", "planned-work", info(World(computed={"kube_node_spec_unschedulable": [({}, steady(3.0))]})), False),
    ("alignment", "clock-differs", World(computed={"node_time_seconds": [({"instance": "n"}, steady(-4.0))]}), True),
    ("alignment", "clock-differs", World(computed={"node_time_seconds": [({"instance": "n"}, steady(0.02))]}), False),
]  # fmt: skip


@pytest.mark.parametrize(
    ("slug", "measure", "world", "expected"), CASES, ids=lambda v: v if isinstance(v, str | bool) else ""
)
def test_a_measure_is_seen_or_not_by_its_series(slug: str, measure: str, world: World, expected: bool) -> None:
    finding = findings(slug, world)[measure]
    assert finding.seen is expected, finding.sentence
    assert finding.query and finding.connection == "main"


def checks_of(kind: str) -> list[str]:
    return [c.slug for c in all_checks() if kind in c.needs and not c.slug.startswith("etcd")]


@pytest.mark.parametrize("slug", checks_of("prometheus"))
def test_a_world_without_series_is_unknown_or_not_seen_but_never_seen(slug: str) -> None:
    found = findings(slug, World())
    assert not seen(found)
    asked_nothing = {"change-before", "scrape-gap"}
    assert all(f.seen is None for f in found.values() if f.measure not in asked_nothing), found


@pytest.mark.parametrize("slug", checks_of("prometheus"))
@pytest.mark.parametrize(
    "world",
    [World(status=503), World(status=422), World(body=b"<html>"), World(body=b'{"status":"success"}'),
     World(error=httpx.ReadTimeout), World(error=httpx.ConnectError)],
    ids=["503", "422", "html", "no data", "hang", "gone"],
)  # fmt: skip
def test_a_broken_metrics_server_makes_every_asked_measure_unknown_with_a_reason(slug: str, world: World) -> None:
    for finding in findings(slug, world).values():
        assert finding.seen is None or not finding.connection, finding.measure


@pytest.mark.parametrize(
    ("slug", "measure", "world", "expected"), CASES, ids=lambda v: v if isinstance(v, str | bool) else ""
)
def test_partial_data_keeps_what_was_seen_with_a_word_and_makes_the_rest_unknown(
    slug: str, measure: str, world: World, expected: bool
) -> None:
    finding = findings(slug, replace(world, warnings=["a store did not answer"]))[measure]
    assert finding.seen is (True if expected else None)
    assert "a store did not answer" in str(finding.sentence)


@pytest.mark.parametrize(
    ("slug", "measure", "world", "expected"), CASES, ids=lambda v: v if isinstance(v, str | bool) else ""
)
def test_nan_is_no_measurement(slug: str, measure: str, world: World, expected: bool) -> None:
    def nan(values: Callable[[float], float | None]) -> Values:
        return lambda t: None if values(t) is None else float("nan")

    broken = World([(labels, nan(v)) for labels, v in world.series],
                   {k: [(labels, nan(v)) for labels, v in rows] for k, rows in world.computed.items()})  # fmt: skip
    assert findings(slug, broken)[measure].seen is None


def test_a_remark_on_the_query_is_not_partial_data() -> None:
    world = replace(network(), warnings=["PromQL warning: bucket label is missing"])
    assert findings("node-network", world)["tcp-retransmits-high"].seen is False


def test_an_alert_of_a_waiting_rule_moves_the_window_back_by_its_wait() -> None:
    stock = ParsedAlert("a", "", AlertState.FIRING, "KubePodNotReady", "", Severity.WARNING, NOON)
    about = replace(scope(), alerts=(stock,))
    early = World().add("kube_pod_container_state_started", at(-1200)).add(
        "kube_pod_container_status_ready", lambda t: 0.0 if -1100 <= t < -1080 else 1.0)  # fmt: skip
    finding = findings("pod-state", early, about)["pod-recovered-after-start"]
    assert finding.seen is False and finding.from_ == NOON - timedelta(minutes=45)


def test_a_dependency_with_its_own_alert_is_failing() -> None:
    database = EntityRef(EntityKind.SERVICE, "db", "prod-a", "shop")
    alert = ParsedAlert("b", "", AlertState.FIRING, "DbDown", "", Severity.HIGH, NOON, entities=(database,))
    relation = Relation(KEY, RelationKind.DEPENDS_ON, database.key)
    about = scope()
    about = replace(about, alerts=(*about.alerts, alert), entities=(*about.entities, database), relations=(relation,))
    finding = findings("dependencies", World(), about)["dependency-failing"]
    assert finding.seen is True and finding.subject == "DbDown"


def caused_by_change(
    about: Scope, fallen: list[tuple[str, str, str, Values]], made: float | None = None
) -> bool | None:
    pods = {POD: "cart-6c8f9d7b5", OTHER: "cart-57d9aaaaa"}
    world = crowd(fallen, {"node-1": 9}, pods)
    if made is not None:
        world.add("kube_replicaset_created", at(made), replicaset="cart-6c8f9d7b5", pod="")
        world.add("kube_replicaset_created", at(-90_000), replicaset="cart-57d9aaaaa", pod="")
    world.add("kube_deployment_status_replicas", 2.0, deployment="cart", pod="")
    return findings("surroundings", world, about)["change-guilty"].seen


def test_a_change_is_the_cause_when_only_what_it_changed_fell_after_it() -> None:
    old = ("shop", OTHER, "node-1", down())
    assert caused_by_change(scope(), [OWN], made=-60) is True
    assert caused_by_change(scope(), [OWN], made=-300) is None, "it was ready for minutes after it"
    assert caused_by_change(scope(), [OWN, old], made=-60) is False, "the old pods fell as well"
    assert caused_by_change(scope(), [OWN], made=-10) is False, "it fell before the change"
    assert caused_by_change(scope(), [OWN]) is False, "nothing was changed"
    changed = replace(scope(), changes=(change(-90, KEY),))
    assert caused_by_change(changed, [OWN]) is True and caused_by_change(changed, [], made=-60) is None
    assert caused_by_change(changed, [OWN, ("shop", "search-0", "node-1", down())]) is False


def test_a_deploy_of_another_workload_is_not_the_cause() -> None:
    assert caused_by_change(replace(scope(), changes=(change(-90, "Workload/prod-a/shop/search"),)), [OWN]) is False


def test_recorded_planned_work_is_seen_without_asking() -> None:
    about = replace(scope(), changes=(change(-60, kind="maintenance"),))
    assert findings("surroundings", World(), about)["planned-work"].seen is True


def test_a_workloads_alert_without_a_pod_finds_the_pods_by_the_workloads_name() -> None:
    cart = EntityRef(EntityKind.WORKLOAD, "cart", "prod-a", "shop")
    about = replace(scope(), entities=(cart,), as_of=END)
    world = (
        World().add("kube_pod_container_status_ready", 0.0).add("kube_pod_container_status_ready", 0.0, pod="cartoon-1")
    )
    assert findings("pod-state", world, about)["pod-not-started"].seen is True


def test_a_pods_own_start_is_no_fall_and_a_fall_at_another_time_is_another_story() -> None:
    def between(a: float, b: float) -> Values:
        return lambda t: 0.0 if a <= t <= b else None

    def share(*spells: Values) -> bool | None:
        others = [("pay", f"pay{i}-0", "node-1", v) for i, v in enumerate(spells)]
        return findings("peers", crowd([OWN, *others], {"node-1": 5}, {POD: "a"}))["peers-same-node-fail"].seen

    assert share(*[between(-45, 60)] * 3) is True
    assert share(*[between(-45, -30)] * 3) is False, "they only started"
    assert share(*[between(-250, -150)] * 3) is False, "they fell minutes before"


def test_a_workloads_first_start_is_neither_a_rollout_nor_a_loss_of_all_replicas() -> None:
    def grown(name: str, values: Values) -> World:
        return World().add("kube_deployment_spec_replicas", 2.0, deployment="cart", pod="").add(
            name, values, deployment="cart", pod="")  # fmt: skip

    start = after(-200, 2.0)
    updated, available = "kube_deployment_status_replicas_updated", "kube_deployment_status_replicas_available"
    assert findings("surroundings", grown(updated, start))["rollout-in-progress"].seen is False
    assert findings("endpoints", grown(available, start))["endpoints-none-ready"].seen is False
    dip: Values = lambda t: 0.0 if -60 <= t <= 0 else 2.0  # noqa: E731
    assert findings("surroundings", grown(updated, dip))["rollout-in-progress"].seen is True
    assert findings("endpoints", grown(available, dip))["endpoints-none-ready"].seen is True
    assert findings("endpoints", grown(available, steady(0.0)))["endpoints-none-ready"].seen is True


def test_one_slow_sample_at_its_own_start_is_no_slow_api_server() -> None:
    once = World(computed={QUERY[:40]: [({"told": "latency"}, lambda t: 3.0 if t <= -115 else 0.1)]})
    assert findings("api-server", once)["apiserver-slow"].seen is False


def test_a_plain_start_is_no_race() -> None:
    def started(unready_s: float) -> World:
        ready: Values = lambda t: 0.0 if -100 <= t < -100 + unready_s else 1.0  # noqa: E731
        return World().add("kube_pod_container_state_started", at(-100)).add("kube_pod_container_status_ready", ready)

    assert findings("pod-state", started(4))["pod-recovered-after-start"].seen is False
    assert findings("pod-state", started(30))["pod-recovered-after-start"].seen is True


def test_a_failing_status_that_is_met_for_the_first_time_counts_from_nothing() -> None:
    calls = World().add("http_client_requests_total", rising(0.1), code="200", dependency="db")
    calls.add("http_client_requests_total", lambda t: 90.0 if t >= 200 else None, code="503", dependency="db")
    assert findings("dependencies", calls)["dependency-failing"].seen is True


def test_the_own_pods_fall_is_read_from_its_own_finer_series_too() -> None:
    world = crowd([], {"node-1": 9}, {POD: "cart-6c8f9d7b5"})
    world.add("kube_pod_container_status_ready", after(-40, 0.0, 1.0))
    world.add("kube_deployment_status_replicas", 2.0, deployment="cart", pod="")
    changed = replace(scope(), changes=(change(-60, KEY, kind="config"),))
    assert findings("surroundings", world, changed)["change-guilty"].seen is True


def test_an_exit_code_is_shown_as_the_number_that_it_is() -> None:
    world = World().add("kube_pod_container_status_last_terminated_exitcode", 2.0, container="app")
    finding = findings("pod-state", world)["pod-crashed"]
    assert finding.seen is True and finding.sentence.en == "Container app ended by itself with exit code 2."
    assert finding.sentence.in_language("zh") == "容器 app 自行退出，退出码 2。"
