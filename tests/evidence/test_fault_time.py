"""When a fault began: what the server keeps of the alert, the rule's own value before it, or the alert alone."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import httpx
import pytest

from domain.findings import Point
from domain.scope import Scope
from evidence.clients.prometheus import Line
from evidence.expressions import left_side, only_with
from evidence.fault_time import rise_ms, with_fault_time
from evidence.onset import fault_at, fault_end, is_over
from tests.evidence.scene import NOON, POD, World, after, at, findings, scope, steady

RULE = "PodProbeFailing"
EXPRESSION = "max by (namespace, pod) (rate(probe_errors_total[5m])) > 0.5"


class Server(World):
    """A world whose server has one alerting rule."""

    rules: list[dict[str, Any]] = [{"name": RULE, "query": EXPRESSION, "type": "alerting"}]

    def _answer(self, request: httpx.Request) -> httpx.Response:
        if request.url.path.endswith("/rules"):
            return httpx.Response(200, json={"status": "success", "data": {"groups": [{"rules": self.rules}]}})
        return super()._answer(request)


def server(active_s: float, **labels: str) -> Server:
    made = Server()
    own = {"alertname": RULE, "namespace": "shop", "pod": POD} | labels
    made.computed["ALERTS_FOR_STATE"] = [({"__name__": "ALERTS_FOR_STATE", **own}, steady(at(active_s)))]
    return made


def began_s(world: World, about: Scope | None = None) -> float:
    return (fault_at(with_fault_time(about or scope(), world)) - NOON).total_seconds()


def test_the_condition_began_when_the_server_says_so() -> None:
    assert began_s(server(-600)) == -600


def test_another_alert_of_the_same_rule_says_nothing_of_this_one() -> None:
    assert began_s(server(-600, pod="search-0")) == 0


def test_labels_that_the_sender_dropped_do_not_hide_the_alert() -> None:
    assert began_s(server(-600, prometheus="k8s")) == -600


def test_a_condition_that_began_anew_after_the_alert_is_not_that_of_this_alert() -> None:
    assert began_s(server(120)) == 0


def test_the_value_that_the_rule_looks_at_rose_before_its_condition_held() -> None:
    world = server(-600)
    world.computed["rate(probe_errors_total"] = [({"namespace": "shop", "pod": POD}, after(-1500, 0.9, 0.01))]
    assert began_s(world) == -1500


def test_a_value_without_calm_before_it_tells_no_earlier_begin() -> None:
    world = server(-600)
    world.computed["rate(probe_errors_total"] = [({"namespace": "shop", "pod": POD}, steady(0.9))]
    assert began_s(world) == -600


def test_a_server_that_keeps_nothing_leaves_the_published_wait_of_the_rule() -> None:
    alert = replace(scope().alerts[0], name="KubePodNotReady")
    assert began_s(World(), scope(alerts=(alert,))) == -900
    assert began_s(World(status=503), scope(alerts=(alert,))) == -900


def test_a_fault_is_over_only_when_every_alert_has_ended() -> None:
    first = replace(scope().alerts[0], ended_at=NOON + timedelta(minutes=2))
    assert is_over(scope(alerts=(first,))) and fault_end(scope(alerts=(first,))) == NOON + timedelta(minutes=2)
    both = scope(alerts=(first, replace(first, identity="b", ended_at=None)))
    assert not is_over(both) and fault_end(both) == both.as_of


def test_the_times_are_findings_that_can_be_checked() -> None:
    world = server(-600)
    found = findings("fault-time", world, with_fault_time(scope(), world))
    assert found["fault-began"].query.startswith("ALERTS_FOR_STATE") and found["fault-began"].value == 600
    assert found["fault-over"].seen is False


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("probe_success == 0", "probe_success"),
        ('histogram_quantile(0.99, rate(x_bucket{job=~".*etcd.*"}[5m])) > 0.5',
         'histogram_quantile(0.99, rate(x_bucket{job=~".*etcd.*"}[5m]))'),
        ('x{path="a > 1"} > 0.15 and on (job) up == 1', 'x{path="a > 1"}'),
        ("sum by (job) (y) == bool 1", "sum by (job) (y)"),
        ("rate(a[5m]) / rate(b[5m]) >= 1e-3", "rate(a[5m]) / rate(b[5m])"),
        ("a > b", ""), ("absent(up)", ""), ("(a > 1)", ""), ("1 < a", ""), ("", ""), ("x" * 5000 + " > 1", ""),
        ('a{b="unclosed > 1', ""), ("stand_or_fall > 2", "stand_or_fall"),
    ],
)  # fmt: skip
def test_the_value_of_a_rule_is_what_stands_before_its_limit(expression: str, value: str) -> None:
    assert left_side(expression) == value


def line(*values: float) -> Line:
    return Line({}, tuple(Point(60_000 * i, v) for i, v in enumerate(values)))


def test_a_ramp_is_dated_to_half_of_its_rise() -> None:
    values = [1.0, 1.1] * 30 + [2.0, 3.0, 4.0, 5.0, 6.0]
    assert rise_ms(line(*values), 64 * 60_000) == 62 * 60_000


@pytest.mark.parametrize("values", [[1.0] * 10, [1.0] * 60, [1.0, 2.0] * 40, [1.0] * 80 + [1.04]])
def test_too_little_calm_or_no_rise_has_no_date(values: list[float]) -> None:
    assert rise_ms(line(*values), 10**9) is None


def test_two_starts_of_one_alert_with_one_condition_are_no_fault_of_the_look() -> None:
    first = scope().alerts[0]
    both = (first, replace(first, started_at=NOON + timedelta(minutes=1)))
    assert began_s(server(-600), scope(alerts=both)) == -600


def test_only_the_series_of_the_alert_are_asked_for() -> None:
    asked = only_with("rate(x[5m])", {"pod": 'a"$1', "namespace": "shop"})
    one = 'label_replace(label_replace(vector(1), "namespace", "shop", "", ""), "pod", "a\\"$$1", "", "")'
    assert asked == f"(rate(x[5m])) and on (namespace, pod) {one}"
    assert only_with("rate(x[5m])", {}) == "rate(x[5m])"


def test_a_rule_that_looks_at_this_moment_is_not_followed_back() -> None:
    world = server(-600)
    world.rules = [{"name": RULE, "query": "probe_success == 0", "type": "alerting"}]
    world.computed["probe_success"] = [({"namespace": "shop", "pod": POD}, after(-1500, 0.0, 1.0))]
    assert began_s(world) == -600 and not any("probe_success" in query for _, query in world.asked)
