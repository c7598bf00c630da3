"""The whole table of a real exporter's outcomes, recorded: each defect falls into its class and no other."""

import json
from pathlib import Path
from typing import Any

import pytest

from domain.findings import Finding
from evidence.blackbox_targets import ProbeTarget
from tests.evidence.scene import World, findings, seen, steady

RECORDED: dict[str, Any] = json.loads((Path(__file__).parent / "recorded" / "blackbox.json").read_text())
TABLE = {
    "fast": "",
    "slow_processing_1.5s_ok": "probe-slow-success",
    "slow_connect_retransmit": "probe-connect-slow",
    "slow_processing_6s_timeout": "probe-app-silent",
    "accept_then_hang": "probe-app-silent",
    "listening_but_process_never_accepts": "probe-app-silent",
    "connect_timeout_syn_dropped": "probe-transport-timeout",
    "connection_refused": "probe-refused",
    "reset_after_request": "probe-dropped-by-app",
    "eof_after_request": "probe-dropped-by-app",
    "garbage_answer": "probe-dropped-by-app",
    "slow_body_timeout": "probe-body-stall",
    "http_503": "probe-status-error probe-status-unavailable",
    "redirect_loop": "probe-redirect-loop",
    "redirect_not_followed": "probe-status-error",
    "redirect_one_hop": "",
    "regex_mismatch": "probe-content-mismatch",
    "dns_failure": "probe-dns-absent",
    "tls_ok": "probe-https",
    "tls_unknown_authority": "probe-https probe-refused",
    "tls_handshake_stall": "probe-https probe-transport-timeout",
    "tls_to_plain_http": "probe-https probe-transport-timeout",
}


def probed(world: World, name: str, **labels: str) -> None:
    """One more target, whose probes all come out as recorded."""
    case = RECORDED[name]
    for key, value in case["samples"].items():
        metric, _, phase = key.partition('{phase="')
        given = {"instance": case["target"], "module": case["module"], "phase": phase.rstrip('"}'), **labels}
        world.add(metric, steady(value), **given)


def outcome(*names: str, others: tuple[str, ...] = ()) -> dict[str, Finding]:
    """What the check says of the incident's targets; `others` belong to other pods."""
    world = World()
    for name in names:
        probed(world, name)
    for number, name in enumerate(others):
        probed(
            world,
            name,
            pod=f"other-{number}",
            instance=RECORDED[name]["target"].replace("127.0.0.1", f"10.0.0.{number}"),
        )
    return findings("blackbox-phases", world)


@pytest.mark.parametrize(("name", "slugs"), TABLE.items())
def test_a_recorded_outcome_falls_into_its_class_and_no_other(name: str, slugs: str) -> None:
    assert seen(outcome(name)) == set(slugs.split())


def test_a_tcp_target_alone_has_no_phases() -> None:
    found = outcome("tcp_refused")
    assert {slug for slug, f in found.items() if f.seen} == {"probe-refused"}
    assert found["probe-status-error"].seen is None and found["probe-dns-absent"].seen is None
    assert outcome("tcp_timeout")["probe-transport-timeout"].seen


def test_a_redirect_to_what_does_not_answer_is_not_the_targets_own_drop() -> None:
    values = {"probe_success": {1: 0.0}, "probe_http_status_code": {1: 0.0}, "connect": {1: 0.001},
              "probe_duration_seconds": {1: 0.02}, "probe_http_redirects": {1: 1.0}}  # fmt: skip
    assert ProbeTarget("t", {}, values).classes(0, 2) == {"probe-redirect-failed": 1}


def test_a_tcp_module_on_the_same_port_separates_a_full_queue_from_the_process() -> None:
    case = {**RECORDED["tcp_ok"], "target": "127.0.0.1:19608"}
    RECORDED["tcp_beside"] = case
    finding = outcome("accept_then_hang", "tcp_beside")["probe-tcp-passes"]
    assert finding.seen is True
    assert outcome("connect_timeout_syn_dropped", "tcp_timeout")["probe-tcp-passes"].seen is False
    assert outcome("accept_then_hang")["probe-tcp-passes"].seen is None


DROPPED, STALLED = "connect_timeout_syn_dropped", "tls_handshake_stall"


@pytest.mark.parametrize(
    ("others", "expected"),
    [
        ((), None),
        (("fast", "http_503", "connection_refused"), False),
        ((DROPPED, "fast", "fast"), True),
        ((DROPPED, *["fast"] * 10), None),
        ((STALLED, "fast"), False),
        ((STALLED,), None),
    ],
)
def test_other_targets_share_a_path_when_enough_of_them_fail_so_and_tls_is_not_in_it(
    others: tuple[str, ...], expected: bool | None
) -> None:
    assert outcome(DROPPED, others=others)["probe-peers-fail"].seen is expected


def test_a_target_with_tls_is_compared_with_all_others() -> None:
    assert outcome(STALLED, others=(DROPPED, "fast"))["probe-peers-fail"].seen is True


def test_with_https_two_classes_mention_that_tls_hides_in_them() -> None:
    assert "TLS handshake" in outcome("tls_handshake_stall")["probe-transport-timeout"].sentence.en
    assert "TLS handshake" not in outcome("connect_timeout_syn_dropped")["probe-transport-timeout"].sentence.en


@pytest.mark.parametrize(("code", "slug"), [(401, "auth"), (403, "auth"), (404, "missing"), (503, "unavailable")])
def test_a_status_shows_more_than_that_it_is_an_error(code: int, slug: str) -> None:
    RECORDED["status"] = {
        **RECORDED["http_503"],
        "samples": {**RECORDED["http_503"]["samples"], "probe_http_status_code": code},
    }
    assert seen(outcome("status")) == {"probe-status-error", f"probe-status-{slug}"}


def test_zero_is_not_absent() -> None:
    target = ProbeTarget("t", {}, {"probe_success": {1: 0.0}, "probe_http_status_code": {1: 0.0}, "connect": {1: 0.0},
                              "probe_duration_seconds": {1: 3.0}})  # fmt: skip
    assert target.classes(0, 2) == {"probe-transport-timeout": 1}
    del target.values["connect"]
    assert target.classes(0, 2) == {"probe-dns-absent": 1}
