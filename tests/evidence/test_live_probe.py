"""A probe from the service itself, on servers with one defect each, goes only to declared targets and replays."""

import json
import time
from collections.abc import Iterator
from concurrent import futures
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import grpc
import pytest
from grpc_health.v1 import health, health_pb2, health_pb2_grpc

from domain.connections import BlackboxDecl, Connections, ProbeTargetDecl
from domain.findings import Finding
from domain.scope import Scope
from evidence.blackbox_words import read_debug
from evidence.bundles import without_secrets
from evidence.check import Ask, run
from evidence.checks import dependencies, live_probe
from evidence.recording import LiveTransports, ReplayTransports
from tests.evidence.faults import Faults, faults
from tests.evidence.scene import POD, World, scope, seen

RECORDED = json.loads((Path(__file__).parent / "recorded" / "blackbox.json").read_text())


# What a probe finds at a server whose authority it does not know.
UNKNOWN = {"live-tcp-connects", "live-tls-fails", "live-tls-untrusted", "live-cert-unknown-authority"}


@pytest.fixture(scope="module")
def broken(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Faults]:
    with faults(tmp_path_factory.mktemp("faults")) as made:
        yield made


def about(*targets: ProbeTargetDecl) -> Scope:
    return scope(connections=Connections(target=list(targets)))


def target(url: str, **more: object) -> ProbeTargetDecl:
    return ProbeTargetDecl(**{"name": "cart", "url": url, "pod": POD, "namespace": "shop", "timeout_s": 0.6, **more})


def look(declared: Scope) -> tuple[dict[str, Finding], LiveTransports]:
    live = LiveTransports(declared.connections)
    return {f.measure: f for f in run(live_probe.CHECK, Ask(declared, live))}, live


@pytest.mark.parametrize(
    ("name", "scheme", "slugs", "failing"),
    [
        ("fast", "http", {"live-probe-passes"}, ""),
        ("too slow", "http", {"live-tcp-connects", "live-app-silent"}, "http: timeout"),
        ("silent", "http", {"live-tcp-connects", "live-app-silent"}, "http: timeout"),
        ("never accepted", "http", {"live-tcp-connects", "live-app-silent"}, "http: timeout"),
        ("slow body", "http", {"live-tcp-connects", "live-app-silent"}, "http: timeout"),
        ("full queue", "http", {"live-dial-timeout"}, "tcp: timeout"),
        ("refused", "http", {"live-refused"}, "tcp: refused"),
        ("reset", "http", {"live-tcp-connects"}, "http: "),
        ("eof", "http", {"live-tcp-connects"}, "http: closed"),
        ("503", "http", {"live-tcp-connects", "live-status-error"}, "http: answered no (503)"),
        ("loop", "http", {"live-probe-passes"}, ""),
        ("silent", "https", {"live-tcp-connects", "live-tls-fails"}, "tls: timeout"),
        ("fast", "https", {"live-tcp-connects", "live-tls-fails", "live-scheme-mismatch"}, "tls: no TLS"),
        ("tls", "https", UNKNOWN, "tls: unknown authority"),
        ("never accepted", "tcp", {"live-probe-passes"}, ""),
        ("tls", "tls", UNKNOWN, "tls: unknown authority"),
    ],
)
def test_each_defect_fails_at_its_step(broken: Faults, name: str, scheme: str, slugs: set[str], failing: str) -> None:
    found, _ = look(about(target(broken.url(name, scheme).rstrip("/"))))
    assert seen(found) == slugs, [f.sentence for f in found.values()]
    assert failing in found["live-probe-passes"].sentence.en
    assert found["live-probe-passes"].items[0].name.startswith("cart: resolve")


@pytest.mark.parametrize(("name", "expected"), [("refused", True), ("503", True), ("fast", None)])
def test_a_target_that_the_workload_uses_is_probed_as_its_dependency(
    broken: Faults, name: str, expected: bool | None
) -> None:
    declared = about(target(broken.url(name), name="db", pod="", used_by=["cart"]))
    found = {f.measure: f for f in run(dependencies.CHECK, Ask(declared, LiveTransports(declared.connections)))}
    finding = found["dependency-failing"]
    assert finding.seen is expected
    assert expected is None or (finding.subject == "db" and finding.query == "PROBE db")


def test_a_known_authority_makes_the_handshake_pass(broken: Faults) -> None:
    found, _ = look(about(target(broken.url("tls", "https"), ca_file=str(broken.authority))))
    assert seen(found) == {"live-probe-passes"}


def test_what_passes_now_says_nothing_of_the_time_before(broken: Faults) -> None:
    found, _ = look(about(target(broken.url("fast"))))
    assert found["live-tcp-connects"].seen is None and found["live-refused"].seen is None


def test_what_fails_after_the_fault_convicts_nobody(broken: Faults) -> None:
    declared = about(target(broken.url("refused")))
    over = replace(declared.alerts[0], ended_at=declared.as_of - timedelta(seconds=30))
    found, _ = look(replace(declared, alerts=(over,)))
    assert found["live-refused"].seen is None and found["live-probe-passes"].seen is False


@pytest.mark.parametrize(
    ("message", "error"),
    [
        ("x509: certificate has expired or is not yet valid: current time 2026-03-01T12:00:00Z is after "
         "2026-02-01T00:00:00Z", "expired"),
        ("x509: certificate has expired or is not yet valid: current time 2026-03-01T12:00:00Z is before "
         "2026-04-01T00:00:00Z", "not yet valid"),
        ("x509: certificate is valid for a.example, b.example, not c.example", "wrong name"),
        ("x509: cannot validate certificate for 10.0.0.1 because it doesn't contain any IP SANs", "wrong name"),
        ("x509: certificate is not valid for any names, but wanted to match c.example", "wrong name"),
        ("x509: certificate signed by unknown authority", "unknown authority"),
        ("tls: failed to verify certificate: x509: certificate signed by unknown authority (possibly because of "
         "crypto/rsa verification error while trying to verify candidate authority certificate)", "unknown authority"),
        ("x509: certificate specifies an incompatible key usage", "untrusted"),
    ],
)  # fmt: skip
def test_the_verifiers_words_name_the_fault_of_the_certificate(message: str, error: str) -> None:
    line = f'level=error msg="Error for HTTP request" err="Get \\"https://x/\\": {message}"'
    steps = read_debug(f"{line}\nprobe_http_status_code 0\nprobe_success 0\n", "http://x/").steps
    assert (steps[-1].step, steps[-1].error) == ("tls", error)


def test_a_name_that_does_not_resolve_stops_at_once() -> None:
    found, _ = look(about(target("http://no-such-host.invalid/")))
    assert "resolve: no such name" in found["live-probe-passes"].sentence.en
    assert found["live-tcp-connects"].seen is None and found["live-tls-fails"].seen is None


def test_a_probe_is_kept_and_replays_without_a_network(broken: Faults) -> None:
    declared = about(target(broken.url("503"), headers={"X-Key": "s3cret"}))
    found, live = look(declared)
    kept = live.answers()
    assert [(a.method, a.path, a.connection) for a in kept] == [("PROBE", "/", "cart")] and "s3cret" not in str(kept)
    again = Ask(replace(declared, connections=without_secrets(declared.connections)), ReplayTransports(kept))
    assert {f.measure: f for f in run(live_probe.CHECK, again)} == found


def test_only_targets_that_stand_for_the_incident_are_probed(broken: Faults) -> None:
    others = [target(broken.url("fast"), name=str(i), **{**{"pod": ""}, **more}) for i, more in enumerate(
        [{"pod": "search-1"}, {"pod": POD, "namespace": "pay"}, {"pod": POD, "cluster": "prod-b"},
         {"service": "search"}, {"workload": "search"}, {"used_by": ["cart"]}])]  # fmt: skip
    found, live = look(about(*others))
    assert not live.answers() and all(f.seen is None for f in found.values())
    mine = target(broken.url("fast"), pod="", workload="cart")
    assert look(about(*others, mine))[0]["live-probe-passes"].seen is True


@pytest.mark.parametrize(
    ("status", "slugs"),
    [("SERVING", {"live-probe-passes"}),
     ("NOT_SERVING", {"live-tcp-connects", "live-grpc-not-serving"}), ("", {"live-tcp-connects"})],
)  # fmt: skip
def test_grpc_health_is_asked(status: str, slugs: set[str]) -> None:
    server = grpc.server(futures.ThreadPoolExecutor(2))
    if status:
        servicer = health.HealthServicer()
        servicer.set("cart", health_pb2.HealthCheckResponse.ServingStatus.Value(status))
        health_pb2_grpc.add_HealthServicer_to_server(servicer, server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    found, _ = look(about(target(f"grpc://127.0.0.1:{port}/cart", timeout_s=3.0)))
    server.stop(None)
    assert seen(found) == slugs, found["live-probe-passes"].sentence


def test_a_silent_grpc_server_is_the_applications_silence(broken: Faults) -> None:
    found, _ = look(about(target(broken.url("silent", "grpc"))))
    assert "live-app-silent" in seen(found)


def test_a_probe_costs_its_time_out_once(broken: Faults) -> None:
    began = time.monotonic()
    look(about(target(broken.url("silent"))))
    assert time.monotonic() - began < 2.0


EXPECTED = {
    "fast": "", "slow_processing_6s_timeout": "http timeout", "accept_then_hang": "http timeout",
    "listening_but_process_never_accepts": "http timeout", "connect_timeout_syn_dropped": "tcp timeout",
    "connection_refused": "tcp refused", "reset_after_request": "http reset", "eof_after_request": "http closed",
    "http_503": "http answered no", "slow_body_timeout": "http body not as wanted",
    "regex_mismatch": "http body not as wanted", "redirect_loop": "http answered no", "tls_unknown_authority": "tls unknown authority", "tls_handshake_stall": "tls timeout",
    "tls_to_plain_http": "tls timeout", "dns_failure": "resolve no such name", "tcp_refused": "tcp refused",
    "tcp_timeout": "tcp timeout", "tcp_ok": "", "garbage_answer": "http failed",
}  # fmt: skip


@pytest.mark.parametrize(("name", "expected"), EXPECTED.items())
def test_the_exporters_own_words_split_what_its_series_cannot(name: str, expected: str) -> None:
    case = RECORDED[name]
    log = "\n".join(f"ts=x module=m target={case['target']} level=error {line}" for line in case["errors"])
    samples = "\n".join(f"{key} {value:g}" for key, value in case["samples"].items())
    steps = read_debug(f"Logs for the probe:\n{log}\n\nMetrics:\n{samples}\n", case["target"]).steps
    failed = [f"{s.step} {s.error}" for s in steps if s.error]
    assert failed == ([expected] if expected else [])


def test_the_exporter_is_asked_with_the_target_and_module_of_its_series() -> None:
    world = World(body=None)
    labels = {"instance": "https://10.0.0.7:8443/healthz", "module": "http_2xx", "namespace": "shop"}
    world.add("probe_success", 0.0, **labels).add("probe_http_status_code", 0.0, **labels)
    declared = scope()
    exporter = BlackboxDecl(name="probes", prometheus="main", url="http://127.0.0.1:9115")
    declared = replace(declared, connections=Connections(
        prometheus=declared.connections.prometheus, blackbox=[exporter]))  # fmt: skip
    found = {f.measure: f for f in run(live_probe.CHECK, Ask(declared, world))}
    assert ("/probe", "") in world.asked
    assert all(f.seen is None for f in found.values()), "the world knows no exporter"
