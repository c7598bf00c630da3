"""Secrets of the connections that are asked: by file or by variable, sent where they belong, told when they lack."""

import base64
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import httpx
import pytest
from django.conf import settings

from domain.connections import (
    Access,
    BlackboxDecl,
    Connections,
    EtcdDecl,
    KubernetesDecl,
    ProbeTargetDecl,
    PrometheusDecl,
)  # fmt: skip
from domain.errors import Malformed, Refused
from evidence import bounded
from evidence.bundles import without_secrets
from evidence.clients.kubernetes_watch import PODS, Watched
from evidence.clients.prometheus import Prometheus
from evidence.executors.etcdctl import environment
from evidence.recording import LiveTransports, encode_answer
from evidence.ways import FILES_ONLY, reading

READ = reading(settings.DECLARED_SECRET)
SECRET = "s3cret-of-the-variable"
BASIC = f"Basic {base64.b64encode(f'bob:{SECRET}'.encode()).decode()}"


class Echo(BaseHTTPRequestHandler):
    """Keeps what authorises each request; answers like an API server with no pods."""

    seen: list[str] = []

    def do_GET(self) -> None:
        Echo.seen.append(self.headers.get("Authorization", ""))
        if self.path.startswith("/elsewhere"):
            self.send_response(302)
            self.send_header("Location", "/secret")
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        if self.path.startswith("/trickles"):
            self.send_response(200)
            self.end_headers()
            with suppress(OSError):
                for _ in range(500):
                    self.wfile.write(b" ")
                    time.sleep(0.02)
            return
        body = b'{"metadata": {"resourceVersion": "1"}, "items": []}'
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Quiet."""


@pytest.fixture
def url(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    monkeypatch.setenv("WITNESS_SECRET", f"{SECRET}\n")
    server = ThreadingHTTPServer(("127.0.0.1", 0), Echo)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    Echo.seen = []
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


BEARER = {"bearer_env": "WITNESS_SECRET"}
PASSWORD = {"basic_user": "bob", "basic_password_env": "WITNESS_SECRET"}


def asked(url: str, access: Access) -> LiveTransports:
    live = LiveTransports(Connections(), READ)
    with live.client("one", url, access) as client:
        assert client.get("/").status_code == 200
    return live


@pytest.mark.parametrize(("own", "sent"), [(BEARER, f"Bearer {SECRET}"), (PASSWORD, BASIC)], ids=["bearer", "basic"])
@pytest.mark.parametrize("kind", ["prometheus", "etcd", "blackbox", "kubernetes", "target"])
def test_every_kind_of_connection_reads_its_variable_and_keeps_nothing_of_it(
    url: str, kind: str, own: dict[str, str], sent: str
) -> None:
    made: dict[str, Access] = {
        "prometheus": PrometheusDecl(name="a", url=url, **own),
        "etcd": EtcdDecl(name="a", **own),
        "blackbox": BlackboxDecl(name="a", url=url, prometheus="m", **own),
        "kubernetes": KubernetesDecl(name="a", url=url, **own),
        "target": ProbeTargetDecl(name="a", url=url, pod="p", **own),
    }
    live = asked(url, made[kind])
    assert Echo.seen == [sent]
    assert not any(SECRET in encode_answer(one).decode() for one in live.answers())
    kept = without_secrets(Connections(**{kind: [made[kind]]}))  # type: ignore[arg-type]
    assert "WITNESS_SECRET" not in str(kept) and "bob" not in str(kept)


def test_the_watcher_reads_its_variable(url: str) -> None:
    assert Watched(KubernetesDecl(name="a", url=url, **BEARER), READ).listed(PODS) == ([], "1")
    assert Echo.seen == [f"Bearer {SECRET}"]


def test_a_program_gets_the_password_of_a_variable_by_its_environment_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WITNESS_SECRET", SECRET)
    etcd = EtcdDecl(name="a", user="bob", password_env="WITNESS_SECRET")
    assert environment(etcd, READ) == {"ETCDCTL_API": "3", "ETCDCTL_USER": "bob", "ETCDCTL_PASSWORD": SECRET}


@pytest.mark.parametrize(
    ("read", "own", "message"),
    [
        (READ, {"bearer_env": "NOT_SET_ANYWHERE"}, "bearer_env: the variable NOT_SET_ANYWHERE is empty; set it"),
        (FILES_ONLY, {"bearer_env": "PATH"}, "bearer_env: the variable PATH is empty"),
        (READ, {"bearer_file": "/nowhere/token"}, "bearer_file: /nowhere/token cannot be read"),
    ],
)
def test_a_secret_that_cannot_be_read_is_reported_with_the_remedy_and_nothing_is_asked(
    url: str, read: object, own: dict[str, str], message: str
) -> None:
    live = LiveTransports(Connections(), read)  # type: ignore[arg-type]
    with pytest.raises(Refused, match=message):
        live.client("one", url, PrometheusDecl(name="a", url=url, **own))
    assert Echo.seen == []


def test_a_file_that_is_no_text_is_reported_too(url: str, tmp_path: Path) -> None:
    (tmp_path / "token").write_bytes(b"\xff\xfe")
    with pytest.raises(Refused, match="bearer_file"):
        asked(url, PrometheusDecl(name="a", url=url, bearer_file=str(tmp_path / "token")))


def test_a_redirect_is_an_answer_and_is_never_followed_nor_is_a_proxy_asked(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    with LiveTransports(Connections(), READ).client("one", url, PrometheusDecl(name="a", url=url, **BEARER)) as client:
        assert client.get("/elsewhere").status_code == 302
    assert Echo.seen == [f"Bearer {SECRET}"]


def test_an_answer_that_trickles_without_end_is_given_up(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bounded, "LONGEST_S", 0.3)
    live = LiveTransports(Connections(), READ)
    with live.client("one", url, PrometheusDecl(name="a", url=url)) as client, pytest.raises(httpx.ReadTimeout):
        client.get("/trickles")
    assert [answer.error for answer in live.answers()] == ["ReadTimeout"]


def test_an_answer_that_is_nested_without_end_is_no_answer() -> None:
    deep = b'{"status":"success","x":' + b"[" * 100_000 + b"]" * 100_000 + b"}"
    client = httpx.Client(
        base_url="http://x", transport=httpx.MockTransport(lambda _: httpx.Response(200, content=deep))
    )
    now = datetime(2026, 3, 1, tzinfo=UTC)
    with pytest.raises(Malformed):
        Prometheus(client).range("up", now, now, 5)
