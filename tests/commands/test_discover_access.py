"""How `discover` reaches what it asks: TLS is verified, no proxy is used, and a kubeconfig gives nodes and zones."""

import io
import json
import ssl
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from connections.file import read
from domain.connections import Connections
from ingest.sources import all_sources
from tests.fakes.kube_api import KubeApi
from tests.fakes.prometheus import FakePrometheus
from tests.fakes.smtp_server import certificate

MEMBER = {"job": "etcd", "instance": "10.0.1.11:2379"}


def discovered(url: str, folder: Path, *words: object) -> Connections:
    out = folder / "connections.toml"
    call_command("discover", url, "--out", str(out), *map(str, words), stdout=io.StringIO(), stderr=io.StringIO())
    return read(out, all_sources())


def one_member() -> FakePrometheus:
    fake = FakePrometheus()
    fake.add("up", **MEMBER)
    fake.add("etcd_server_has_leader", **MEMBER)
    return fake


def node(name: str, zone: str, address: str) -> dict[str, object]:
    labels = {"topology.kubernetes.io/zone": zone} if zone else {}
    addresses = [{"type": "InternalIP", "address": address}]
    return {"metadata": {"uid": name, "name": name, "labels": labels}, "status": {"addresses": addresses}}


def kubeconfig(folder: Path, server: str) -> Path:
    file = folder / "kube.config"
    file.write_text(json.dumps({
        "current-context": "c", "contexts": [{"name": "c", "context": {"cluster": "prod-k", "user": "u"}}],
        "clusters": [{"name": "prod-k", "cluster": {"server": server}}], "users": [{"name": "u", "user": {"token": "t"}}],
    }))  # fmt: skip
    return file


def test_a_server_is_trusted_by_the_given_authority_and_by_no_other(tmp_path: Path) -> None:
    cert, key = certificate(tmp_path)
    fake = one_member()
    fake.tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    fake.tls.load_cert_chain(cert, key)
    with fake:
        with pytest.raises(CommandError, match="give a CA file for an authority of your own"):
            discovered(fake.url, tmp_path)
        assert fake.calls == []
        assert discovered(fake.url, tmp_path, "--ca-file", cert).prometheus[0].ca_file == str(cert)


def test_a_file_of_access_that_is_not_there_is_one_sentence(tmp_path: Path) -> None:
    with one_member() as fake, pytest.raises(CommandError, match=r"bearer_file: .* cannot be read"):
        discovered(fake.url, tmp_path, "--bearer-file", tmp_path / "none")


def test_no_proxy_of_the_environment_is_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    with one_member() as fake:
        assert discovered(fake.url, tmp_path).etcd


def test_a_kubeconfig_gives_the_members_their_nodes_and_zones(tmp_path: Path) -> None:
    with one_member() as fake, KubeApi() as api:
        api.put("nodes", node("db-1", "zone-a", "10.0.1.11"))
        api.put("nodes", node("db-2", "", "10.0.1.12"))
        fake.add("kube_node_info", node="db-1", internal_ip="10.0.1.11", cluster="prod-a")
        found = discovered(fake.url, tmp_path, "--kubeconfig", kubeconfig(tmp_path, api.url))
        text = (tmp_path / "connections.toml").read_text()
    (member,) = found.etcd[0].member
    assert (member.host, member.zone) == ("db-1", "zone-a")
    assert [(k.name, k.kubeconfig_file) for k in found.kubernetes] == [("prod-a", str(tmp_path / "kube.config"))]
    assert "its API listed 2 nodes in 1 zones" in text and "labels of node db-1 in the Kubernetes API" in text


def test_a_cluster_alone_is_found_too(tmp_path: Path) -> None:
    with FakePrometheus() as empty, KubeApi() as api:
        api.put("nodes", node("db-1", "zone-a", "10.0.1.11"))
        found = discovered(empty.url, tmp_path, "--kubeconfig", kubeconfig(tmp_path, api.url))
    assert [k.name for k in found.kubernetes] == ["prod-k"]


def test_a_kubeconfig_that_leads_nowhere_ends_with_one_sentence(tmp_path: Path) -> None:
    with one_member() as fake:
        with pytest.raises(CommandError, match="the Kubernetes API cannot be reached"):
            discovered(fake.url, tmp_path, "--kubeconfig", kubeconfig(tmp_path, "http://127.0.0.1:1"))
        (tmp_path / "broken").write_text("{")
        with pytest.raises(CommandError, match="cannot be used"):
            discovered(fake.url, tmp_path, "--kubeconfig", tmp_path / "broken")
        assert fake.calls == []
