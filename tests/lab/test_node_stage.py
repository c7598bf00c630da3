"""What stands around the node, as far as it needs no node: names, discovery, counters, certificates, kept stores."""

import os
import socket
import struct
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest

from domain.connections import Connections, KubernetesDecl, PrometheusDecl
from evidence.recording import Answer
from lab import recording
from lab.recording import Raw
from lab.stage import finder, netns, trust, watch
from lab.stage.names import NAME_ERROR, Names


def asked(names: Names, name: str) -> tuple[int, bytes]:
    """Response code and address of one A question."""
    labels = b"".join(bytes([len(part)]) + part.encode() for part in name.split("."))
    question = struct.pack("!HHHHHH", 7, 0x0100, 1, 0, 0, 0) + labels + b"\0" + struct.pack("!HH", 1, 1)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        client.settimeout(3)
        client.sendto(question, names.address)
        answer = client.recv(512)
    return answer[3] & 15, answer[-4:]


def test_a_name_resolves_until_it_is_broken() -> None:
    names = Names("127.0.0.1", 0)
    names.known["cart.shop.example"] = "10.88.77.9"
    assert asked(names, "cart.shop.example") == (0, socket.inet_aton("10.88.77.9"))
    assert asked(names, "other.example")[0] == NAME_ERROR
    names.broken["cart.shop.example"] = 2
    assert asked(names, "cart.shop.example")[0] == 2
    names.close()


def test_pods_that_ended_are_no_targets() -> None:
    def pod(name: str, phase: str) -> dict[str, object]:
        about = {"name": name, "namespace": "shop", "annotations": {"lab/path": "/healthz", "other": "x"}}
        return {"metadata": about, "spec": {"nodeName": "node-1"}, "status": {"podIP": "10.0.0.1", "phase": phase}}

    url = finder.serve(lambda: [pod("a", "Running"), pod("b", "Failed")])
    targets = httpx.get(f"{url}http").json()
    assert [t["targets"] for t in targets] == [["10.0.0.1:8080"]]
    assert targets[0]["labels"]["pod"] == "a" and targets[0]["labels"]["__meta_lab_path"] == "/healthz"
    assert "__meta_other" not in targets[0]["labels"]


def test_counters_carry_node_exporters_names() -> None:
    found = netns.counters(os.getpid())
    assert {"node_netstat_TcpExt_ListenOverflows", "node_netstat_Tcp_RetransSegs"} <= set(found)
    page = httpx.get(f"http://127.0.0.1:{netns.serve(lambda: [(os.getpid(), {'pod': 'a'}), (0, {})])}/").text
    assert 'node_netstat_Tcp_RetransSegs{pod="a"}' in page


def test_two_authorities_do_not_trust_each_other(tmp_path: Path) -> None:
    ours, other = trust.pair(tmp_path, "ours"), trust.pair(tmp_path, "other")
    assert ours.certificate != other.certificate and ours.authority.read_text() != other.authority.read_text()


def test_every_rule_is_about_something_that_an_alert_can_name() -> None:
    for rule in watch.RULES:
        assert "by (cluster" in rule["expr"], rule["alert"]


@pytest.fixture
def raws(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[Raw]:
    monkeypatch.setenv("INCIDENT_GRAPH_CACHE", str(tmp_path / "cache"))
    connections = Connections(
        prometheus=[PrometheusDecl(name="main", url="http://127.0.0.1:1234")],
        kubernetes=[KubernetesDecl(name="prod-a", kubeconfig_file="/tmp/gone")],
    )
    now = datetime(2026, 1, 1, tzinfo=UTC)
    return [Raw(name, name, now, connections, None, "", (), (), seed=1, store="one") for name in ("probe-a", "probe-b")]


def test_recordings_of_one_round_share_one_store(raws: list[Raw], tmp_path: Path) -> None:
    (tmp_path / "tsdb/wal").mkdir(parents=True)
    (tmp_path / "tsdb/wal/0000").write_text("samples")
    (tmp_path / "tsdb/lock").write_text("")
    recording.keep(raws, tmp_path / "tsdb")
    kept = [recording.folder_of(raw.key) / "tsdb" for raw in raws]
    assert (kept[0] / "wal/0000").stat().st_ino == (kept[1] / "wal/0000").stat().st_ino
    assert not (kept[0] / "lock").exists()
    assert [raw.name for raw in recording.kept()] == ["probe-a", "probe-b"]


def test_a_bundle_names_no_address_and_no_file_of_the_recorder(raws: list[Raw]) -> None:
    plain = recording._plain(raws[0].connections)
    assert plain.prometheus[0].url == "http://127.0.0.1:9090"
    assert plain.kubernetes[0].api and not plain.kubernetes[0].kubeconfig_file


def test_a_listed_pod_comes_into_a_bundle_without_its_environment() -> None:
    listed = '{"items":[{"spec":{"containers":[{"name":"app","env":[{"name":"TLS_KEY","value":"s3cret"}]}]}}]}'
    clean = recording._clean(Answer("prod-a", "GET", "/api/v1/namespaces/shop/pods", "", "", 200, listed))
    assert "app" in clean.answer and "s3cret" not in clean.answer
