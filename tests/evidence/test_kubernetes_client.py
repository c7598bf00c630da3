"""The Kubernetes API is read with verified TLS, keeps no secret, and can be replayed without a cluster."""

import json
import os
import ssl
import subprocess
import sys
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from domain.connections import Connections, KubernetesDecl
from domain.errors import Malformed, ProductError, Refused, Unreachable
from evidence.bundles import Bundle, without_secrets
from evidence.clients.kubernetes import Kubernetes
from evidence.memo import Memo
from evidence.recording import LiveTransports, ReplayTransports
from evidence.ways import tls_of

POD = {
    "metadata": {"name": "cart-1", "namespace": "shop", "managedFields": [{"manager": "m"}],
                 "annotations": {"kubectl.kubernetes.io/last-applied-configuration": "s3cret"}},
    "spec": {"containers": [{
        "name": "app", "args": ["--password=s3cret"], "command": ["run", "s3cret"],
        "env": [{"name": "PASSWORD", "value": "s3cret"}],
        "readinessProbe": {"httpGet": {"path": "/healthz?key=s3cret", "port": 8080,
                                       "httpHeaders": [{"name": "Authorization", "value": "s3cret"}]}},
    }]},
}  # fmt: skip


class Api(BaseHTTPRequestHandler):
    """An API server that says what the test set and remembers who asked."""

    status, body, asked = 200, b"", []

    def do_GET(self) -> None:
        type(self).asked.append((self.path, self.headers.get("Authorization")))
        self.send_response(type(self).status)
        self.send_header("Content-Length", str(len(type(self).body)))
        self.end_headers()
        self.wfile.write(type(self).body)

    def log_message(self, *_: object) -> None:
        """Quiet."""


@pytest.fixture
def server(tmp_path: Path) -> Iterator[str]:
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", tmp_path / "key.pem", "-out",
         tmp_path / "ca.pem", "-days", "1", "-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1"],
        check=True, capture_output=True,
    )  # fmt: skip
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "ca.pem", tmp_path / "key.pem")
    made = ThreadingHTTPServer(("127.0.0.1", 0), Api)
    made.socket = context.wrap_socket(made.socket, server_side=True)
    threading.Thread(target=made.serve_forever, daemon=True).start()
    Api.status, Api.body, Api.asked = 200, json.dumps({"items": [POD]}).encode(), []
    yield f"https://127.0.0.1:{made.server_port}"
    made.shutdown()
    made.server_close()


def declared(
    folder: Path, server: str, *, cluster: str = '"certificate-authority": "ca.pem"', user: str = ""
) -> Connections:
    (folder / "token").write_text("t0ken\n")
    text = (
        '{"current-context": "c", "contexts": [{"name": "c", "context": {"cluster": "k", "user": "u"}}], "clusters": '
        f'[{{"name": "k", "cluster": {{"server": "{server}/base", {cluster}}}}}], '
        f'"users": [{{"name": "u", "user": {{{user or chr(34) + "tokenFile" + chr(34) + ": " + chr(34) + "token" + chr(34)}}}}}]}}'
    )
    (folder / "kube.config").write_text(text)
    return Connections(kubernetes=[KubernetesDecl(name="prod-a", kubeconfig_file=str(folder / "kube.config"))])


def test_pods_are_read_with_the_kubeconfigs_token_over_verified_tls(server: str, tmp_path: Path) -> None:
    connections = declared(tmp_path, server)
    pods = Kubernetes(connections.kubernetes[0], LiveTransports(connections)).pods("shop")
    assert [p.metadata and p.metadata.name for p in pods] == ["cart-1"]
    assert Api.asked == [("/base/api/v1/namespaces/shop/pods", "Bearer t0ken")]


def test_an_api_of_another_authority_is_not_believed(server: str, tmp_path: Path) -> None:
    connections = declared(tmp_path, server, cluster='"x": 1')
    with pytest.raises(Unreachable, match="ConnectError"):
        Kubernetes(connections.kubernetes[0], LiveTransports(connections)).pods("shop")
    assert not Api.asked


def test_a_list_is_read_once_an_investigation(server: str, tmp_path: Path) -> None:
    (one,), memo = declared(tmp_path, server).kubernetes, Memo()
    first, again = (Kubernetes(one, LiveTransports(Connections()), memo).pods("shop") for _ in range(2))
    assert len(Api.asked) == 1 and first[0] is again[0]
    assert Kubernetes(one, LiveTransports(Connections()), Memo()).pods("shop")[0] is not first[0]


def test_the_files_of_tls_are_read_once_and_anew_when_they_are_replaced(server: str, tmp_path: Path) -> None:
    own = KubernetesDecl(name="a", url=server, ca_file=str(tmp_path / "ca.pem"))
    before = tls_of(own)
    assert tls_of(own) is before
    os.utime(tmp_path / "ca.pem", (1, 1))
    assert tls_of(own) is not before
    (tmp_path / "ca.pem").unlink()
    with pytest.raises(Refused, match="ca_file"):
        tls_of(own)


@pytest.mark.parametrize(
    ("cluster", "user", "remedy"),
    [
        ('"insecure-skip-tls-verify": true', "", "certificate-authority"),
        ('"certificate-authority": "none.pem"', "", "cannot be used"),
        (
            '"certificate-authority": "ca.pem"',
            '"exec": {"apiVersion": "v1", "command": "aws"}',
            "service account's token",
        ),
    ],
)
def test_a_kubeconfig_that_cannot_be_used_names_the_remedy(
    server: str, tmp_path: Path, cluster: str, user: str, remedy: str
) -> None:
    connections = declared(tmp_path, server, cluster=cluster, user=user)
    with pytest.raises(Refused, match=remedy):
        Kubernetes(connections.kubernetes[0], LiveTransports(connections)).pods("shop")


def test_what_is_kept_replays_without_a_kubeconfig_and_holds_no_secret(server: str, tmp_path: Path) -> None:
    connections = declared(tmp_path, server)
    live = LiveTransports(connections)
    pods = Kubernetes(connections.kubernetes[0], live).pods("shop")
    kept = Bundle("t", datetime(2026, 3, 1, tzinfo=UTC), connections, None, (), (), live.answers())
    kept.save(tmp_path / "b.zip")
    again = Bundle.load(tmp_path / "b.zip")
    plain = again.connections.kubernetes[0]
    assert plain.api and plain.has_api and not plain.kubeconfig_file
    assert Kubernetes(plain, ReplayTransports(again.answers)).pods("shop") == pods
    assert again.answers[0].path == "/api/v1/namespaces/shop/pods" and not again.answers[0].params
    assert "s3cret" not in again.answers[0].answer and "t0ken" not in str(again.answers)
    assert "8080" in again.answers[0].answer


def test_the_own_pods_account_is_no_part_of_a_bundle() -> None:
    kept = without_secrets(Connections(kubernetes=[KubernetesDecl(name="a", in_cluster=True)])).kubernetes[0]
    assert kept == KubernetesDecl(name="a", api=True)


def test_an_address_with_a_base_path_records_the_same_paths(server: str, tmp_path: Path) -> None:
    (tmp_path / "token").write_text("t0ken")
    one = KubernetesDecl(
        name="a", url=f"{server}/k8s/c", bearer_file=str(tmp_path / "token"), ca_file=str(tmp_path / "ca.pem")
    )
    live = LiveTransports(Connections(kubernetes=[one]))
    pods = Kubernetes(one, live).pods("shop")
    assert live.answers()[0].path == "/api/v1/namespaces/shop/pods"
    assert Kubernetes(one, ReplayTransports(live.answers())).pods("shop") == pods


@pytest.mark.parametrize(
    ("status", "body", "error", "message"),
    [
        (403, b'{"message": "pods is forbidden"}', Refused, "pods is forbidden"),
        (401, b"\xff", Refused, "no reason"),
        (503, b"", Unreachable, "503"),
        (429, b"", Unreachable, "429"),
        (200, b"<html>", Malformed, "not its list"),
        (200, b'{"items": "many"}', Malformed, "not its list"),
        (200, b"[" * 100_000, Malformed, "not its list"),
    ],
)
def test_each_broken_answer_is_an_error_with_one_sentence(
    server: str, tmp_path: Path, status: int, body: bytes, error: type[ProductError], message: str
) -> None:
    connections = declared(tmp_path, server)
    Api.status, Api.body = status, body
    with pytest.raises(error, match=message):
        Kubernetes(connections.kubernetes[0], LiveTransports(connections)).pods("shop")


def test_an_alerts_namespace_cannot_reach_another_path(server: str, tmp_path: Path) -> None:
    connections = declared(tmp_path, server)
    for name in ("../secrets", "a/b", "", "a" * 64, "kube-system?x=1"):
        with pytest.raises(Refused, match="namespace's name"):
            Kubernetes(connections.kubernetes[0], LiveTransports(connections)).pods(name)
    assert not Api.asked


def test_the_same_question_of_one_investigation_is_asked_once(server: str, tmp_path: Path) -> None:
    connections = declared(tmp_path, server)
    live = LiveTransports(connections)
    for _ in range(3):
        Kubernetes(connections.kubernetes[0], live).pods("shop")
    assert len(Api.asked) == 1


AT_ONCE = """
import threading
from domain.connections import KubernetesDecl
from evidence.clients.kubernetes import Kubernetes
from evidence.recording import Answer, ReplayTransports

PATHS = {"pods": "/api/v1/namespaces/a/pods", "events": "/api/v1/namespaces/a/events", "nodes": "/api/v1/nodes"}
answers = [Answer("prod", "GET", path, "", "", 200, '{"items": []}') for path in PATHS.values()]
api = Kubernetes(KubernetesDecl(name="prod", api=True), ReplayTransports(answers))
start = threading.Barrier(12)

def ask(name):
    start.wait()
    getattr(api, name)(*(() if name == "nodes" else ("a",)))

threads = [threading.Thread(target=ask, args=(name,)) for name in [*PATHS] * 4]
for thread in threads: thread.start()
for thread in threads: thread.join()
"""


def test_checks_may_ask_for_the_first_time_all_at_once() -> None:
    """A process of its own, since the decoder crashed only on types that nobody had met before."""
    done = subprocess.run([sys.executable, "-c", AT_ONCE], capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode()
