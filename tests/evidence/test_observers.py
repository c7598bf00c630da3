"""Of several observers each is asked, one that is late itself proves nothing, and a certificate has its date."""

from dataclasses import replace
from datetime import timedelta

import pytest

from domain.connections import BlackboxDecl, Connections, PrometheusDecl
from domain.findings import Finding
from domain.scope import Scope
from tests.evidence.scene import NOON, POD, Values, World, after, at, findings, scope, steady

INSTANCE = "https://10.0.0.7:8443/healthz"
BROKEN = after(-30, 0.0, 1.0)


def observers(*jobs: str) -> Scope:
    exporters = [BlackboxDecl(name=job, prometheus="main", selector={"job": job}) for job in jobs]
    server = PrometheusDecl(name="main", url="http://127.0.0.1:9090")
    return scope(connections=Connections(prometheus=[server], blackbox=exporters))


def probed(world: World, job: str, success: Values = BROKEN, took_s: float = 3.0) -> World:
    labels = {"job": job, "instance": INSTANCE, "module": "http_2xx"}
    world.add("probe_success", success, **labels).add("probe_duration_seconds", took_s, **labels)
    world.add("probe_http_status_code", lambda t: 200.0 if success(t) else 0.0, **labels)
    return world.add("probe_http_duration_seconds", lambda t: 0.01 if success(t) else 0.0, phase="connect", **labels)


def phases(world: World, about: Scope) -> dict[str, Finding]:
    return findings("blackbox-phases", world, about)


def test_the_second_declared_exporter_is_asked_too() -> None:
    found = phases(probed(World(), "south"), observers("north", "south"))
    assert found["probe-transport-timeout"].seen


def test_a_target_that_one_exporter_reaches_and_another_does_not_is_told() -> None:
    both = observers("north", "south")
    differ = phases(probed(probed(World(), "north"), "south", steady(1.0), 0.01), both)["probe-observers-differ"]
    same = phases(probed(probed(World(), "north"), "south"), both)["probe-observers-differ"]
    alone = phases(probed(World(), "north"), observers("north"))["probe-observers-differ"]
    assert (differ.seen, same.seen, alone.seen) == (True, False, None)


@pytest.mark.parametrize(("late_s", "believed"), [(0.02, True), (1.5, False)])
def test_an_exporter_that_is_late_itself_proves_nothing(late_s: float, believed: bool) -> None:
    world = probed(World(), "north")
    world.computed["scrape_duration_seconds"] = [({}, after(-40, late_s, 0.02))]
    found = phases(world, observers("north"))["probe-transport-timeout"]
    assert found.seen is (True if believed else None)
    assert believed or "late" in str(found.why_unknown)


def dated(day_s: Values, ended_s: float | None = None) -> dict[str, Finding]:
    world = probed(World(), "north")
    world.computed["probe_ssl_earliest_cert_expiry"] = [
        ({"job": "north", "instance": INSTANCE, "module": "http_2xx", "pod": POD}, day_s)
    ]
    about = observers("north")
    if ended_s is not None:
        alert = replace(about.alerts[0], ended_at=NOON + timedelta(seconds=ended_s))
        about = replace(about, alerts=(alert,))
    return findings("certificate-dates", world, about)


def seen_before(expires_s: float) -> Values:
    """The date is only shown by handshakes that succeed."""
    return lambda t: at(expires_s) if t < -30 else None


def test_a_certificate_whose_date_passed_has_expired() -> None:
    found = dated(seen_before(-35))
    assert found["probe-cert-expired"].seen and found["probe-cert-expires-soon"].seen is False


def test_a_certificate_of_a_year_has_not_expired_and_does_not_soon() -> None:
    found = dated(seen_before(300 * 86_400))
    assert found["probe-cert-expired"].seen is False and found["probe-cert-expires-soon"].seen is False


def test_a_certificate_of_six_days_expires_soon() -> None:
    found = dated(steady(at(6 * 86_400)))
    assert found["probe-cert-expires-soon"].seen and "6.0 days" in found["probe-cert-expires-soon"].sentence.en


def test_a_date_that_came_after_the_fault_is_that_of_the_new_certificate() -> None:
    found = dated(lambda t: at(-35) if t < -30 else at(90 * 86_400) if t > 100 else None, ended_s=60)
    assert found["probe-cert-expired"].seen


def test_without_a_handshake_on_record_the_date_is_unknown() -> None:
    assert all(f.seen is None for f in dated(lambda _: None).values())


@pytest.mark.parametrize(("connect_s", "seen"), [(0.01, False), (1.02, True)])
def test_a_connection_that_needed_a_second_packet_is_told_and_is_no_slow_route(connect_s: float, seen: bool) -> None:
    labels = {"job": "north", "instance": INSTANCE, "module": "http_2xx"}
    world = World().add("probe_success", steady(1.0), **labels).add("probe_http_status_code", 200.0, **labels)
    world.add("probe_duration_seconds", connect_s + 0.02, **labels)
    world.add("probe_http_duration_seconds", connect_s, phase="connect", **labels)
    found = phases(world, observers("north"))
    assert found["probe-connect-slow"].seen is seen and found["probe-slow-success"].seen is False
