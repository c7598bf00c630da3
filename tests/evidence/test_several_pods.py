"""An incident of several pods: all of them are asked, and what is said of one is not held against another."""

from collections.abc import Callable
from dataclasses import replace

import httpx
import pytest

from domain.entities import EntityKind, EntityRef
from domain.errors import NotRecorded
from domain.findings import Finding
from evidence.check import Ask
from evidence.pods import POD_STATE, ask_pods, service_name
from evidence.recording import Answer, ReplayTransports
from tests.evidence.scene import POD, Values, World, after, at, findings, rising, scope

OTHER = "cart-6c8f9d7b5-aaaaa"
PODS = tuple(EntityRef(EntityKind.POD, name, "prod-a", "shop") for name in (OTHER, POD))
SEVERAL = replace(scope(), entities=PODS)
READY, STARTED = "kube_pod_container_status_ready", "kube_pod_container_state_started"


def test_all_pods_are_asked_in_one_question_and_one_pod_as_ever() -> None:
    world = World().add(READY, 1.0).add(READY, 0.0, pod=OTHER)
    assert len(ask_pods(Ask(SEVERAL, world), POD_STATE).lines) == 2
    assert len(ask_pods(Ask(scope(), world), POD_STATE).lines) == 1
    both, one = (query for _, query in world.asked)
    assert f'namespace="shop",pod=~"{OTHER}|{POD}"' in both.replace("\\", "")
    assert f'namespace="shop",pod="{POD}"' in one


def test_an_older_recording_that_knows_the_first_pod_alone_is_still_read() -> None:
    ask = Ask(replace(SEVERAL, entities=PODS[:1]), World().add(READY, 1.0, pod=OTHER))
    ask_pods(ask, POD_STATE)
    start, end = (f"{time.timestamp():.3f}" for time in ask.window())
    body = f'{{"status":"success","data":{{"resultType":"matrix","result":[{{"metric":{{"pod":"{OTHER}"}},"values":[[{end},"1"]]}}]}}}}'
    form = httpx.Request("POST", "http://x", data={"query": ask.query, "start": start, "end": end, "step": "5"})
    kept = Answer("main", "POST", "/api/v1/query_range", "", form.read().decode(), 200, body)
    answered = ask_pods(Ask(SEVERAL, ReplayTransports([kept])), POD_STATE)
    assert [line.labels["pod"] for line in answered.lines] == [OTHER]
    with pytest.raises(NotRecorded):
        ask_pods(Ask(scope(), ReplayTransports([kept])), POD_STATE)


def finding_of(check: str, measure: str, *series: tuple[str, Values | float, dict[str, str]]) -> Finding:
    world = World()
    for name, values, labels in series:
        world.add(name, values, **labels)
    return findings(check, world, SEVERAL)[measure]


@pytest.mark.parametrize("slow", [POD, OTHER])
def test_a_throttled_container_is_held_against_its_own_periods_and_named_with_its_pod(slow: str) -> None:
    quick = POD if slow == OTHER else OTHER
    name = "container_cpu_cfs_{}periods_total"
    found = finding_of(
        "container-load", "cpu-throttled",
        (name.format(""), rising(10), {"pod": slow, "container": "app"}),
        (name.format("throttled_"), rising(5), {"pod": slow, "container": "app"}),
        (name.format(""), rising(100), {"pod": quick, "container": "app"}),
        (name.format("throttled_"), rising(1), {"pod": quick, "container": "app"}),
    )  # fmt: skip
    assert found.seen is True and found.value == pytest.approx(0.5) and found.subject == f"{slow} app"


@pytest.mark.parametrize("leaking", [POD, OTHER])
def test_goroutines_that_climb_in_one_process_are_not_hidden_by_the_many_of_another(leaking: str) -> None:
    calm = POD if leaking == OTHER else OTHER
    climb: Values = lambda t: 50 + (t + 1800) / 6  # noqa: E731
    series = (("go_goroutines", climb, {"pod": leaking}), ("go_goroutines", 900.0, {"pod": calm}))
    leak, risen = (finding_of("go-runtime", f"go-goroutines-{what}", *series) for what in ("leaking", "rising"))
    assert leak.seen is True
    assert risen.seen is True and risen.value == pytest.approx(400, abs=5)


def test_processes_of_different_size_do_not_look_like_one_that_grew() -> None:
    steady_ones = [("go_goroutines", size, {"pod": pod}) for pod, size in ((POD, 900.0), (OTHER, 100.0))]
    third = ("go_goroutines", 100.0, {"pod": OTHER, "container": "side"})
    found = finding_of("go-runtime", "go-goroutines-rising", *steady_ones, third)
    assert found.seen is False


def test_a_start_of_another_pod_excuses_nothing() -> None:
    dip: Values = lambda t: 0.0 if -100 <= t < -80 else 1.0  # noqa: E731
    found = finding_of(
        "pod-state", "pod-recovered-after-start",
        (READY, dip, {"pod": POD}), (STARTED, at(-1000), {"pod": POD}),
        (READY, 1.0, {"pod": OTHER}), (STARTED, at(-105), {"pod": OTHER}),
    )  # fmt: skip
    assert found.seen is False


@pytest.mark.parametrize(("until", "recovered"), [(290, True), (1000, False)])
def test_a_pod_that_is_still_down_is_not_recovered_by_another(until: int, recovered: bool) -> None:
    dips = {OTHER: (270, until), POD: (100, 120)}
    series: list[tuple[str, Values | float, dict[str, str]]] = []
    for pod, (start, end) in dips.items():
        series.append((READY, lambda t, a=start, b=end: 0.0 if a <= t < b else 1.0, {"pod": pod}))  # type: ignore[misc]
        series.append((STARTED, at(start), {"pod": pod}))
    assert finding_of("pod-state", "pod-recovered-after-start", *series).seen is recovered


def test_pods_that_started_one_after_the_other_are_no_restarts_at_a_constant_age() -> None:
    names = [f"cart-6c8f9d7b5-aaaa{i}" for i in range(5)]
    about = replace(SEVERAL, entities=tuple(EntityRef(EntityKind.POD, n, "prod-a", "shop") for n in names))
    world = World()
    for number, name in enumerate(names):
        world.add(STARTED, at(-1000 + 20 * number), pod=name)
    assert findings("pod-state", world, about)["pod-constant-age-restarts"].seen is False


@pytest.mark.parametrize(("other", "together"), [(POD, True), (OTHER, False)])
def test_readiness_of_another_pod_is_not_beside_the_liveness_of_this_one(other: str, together: bool) -> None:
    counted: Callable[[str, str], dict[str, str]] = lambda kind, pod: {  # noqa: E731
        "probe_type": kind, "result": "failed", "pod": pod, "container": "app"}  # fmt: skip
    found = finding_of(
        "kubelet-probes", "kubelet-probes-fail-together",
        ("prober_probe_total", after(-20, 3.0, 1.0), counted("Liveness", POD)),
        ("prober_probe_total", after(-20, 3.0, 1.0), counted("Readiness", other)),
    )  # fmt: skip
    assert found.seen is together


@pytest.mark.parametrize(
    ("name", "expected"),
    [("http://cart.shop.svc.cluster.local:8080/healthz", "cart"), ("http://cart.shop.svc:8080/", "cart"),
     ("cart.shop:6379", "cart"), ("http://shop.example.com/", "http://shop.example.com/"), ("cart", "cart"),
     ("http://10.0.0.7:8080/", "http://10.0.0.7:8080/"), ("http://[::bad/", "http://[::bad/")],
)  # fmt: skip
def test_a_target_in_the_clusters_own_domain_is_its_service(name: str, expected: str) -> None:
    entity = EntityRef(EntityKind.SERVICE, name, "prod-a", "shop")
    assert service_name(entity) == expected
