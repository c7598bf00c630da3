"""What `doctor` says of a declared executor, without running it."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from django.utils import timezone

from config import diagnosis
from config.diagnosis import _executor, _missing_setup
from connections.declared import connections_for
from domain.connections import Connections, EtcdDecl, EtcdMemberDecl, KubernetesDecl, PrometheusDecl
from incidents import sources
from incidents.models import Alert, Source
from incidents.repair import repair
from tests.incidents.test_repair import melted, place
from tests.ingest.test_field_cases import message

MEMBERS = [EtcdMemberDecl(name="etcd1", endpoint="http://127.0.0.1:2379")]


@pytest.mark.parametrize(("mode", "state"), [(0o755, "well"), (0o644, "bad"), (0o777, "bad")])
def test_an_etcdctl_must_be_there_and_its_owners_alone(tmp_path: Path, mode: int, state: str) -> None:
    program = tmp_path / "etcdctl"
    program.write_text(f"#!/bin/sh\ntouch {tmp_path}/ran\n")
    program.chmod(mode)
    etcd = EtcdDecl(name="etcd", executor="etcdctl", etcdctl_path=str(program), member=MEMBERS)
    assert _executor(etcd).state == state
    assert not (tmp_path / "ran").exists()


def test_ansible_without_its_inventory_is_bad_and_names_what_is_missing(tmp_path: Path) -> None:
    etcd = EtcdDecl(name="etcd", executor="ansible", inventory_file=str(tmp_path / "none"), member=MEMBERS)
    diagnosis = _executor(etcd)
    assert diagnosis.state == "bad" and "inventory_file" in diagnosis.message


@pytest.mark.django_db
def test_what_is_not_set_up_yet_is_a_warning_with_its_command() -> None:
    nothing = {d.name: d for d in _missing_setup(Connections())}
    assert "source add" in nothing["sources"].remedy and "apply FILE" in nothing["prometheus"].remedy
    sources.make_source("alertmanager", "prod")
    diagnosed = list(_missing_setup(Connections(prometheus=[PrometheusDecl(name="main", url="http://127.0.0.1:9090")])))
    assert [(d.name, d.state) for d in diagnosed] == [("source alertmanager/prod", "warning")]
    Source.objects.update(last_delivery_at=datetime.now(UTC))
    assert [d.name for d in _missing_setup(Connections())] == ["prometheus"]


@pytest.mark.django_db
def test_a_source_whose_alerts_name_none_of_several_declared_clusters_is_a_warning() -> None:
    source, _ = sources.make_source("alertmanager", "prod")
    place(source, message(alertname="KubePodNotReady", pod="cart-0", namespace="shop"))
    Alert.objects.update(started_at=timezone.now())
    several = Connections(kubernetes=[KubernetesDecl(name=name) for name in ("prod-a", "prod-b")])
    (found,) = diagnosis._names(several)
    assert (found.name, found.state) == ("source alertmanager/prod", "warning")
    assert "cluster_label" in found.remedy and "prod-a" in found.remedy
    assert list(diagnosis._names(Connections(kubernetes=several.kubernetes[:1]))) == []


@pytest.mark.django_db
def test_names_without_a_proof_are_a_warning_until_they_are_repaired() -> None:
    source, _ = sources.make_source("alertmanager", "prod")
    melted(source)
    (found,) = diagnosis._names(Connections())
    assert "2 are of an earlier version" in found.message and "repair_identities" in found.remedy
    repair(connections_for, Connections())
    assert list(diagnosis._names(Connections())) == []
