"""Real etcd members with TLS client certificates and with authentication, asked as a declared connection is."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from domain.connections import Connections, EtcdDecl, EtcdMemberDecl
from evidence.clients.etcd import MemberHealth, ask_members
from evidence.recording import Answer, LiveTransports, ReplayTransports
from lab.stage.programs import Stage, free_port, wait_until
from lab.stage.releases import DEBIAN, PINNED, Release, located

pytestmark = pytest.mark.real


@pytest.fixture
def stage() -> Iterator[Stage]:
    with Stage() as made:
        yield made


def sign(folder: Path) -> None:
    """An authority, a server's and a client's certificate."""
    run = lambda *argv: subprocess.run(["openssl", *argv], cwd=folder, check=True, capture_output=True)  # noqa: E731
    run(
        "req",
        "-x509",
        "-newkey",
        "rsa:2048",
        "-nodes",
        "-keyout",
        "ca.key",
        "-out",
        "ca.crt",
        "-days",
        "2",
        "-subj",
        "/CN=ca",
    )
    (folder / "san").write_text("subjectAltName=IP:127.0.0.1\nextendedKeyUsage=serverAuth,clientAuth\n")
    for name in ("server", "client"):
        run(
            "req",
            "-newkey",
            "rsa:2048",
            "-nodes",
            "-keyout",
            f"{name}.key",
            "-out",
            f"{name}.csr",
            "-subj",
            f"/CN={name}",
        )
        run("x509", "-req", "-in", f"{name}.csr", "-CA", "ca.crt", "-CAkey", "ca.key", "-CAcreateserial",
            "-out", f"{name}.crt", "-days", "2", "-extfile", "san")  # fmt: skip


def one_member(stage: Stage, *, tls: bool, release: Release = DEBIAN) -> EtcdDecl:
    """A single member; with TLS it demands a client certificate."""
    scheme, client, peer = ("https" if tls else "http"), free_port(), free_port()
    guard = ["--cert-file", "server.crt", "--key-file", "server.key", "--trusted-ca-file", "ca.crt",
             "--client-cert-auth"] if tls else []  # fmt: skip
    stage.start("etcd", [
        located(release.etcd), "--name", "etcd1", "--data-dir", "data", "--listen-client-urls", f"{scheme}://127.0.0.1:{client}",
        "--advertise-client-urls", f"{scheme}://127.0.0.1:{client}", "--listen-peer-urls", f"http://127.0.0.1:{peer}",
        "--initial-advertise-peer-urls", f"http://127.0.0.1:{peer}",
        "--initial-cluster", f"etcd1=http://127.0.0.1:{peer}", "--logger", "zap", *guard,
    ])  # fmt: skip
    member = EtcdMemberDecl(name="etcd1", endpoint=f"{scheme}://127.0.0.1:{client}")
    return EtcdDecl(name="etcd", member=[member], timeout_s=3)


def asked(etcd: EtcdDecl) -> tuple[MemberHealth, tuple[Answer, ...]]:
    """What it says live; a replay must say the same."""
    transports = LiveTransports(Connections(etcd=[etcd]))
    member = ask_members(etcd, transports)[0]
    assert ask_members(etcd, ReplayTransports(transports.answers()))[0] == member
    return member, transports.answers()


def healthy(etcd: EtcdDecl) -> bool:
    return asked(etcd)[0].state == "healthy"


def test_a_member_behind_client_certificates_is_asked_with_ours_and_never_blamed_without(stage: Stage) -> None:
    sign(stage.folder)
    etcd = one_member(stage, tls=True)
    named = {key: str(stage.folder / file) for key, file in
             (("ca_file", "ca.crt"), ("client_cert_file", "client.crt"), ("client_key_file", "client.key"))}  # fmt: skip
    whole = msgspec.structs.replace(etcd, **named)
    wait_until(lambda: healthy(whole), "etcd with TLS", 30)
    assert asked(whole)[0].leader and asked(whole)[0].alarms == ()
    assert asked(msgspec.structs.replace(etcd, ca_file=named["ca_file"]))[0].state == "unasked"
    assert asked(etcd)[0].state == "unasked"
    plain = EtcdMemberDecl(name="etcd1", endpoint=etcd.member[0].endpoint.replace("https", "http"))
    assert "https://" in asked(msgspec.structs.replace(etcd, member=[plain]))[0].detail


@pytest.mark.parametrize("release", [DEBIAN, PINNED], ids=["3.4", "3.6"])
def test_authentication_is_answered_on_demand_and_leaves_no_secret_behind(stage: Stage, release: Release) -> None:
    etcd = one_member(stage, tls=False, release=release)
    wait_until(lambda: healthy(etcd), "etcd", 30)
    for argv in (["user", "add", "root:s3cret"], ["user", "grant-role", "root", "root"], ["auth", "enable"]):
        subprocess.run(["etcdctl", f"--endpoints={etcd.member[0].endpoint}", *argv], check=True, capture_output=True,
                       env={"ETCDCTL_API": "3", "PATH": "/usr/bin:/bin"})  # fmt: skip
    stage.write("password", "s3cret")
    named = msgspec.structs.replace(etcd, user="root", password_file=str(stage.folder / "password"))
    for declared in (etcd, named):
        member, answers = asked(declared)
        assert member.state == "healthy" and member.alarms == ()
        assert "s3cret" not in msgspec.json.encode(answers).decode()
    assert member.leader and member.detail == ""
    with LiveTransports(Connections()).client("etcd/etcd1", named.member[0].endpoint, named) as client:
        assert client.post("/v3/kv/range", content=b'{"key":"aGVhbHRo"}').status_code == 200
    with LiveTransports(Connections()).client("etcd/etcd1", etcd.member[0].endpoint, etcd) as client:
        assert client.post("/v3/kv/range", content=b'{"key":"aGVhbHRo"}').status_code == 400
