"""The client of a target: its address only, its credentials, its TLS, its deadline, and nothing written in a dry run."""

import ssl
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from domain.connections import TicketDecl
from domain.errors import Malformed, Refused, Unreachable
from domain.redaction import redacted
from tests.fakes.minimal_systems import BOARD
from tests.fakes.server import Answer, Call, Fake, error, late
from tests.fakes.smtp_server import certificate
from tickets import transport
from tickets.transport import (
    Attempt,
    Traffic,
    client,
    json_of,
    known_secrets,
    retry_after_s,
    secrets_of,
    send_request,
    without_secrets,
)


class Echo(Fake):
    """Answers with what came; `/oauth` gives tokens, of which only the newest is good."""

    def __init__(self) -> None:
        super().__init__()
        self.tokens = 0

    def handle(self, call: Call) -> Answer:
        if call.path == "/oauth":
            self.tokens += 1
            return Answer(200, {"access_token": f"token-{self.tokens}", "expires_in": 3600})
        if call.headers.get("Authorization", "").startswith("Bearer token-") and not call.headers[
            "Authorization"
        ].endswith(str(self.tokens)):
            return Answer(401)
        return Answer(200, {"authorization": call.headers.get("Authorization", ""), "path": call.path})


@pytest.fixture
def echo() -> Iterator[Echo]:
    with Echo() as fake:
        yield fake


@pytest.fixture(autouse=True)
def no_tokens() -> None:
    transport._tokens.clear()


def opened(fake: Fake, dry_run: bool = False, seconds: float = 60.0, **more: Any) -> tuple[httpx.Client, Traffic]:
    declared = TicketDecl(kind="board", name="ops", url=fake.url, **more)
    traffic = Traffic()
    variables = {"PASSWORD": "from-the-environment"}
    secret = secrets_of(declared, lambda name: variables.get(name, ""))
    traffic.secrets = known_secrets(secret)
    return client(BOARD, declared, secret, Attempt(traffic, seconds, dry_run)), traffic


def test_basic_and_bearer_come_from_files_and_variables(echo: Echo, tmp_path: Path) -> None:
    (tmp_path / "token").write_text("from-a-file\n")
    bearer, _ = opened(echo, bearer_file=str(tmp_path / "token"))
    assert bearer.get("/a").json()["authorization"] == "Bearer from-a-file"
    basic, _ = opened(echo, basic_user="me", basic_password_env="PASSWORD")
    sent = httpx.BasicAuth("me", "from-the-environment")._auth_header
    assert basic.get("/a").json()["authorization"] == sent


def test_a_secret_that_cannot_be_read_is_reported_with_its_key(echo: Echo, tmp_path: Path) -> None:
    with pytest.raises(Refused, match="bearer_file"):
        opened(echo, bearer_file=str(tmp_path / "gone"))
    with pytest.raises(Refused, match="NOT_SET is empty"):
        opened(echo, bearer_env="NOT_SET")


def test_client_credentials_fetch_a_token_once_and_renew_a_refused_one(echo: Echo, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("the-client-secret")
    oauth = {
        "oauth_token_url": f"{echo.url}/oauth",
        "oauth_client_id": "me",
        "oauth_client_secret_file": str(tmp_path / "secret"),
    }
    for _ in range(2):
        reached, _ = opened(echo, **oauth)
        assert reached.get("/a").json()["authorization"] == "Bearer token-1"
    echo.tokens = 7
    assert opened(echo, **oauth)[0].get("/a").json()["authorization"] == "Bearer token-8"
    assert b"client_secret=the-client-secret" in echo.calls[0].body
    echo.rule(error(503, Retry_After="9"), lambda call: call.path == "/oauth")
    transport._tokens.clear()
    with pytest.raises(Unreachable) as away:
        opened(echo, **oauth)[0].get("/a")
    assert away.value.retry_after_s == 9


def test_a_token_server_that_does_not_answer_is_not_waited_for(echo: Echo, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("the-client-secret")
    echo.rule(late(2.0), lambda call: call.path == "/oauth")
    reached, _ = opened(
        echo, timeout_s=0.2, oauth_token_url=f"{echo.url}/oauth", oauth_client_id="me",
        oauth_client_secret_file=str(tmp_path / "secret"),
    )  # fmt: skip
    with pytest.raises(Unreachable, match="did not answer in time"):
        send_request(reached, "GET", "/a", "it")


def test_a_token_without_an_end_is_kept_for_a_while(
    echo: Echo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "secret").write_text("the-client-secret")
    whole = echo.handle

    def endless(call: Call) -> Answer:
        answer = whole(call)
        return Answer(200, {**answer.body, "expires_in": None}) if call.path == "/oauth" else answer

    monkeypatch.setattr(echo, "handle", endless)
    oauth = {"oauth_token_url": f"{echo.url}/oauth", "oauth_client_id": "me"}
    for _ in range(2):
        reached, _ = opened(echo, **oauth, oauth_client_secret_file=str(tmp_path / "secret"))
        assert reached.get("/a").json()["authorization"] == "Bearer token-1"


@pytest.mark.parametrize("url", ["http://169.254.169.254/latest", "http://127.0.0.1:1/", "https://127.0.0.1/"])
def test_no_other_address_is_reached(echo: Echo, url: str) -> None:
    reached, traffic = opened(echo)
    with pytest.raises(Refused, match="not an address of this connection"):
        reached.get(url)
    assert traffic.codes == {} and echo.calls == []


def test_a_redirect_is_not_followed(echo: Echo) -> None:
    echo.rule(error(302, Location="http://127.0.0.1:1/"))
    reached, traffic = opened(echo)
    with pytest.raises(Refused, match="302"):
        json_of(send_request(reached, "GET", "/a", "it"), "it")
    assert len(echo.calls) == 1 and traffic.codes == {302: 1}


def test_tls_is_verified_by_the_declared_authority_alone(tmp_path: Path) -> None:
    bad = tmp_path / "ca.pem"
    bad.write_text("not a certificate")
    with Echo() as fake, pytest.raises(Refused, match="ca_file"):
        opened(fake, ca_file=str(bad))
    assert transport.trust("").verify_mode is ssl.CERT_REQUIRED


@pytest.mark.parametrize(
    ("url", "remedy"), [("http://127.0.0.1:9", "check address and port"), ("http://no-such-host.invalid", "name")]
)
def test_a_failed_connection_is_reported_with_the_remedy(url: str, remedy: str) -> None:
    declared = TicketDecl(kind="board", name="ops", url=url)
    with pytest.raises(Unreachable, match=remedy):
        send_request(client(BOARD, declared, lambda name: "", Attempt(Traffic())), "GET", "/", "it")


def test_an_authority_of_ones_own_is_trusted_and_no_other(tmp_path: Path) -> None:
    cert, key = certificate(tmp_path)
    fake = Echo()
    fake.tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    fake.tls.load_cert_chain(cert, key)
    with fake:
        assert opened(fake, ca_file=str(cert))[0].get("/a").status_code == 200
        with pytest.raises(Unreachable, match="name its authority in ca_file"):
            send_request(opened(fake)[0], "GET", "/a", "it")
        assert len(fake.calls) == 1


def test_no_call_begins_after_the_deadline(echo: Echo) -> None:
    reached, _ = opened(echo, seconds=-1.0)
    with pytest.raises(Unreachable, match="time for one attempt"):
        reached.get("/a")
    assert echo.calls == []


def test_an_answer_without_an_end_is_bounded(echo: Echo, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transport, "ANSWER_LIMIT", 10)
    with pytest.raises(Unreachable, match="cannot be reached"):
        send_request(opened(echo)[0], "GET", "/a-path-that-is-echoed", "it")


def test_an_answer_that_trickles_ends_with_the_attempt(echo: Echo, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transport, "LONGEST_CALL_S", -60.0)
    reached, _ = opened(echo, timeout_s=1.0)
    reached.timeout = httpx.Timeout(5.0)
    with pytest.raises(Unreachable, match="did not answer in time"):
        send_request(reached, "GET", "/a", "it")


def test_a_dry_run_sends_reads_holds_writes_and_shows_them_without_secrets(echo: Echo, tmp_path: Path) -> None:
    (tmp_path / "token").write_text("the-token-of-the-test")
    reached, traffic = opened(echo, dry_run=True, bearer_file=str(tmp_path / "token"))
    reached.get("/a")
    made = reached.post("/items?key=abcdef", json={"note": "the-token-of-the-test"}).json()
    reached.put(f"/items/{made['key']}", json={})
    assert reached.get(f"/items/{made['key']}").status_code == 200, "what was never made is made up"
    assert [call.method for call in echo.calls] == ["GET"]
    assert [call["method"] for call in traffic.held_back] == ["POST", "PUT"]
    assert traffic.held_back[0]["url"] == f"{echo.url}/items?key=•••" and "•••" in traffic.held_back[0]["body"]


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("7", 7), ("", 0), ("-3", 0), ("nonsense", 0), ("999999999", 86400), ("nan", 0), ("Wed, 25 Nov 2026 10:01:30 GMT", 90),
     ("Wed, 25 Nov 2020 10:01:30 GMT", 0), ("Wed, 25 Nov 2026 10:01:30", 0)],
)  # fmt: skip
def test_the_asked_wait_as_seconds_or_as_a_date(text: str, seconds: float) -> None:
    assert retry_after_s(text, datetime(2026, 11, 25, 10, 0, tzinfo=UTC)) == seconds


@pytest.mark.parametrize(
    ("status", "body", "raised"),
    [(500, "", Unreachable), (429, "", Unreachable), (408, "", Unreachable), (403, "", Refused), (301, "", Refused),
     (200, "<html>", Malformed)],
)  # fmt: skip
def test_each_status_raises_its_error(status: int, body: str, raised: type[Exception]) -> None:
    with pytest.raises(raised):
        json_of(httpx.Response(status, text=body), "it")
    assert json_of(httpx.Response(204), "it") == {} and json_of(httpx.Response(200, json=[1]), "it") == {"result": [1]}


@pytest.mark.parametrize(
    "text",
    ["Authorization: Bearer SECRETSECRET", "authorization='Basic SECRETSECRET='", "https://h/send?key=SECRETSECRET&x=1",
     "https://hooks.slack.com/services/T1/B2/SECRETSECRET", "https://open.feishu.cn/open-apis/bot/v2/hook/SECRETSECRET",
     '{"auth": "SECRETSECRET"}', "{'api_token': 'SECRETSECRET'}", "postgres://me:SECRETSECRET@db/x",
     "POST /tickets/ops/webhook/SECRETSECRET HTTP/1.1", "https://h/robot/send?access_token=SECRETSECRET"],
)  # fmt: skip
def test_credentials_are_taken_out_by_their_shape(text: str) -> None:
    assert "SECRET" not in redacted(text) and "•••" in redacted(text)


def test_plain_words_stay_and_encoded_secrets_go() -> None:
    text = "the token of the queue is basic knowledge; key=value in a basic sense"
    assert redacted(text) == text
    assert without_secrets("see https://h/a%2Fb%3Dsecret", ("a/b=secret",)) == "see https://h/•••"
