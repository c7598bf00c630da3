"""etcdctl and Ansible against three real members: well, late, one killed, without a quorum; on the oldest and newest."""

import shutil
import time
from collections.abc import Iterator

import msgspec
import pytest

from domain.connections import Connections, EtcdDecl
from domain.findings import Finding
from evidence.check import Ask, run
from evidence.checks import all_checks
from evidence.executors.executor import Permit, RunRecord
from evidence.executors.runs import Runs
from evidence.recording import LiveTransports, ReplayTransports
from lab.stage.etcd import Etcd, Shape
from lab.stage.programs import Stage
from lab.stage.releases import DEBIAN, PINNED, Release, located
from tests.evidence.made_series import MEMBER, scope

pytestmark = pytest.mark.real


@pytest.fixture
def stage() -> Iterator[Stage]:
    with Stage() as made:
        yield made


def asked(etcd: EtcdDecl, audited: list[RunRecord] | None = None) -> dict[str, Finding]:
    """Both checks of health, live; a replay of the same answers must say the same."""
    runs = Runs(Permit("i", lambda cluster, rest_s: True, (audited if audited is not None else []).append))
    live = LiveTransports(Connections(etcd=[etcd]), runs=runs)
    where = scope([etcd], [MEMBER])
    by_measure = {}
    for transports in (live, None):
        findings = [
            f
            for check in all_checks() if check.slug in {"etcd-health", "etcd-endpoint-health"}
            for f in run(check, Ask(where, transports or ReplayTransports(live.answers())))
        ]  # fmt: skip
        by_measure = by_measure or {f.measure: f for f in findings}
        assert {f.measure: f for f in findings} == by_measure
    return by_measure


@pytest.mark.parametrize("release", [DEBIAN, PINNED], ids=["3.4", "3.6"])
def test_etcdctl_distinguishes_healthy_late_dead_and_leaderless(stage: Stage, release: Release) -> None:
    etcd = Etcd(stage, Shape(release=release))
    etcd.start()
    path = shutil.which("etcdctl") if release is DEBIAN else located(release.etcdctl)
    declared = msgspec.structs.replace(etcd.declaration(), executor="etcdctl", etcdctl_path=path)
    audited: list[RunRecord] = []

    by_measure = asked(declared, audited)
    well = by_measure["etcd-endpoint-slow"].value
    assert by_measure["etcd-endpoint-unhealthy"].seen is False and well is not None
    assert audited[0].ran.rc == 0 and audited[0].ran.took_ms < 5000

    etcd.delay(0.15)  # one way: +300 ms for a round trip
    time.sleep(3)
    by_measure = asked(declared)
    assert by_measure["etcd-endpoint-unhealthy"].seen is False and by_measure["etcd-endpoint-slow"].seen is True
    assert (by_measure["etcd-endpoint-slow"].value or 0) > max(0.3, well)
    etcd.delay(0.0)
    time.sleep(2)

    first, second = etcd.followers()
    first.process.kill()  # type: ignore[union-attr]
    first.process.wait()  # type: ignore[union-attr]
    by_measure = asked(declared, audited)
    assert by_measure["etcd-endpoint-unhealthy"].subject == first.name == by_measure["etcd-member-unhealthy"].subject
    assert by_measure["etcd-quorum-lost"].seen is False
    assert audited[-1].ran.rc == 1 and "unhealthy" in audited[-1].ran.error

    second.process.kill()  # type: ignore[union-attr]
    second.process.wait()  # type: ignore[union-attr]
    time.sleep(3)
    by_measure = asked(declared)
    assert len(by_measure["etcd-endpoint-unhealthy"].subject.split(", ")) == 3
    assert by_measure["etcd-quorum-lost"].seen is True and by_measure["etcd-member-hangs"].seen is False
    assert by_measure["etcd-no-consensus"].subject not in {first.name, second.name, ""}


@pytest.mark.skipif(not shutil.which("ansible-playbook"), reason="left out: ansible-playbook is not installed")
def test_the_playbook_asks_from_the_hosts_of_the_inventory(stage: Stage) -> None:
    etcd = Etcd(stage)
    etcd.start()
    inventory = stage.write(
        "hosts", "[etcd]\nlocalhost ansible_connection=local\nnowhere.invalid ansible_connection=ssh\n"
    )
    inventory.chmod(0o644)
    declared = msgspec.structs.replace(etcd.declaration(), executor="ansible", inventory_file=str(inventory))
    audited: list[RunRecord] = []
    by_measure = asked(declared, audited)
    assert by_measure["etcd-endpoint-unhealthy"].seen is False, by_measure["etcd-endpoint-unhealthy"].why_unknown
    assert audited[0].ran.argv[0] == "ansible-playbook" and audited[0].ran.took_ms < 15_000
    gone = etcd.followers()[0]
    gone.process.kill()  # type: ignore[union-attr]
    gone.process.wait()  # type: ignore[union-attr]
    by_measure = asked(declared, audited)
    assert by_measure["etcd-endpoint-unhealthy"].subject == gone.name
    assert audited[1].ran.rc == 1
