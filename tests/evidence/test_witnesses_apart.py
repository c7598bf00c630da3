"""One witness that does not answer takes no other one's answer away, and each finding shows its own question."""

from dataclasses import dataclass, replace

import httpx
import msgspec
import pytest

from domain.connections import BlackboxDecl, ProbeTargetDecl
from domain.entities import EntityKind, EntityRef
from domain.findings import Finding
from domain.scope import Scope
from tests.evidence.scene import END, World, findings, rising, scope, steady

PASSES = b'{"steps":[{"step":"resolve","took_ms":1},{"step":"tcp","took_ms":1}]}'
FAILS = b'{"steps":[{"step":"resolve","took_ms":1},{"step":"tcp","took_ms":1,"error":"refused"}]}'
USED_BY = 'probe_success{used_by=~"'


@dataclass
class Probed(World):
    """A world in which targets can be probed; without an outcome the recording of the probe is broken."""

    outcome: bytes = b""

    def _answer(self, request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, content=self.outcome) if request.method == "PROBE" else super()._answer(request)


def about(target: ProbeTargetDecl) -> Scope:
    made = scope()
    exporter = BlackboxDecl(name="probes", prometheus="main", url="http://127.0.0.1:9115")
    return replace(made, connections=msgspec.structs.replace(made.connections, target=[target], blackbox=[exporter]))


def live(outcome: bytes) -> dict[str, Finding]:
    """A declared target, and an exporter that knows another one and answers no probe."""
    labels = {"instance": "https://10.0.0.7:8443/healthz", "module": "http_2xx", "namespace": "shop"}
    world = Probed(outcome=outcome).add("probe_success", 0.0, **labels).add("probe_http_status_code", 0.0, **labels)
    return findings(
        "live-probe", world, about(ProbeTargetDecl(name="cart", url="tcp://10.0.0.7:8080", workload="cart"))
    )


def test_an_exporter_that_does_not_answer_leaves_the_declared_targets_outcome() -> None:
    found = live(FAILS)
    assert found["live-refused"].seen is True and found["live-tcp-connects"].seen is False
    assert found["live-refused"].query == "PROBE cart"


def test_where_no_witness_answers_the_first_ones_reason_is_given() -> None:
    assert all(f.seen is None and "is not its outcome" in str(f.why_unknown) for f in live(b"?").values())


def failing(outcome: bytes, watched: float | None = None, code: str = "") -> Finding:
    world = Probed(outcome=outcome)
    if watched is not None:
        world.computed[USED_BY] = [({"service": "db"}, steady(watched))]
    if code:
        world.add("http_client_requests_total", rising(5), code=code, dependency="db")
    target = ProbeTargetDecl(name="db", url="tcp://10.0.0.9:5432", used_by=["cart"])
    return findings("dependencies", world, about(target))["dependency-failing"]


@pytest.mark.parametrize(
    ("finding", "seen", "query"),
    [
        (failing(FAILS, 0.0, "503"), True, "PROBE db"),
        (failing(PASSES, 0.0, "503"), True, USED_BY),
        (failing(b"?", 0.0), True, USED_BY),
        (failing(b"?", None, "503"), True, "http_client_requests_total"),
        (failing(PASSES, 1.0, "503"), True, "http_client_requests_total"),
        (failing(PASSES, 1.0, "200"), False, USED_BY),
        (failing(PASSES), False, "PROBE db"),
        (failing(b"?"), None, ""),
    ],
    ids=["all", "not the probe", "watched", "counted", "only counted", "none", "only probed", "nobody"],
)
def test_a_dependency_fails_by_the_witness_that_saw_it_and_shows_what_that_one_was_asked(
    finding: Finding, seen: bool | None, query: str
) -> None:
    assert finding.seen is seen, finding.sentence
    assert query in finding.query and finding.connection


def test_a_rollout_is_seen_of_a_workload_as_well_as_of_a_pod() -> None:
    cart = replace(scope(), entities=(EntityRef(EntityKind.WORKLOAD, "cart", "prod-a", "shop"),), as_of=END)
    world = World().add("kube_deployment_spec_replicas", 2.0, deployment="cart", pod="")
    world.add(
        "kube_deployment_status_replicas_updated", lambda t: 1.0 if -60 <= t <= 0 else 2.0, deployment="cart", pod=""
    )
    assert findings("surroundings", world, cart)["rollout-in-progress"].seen is True
