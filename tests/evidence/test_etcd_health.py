"""What members say over HTTP, by version and state; the answers are copied from real members of 3.4.23 and 3.6.4."""

import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import httpx
import msgspec
import pytest

from domain.connections import Access, Connections, EtcdDecl, EtcdMemberDecl
from domain.findings import Finding
from evidence.bundles import without_secrets
from evidence.check import Ask, run
from evidence.checks import all_checks
from evidence.clients.etcd import MemberHealth, ask_members
from evidence.recording import Answer, LiveTransports, ReplayTransports, Transports, named
from tests.evidence.made_series import MEMBER, etcd_decl, scope

Answers = dict[str, tuple[int, str] | type[httpx.TransportError]]
LED = '{"header":{"member_id":"7"},"version":"3.6.4","leader":"7"}'
LEADERLESS = '{"header":{"member_id":"7"},"version":"3.6.4","errors":["etcdserver: no leader"]}'
STATUS, ALARM, RANGE = "/v3/maintenance/status", "/v3/maintenance/alarm", "/v3/kv/range"
NEW = {"/livez": (200, "[+]serializable_read ok\nok\n"), "/readyz": (200, "[+]linearizable_read ok\nok\n")}
OLD = {"/livez": (404, "404 page not found\n"), "/readyz": (404, "404 page not found\n")}
NO_ALARM = {ALARM: (200, "{}")}
GOOD34: Answers = {
    "/health": (200, '{"health":"true"}'),
    STATUS: (200, LED.replace("3.6.4", "3.4.23")),
    **OLD,
    **NO_ALARM,
}
GOOD36: Answers = {"/health": (200, '{"health":"true","reason":""}'), STATUS: (200, LED), **NEW, **NO_ALARM}
# 3.4: both forms of health fail without a leader, the serializable read goes on.
CUT34: Answers = {"/health": (503, '{"health":"false"}'), STATUS: (200, LEADERLESS.replace("3.6.4", "3.4.23")), **OLD,
               RANGE: (200, '{"header":{}}'), ALARM: (200, "{}")}  # fmt: skip
# 3.6: /readyz and the alarm list hang without a leader; they must not make the member look hung.
CUT36: Answers = {"/health": (503, '{"health":"false","reason":"RAFT NO LEADER"}\n'), STATUS: (200, LEADERLESS),
               "/livez": NEW["/livez"], "/readyz": httpx.ReadTimeout, ALARM: httpx.ReadTimeout}  # fmt: skip
BROKEN36: Answers = CUT36 | {"/livez": (503, "[-]serializable_read failed: range error\n")}
FULL35: Answers = {"/health": (503, '{"health":"false","reason":"ALARM NOSPACE"}'), STATUS: (200, LED), **NEW,
                ALARM: (200, '{"alarms":[{"memberID":"7","alarm":"NOSPACE"}]}')}  # fmt: skip
HANGS: Answers = {"/health": httpx.ReadTimeout}
GONE: Answers = {"/health": httpx.ConnectError}
FAR: Answers = {"/health": httpx.ConnectTimeout}
CORRUPT: Answers = GOOD36 | {
    "/readyz": (503, "[+]serializable_read ok\n[-]data_corruption failed: alarm activated: CORRUPT\n")
}
HTML: Answers = {"/health": (404, "<html>proxy</html>")}


@dataclass
class Members:
    """Each member answers what its state says."""

    answers: dict[str, Answers]
    paths: list[str] = field(default_factory=list)

    def client(self, connection: str, base_url: str, access: Access) -> httpx.Client:
        name = connection.partition("/")[2]

        def answer(request: httpx.Request) -> httpx.Response:
            self.paths.append(request.url.path)
            reply = self.answers[name].get(request.url.path, (404, "404 page not found"))
            if isinstance(reply, type):
                raise reply("as told", request=request)
            return httpx.Response(reply[0], text=reply[1], request=request)

        return httpx.Client(base_url=base_url, transport=httpx.MockTransport(answer))

    def answers(self) -> tuple[Answer, ...]:
        return ()


def health(transports: Transports, etcd: EtcdDecl | None = None) -> dict[str, Finding]:
    check = next(c for c in all_checks() if c.slug == "etcd-health")
    return {f.measure: f for f in run(check, Ask(scope([etcd or etcd_decl()], [MEMBER]), transports))}


def three(one: Answers, two: Answers = GOOD36, three: Answers = GOOD36) -> dict[str, Finding]:
    return health(Members({"etcd1": one, "etcd2": two, "etcd3": three}))


@pytest.mark.parametrize("good", [GOOD34, GOOD36], ids=["3.4", "3.6"])
def test_a_healthy_cluster_is_healthy_on_every_version(good: Answers) -> None:
    found = three(good, good, good)
    assert {f.measure: f.seen for f in found.values()} == {
        "etcd-member-unhealthy": False, "etcd-member-hangs": False, "etcd-quorum-lost": False,
        "etcd-no-consensus": False, "etcd-space-alarm": False,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("state", "unhealthy", "hangs", "cut"),
    [
        (CUT34, True, False, True),
        (CUT36, True, False, True),
        (BROKEN36, True, False, False),
        (HANGS, False, True, False),
        (GONE, True, False, False),
        (FAR, True, False, False),
        (CUT34 | {RANGE: (403, '{"error":"permission denied"}')}, True, False, None),
    ],
    ids=["3.4 without leader", "3.6 without leader", "its own disk fails", "frozen", "nobody listens", "no way to it",
         "local read not permitted"],
)  # fmt: skip
def test_what_one_ill_member_means(state: Answers, unhealthy: bool, hangs: bool, cut: bool | None) -> None:
    found = three(state)
    assert found["etcd-member-unhealthy"].seen is unhealthy
    assert found["etcd-member-hangs"].seen is hangs
    assert found["etcd-no-consensus"].seen is cut
    assert found["etcd-quorum-lost"].seen is False


@pytest.mark.parametrize("cut", [CUT34, CUT36], ids=["3.4", "3.6"])
def test_without_a_quorum_the_local_disks_still_answer(cut: Answers) -> None:
    found = three(cut, cut, GONE)
    assert found["etcd-quorum-lost"].seen and found["etcd-no-consensus"].subject == "etcd1, etcd2"
    assert found["etcd-space-alarm"].seen is None


def test_the_questions_that_hang_without_a_leader_are_not_asked() -> None:
    members = Members(dict.fromkeys(("etcd1", "etcd2", "etcd3"), CUT36))
    assert health(members)["etcd-member-hangs"].seen is False
    assert not {"/readyz", ALARM} & set(members.paths)


def test_a_full_database_is_an_alarm_and_no_lost_quorum() -> None:
    found = three(FULL35, FULL35, FULL35)
    assert found["etcd-space-alarm"].seen is True and found["etcd-quorum-lost"].seen is False
    assert "ALARM NOSPACE" in found["etcd-member-unhealthy"].items[0].note


def test_reasons_of_the_server_and_failed_checks_are_shown() -> None:
    assert "RAFT NO LEADER" in three(CUT36)["etcd-member-unhealthy"].items[0].note
    assert "data_corruption failed" in three(CORRUPT)["etcd-member-unhealthy"].items[0].note
    assert "3.6.4" in three(GOOD36)["etcd-member-unhealthy"].items[0].note


# 3.6 with authentication and a user without rights.
UNPERMITTED: Answers = GOOD36 | {STATUS: (403, '{"code":7,"message":"etcdserver: permission denied"}')}


def test_a_status_that_is_not_permitted_makes_nobody_ill_and_hides_no_alarm() -> None:
    found = three(UNPERMITTED, UNPERMITTED, UNPERMITTED)
    assert found["etcd-member-unhealthy"].seen is False and found["etcd-space-alarm"].seen is False
    assert "permission denied" in found["etcd-member-unhealthy"].items[0].note
    full = FULL35 | {STATUS: UNPERMITTED[STATUS]}
    assert three(full, full, full)["etcd-quorum-lost"].seen is False


def test_a_learner_does_not_vote() -> None:
    learner = CUT36 | {STATUS: (200, LED.replace('"leader"', '"isLearner":true,"leader"'))}
    found = three(learner, GOOD36, GONE)
    assert found["etcd-quorum-lost"].limit == 2 and found["etcd-quorum-lost"].seen is True


def test_an_address_that_is_no_etcd_is_our_mistake_and_not_an_ill_member() -> None:
    found = three(HTML)
    assert found["etcd-member-unhealthy"].seen is None and "/health answered 404" in str(
        found["etcd-member-unhealthy"].why_unknown
    )
    assert found["etcd-quorum-lost"].seen is False
    assert three(HTML, HTML)["etcd-quorum-lost"].seen is None
    assert "https://" in str(three({"/health": httpx.RemoteProtocolError})["etcd-member-unhealthy"].why_unknown)


def test_a_bundle_from_before_the_newer_questions_still_gives_what_it_recorded() -> None:
    answers = [Answer("etcd/etcd1", "GET", "/health", "", "", 200, '{"health":"true"}'),
               Answer("etcd/etcd1", "POST", STATUS, "", "{}", 200, LED),
               Answer("etcd/etcd1", "POST", ALARM, "", '{"action":"GET"}', 200, "{}")]  # fmt: skip
    found = health(ReplayTransports(answers), etcd_decl(zones=("za",), members=("etcd1",)))
    assert found["etcd-member-unhealthy"].seen is False and found["etcd-space-alarm"].seen is False


@pytest.mark.parametrize(
    ("message", "word"),
    [
        ("[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed (_ssl.c:1006)", "ConnectError TLS"),
        ("[Errno -2] Name or service not known", "ConnectError DNS"),
        ("[Errno 111] Connection refused", "ConnectError"),
        ("ConnectError TLS", "ConnectError TLS"),
    ],
)
def test_an_error_is_named_the_same_live_and_in_a_replay(message: str, word: str) -> None:
    assert named(httpx.ConnectError(message)) == word


def test_trouble_with_our_own_tls_or_names_does_not_make_a_member_ill() -> None:
    for error in ("ConnectError TLS", "ConnectError DNS"):
        answers = [Answer("etcd/etcd1", "GET", "/health", "", "", 0, "", error=error)]
        found = health(ReplayTransports(answers), etcd_decl(zones=("za",), members=("etcd1",)))
        assert found["etcd-member-unhealthy"].seen is None and found["etcd-quorum-lost"].seen is None


# --- authentication ------------------------------------------------------------------------------------------------


class Guarded(BaseHTTPRequestHandler):
    """A gateway with authentication: 400 without a name, 401 to a bad token; 3.4 says why in `error`, 3.6 does not."""

    token, password, seen, old = "abc.1", "pw", list[str](), True

    def do_GET(self) -> None:
        self._reply(200, '{"health":"true"}' if self.path == "/health" else "ok")

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        given = self.headers.get("Authorization", "")
        Guarded.seen.append(f"{self.path} {given}")
        if self.path == "/v3/auth/authenticate":
            if body != {"name": "bob", "password": self.password}:
                return self._refuse(400, "etcdserver: authentication failed, invalid user ID or password")
            return self._reply(200, json.dumps({"token": self.token}))
        if not given:
            return self._refuse(400, "etcdserver: user name is empty")
        if given != self.token:
            return self._refuse(401, "etcdserver: invalid auth token")
        return self._reply(200, LED if self.path == STATUS else "{}")

    def _refuse(self, status: int, why: str) -> None:
        self._reply(status, json.dumps({"code": 3, "message": why} | ({"error": why} if self.old else {})))

    def _reply(self, status: int, text: str) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text.encode())

    def log_message(self, *_: object) -> None:
        """Quiet."""


@pytest.fixture
def guarded(tmp_path: Path) -> Iterator[EtcdDecl]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Guarded)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    Guarded.seen, Guarded.password = [], "pw"
    (tmp_path / "password").write_text("pw\n")
    member = EtcdMemberDecl(name="etcd1", endpoint=f"http://127.0.0.1:{server.server_port}")
    yield EtcdDecl(name="etcd", user="bob", password_file=str(tmp_path / "password"), member=[member], timeout_s=2)
    server.shutdown()
    server.server_close()


def ask(etcd: EtcdDecl) -> tuple[MemberHealth, tuple[Answer, ...]]:
    transports = LiveTransports(Connections(etcd=[etcd]))
    return ask_members(etcd, transports)[0], transports.answers()


@pytest.mark.parametrize("old", [True, False], ids=["3.4", "3.6"])
def test_a_token_is_fetched_when_demanded_and_neither_it_nor_the_password_is_recorded(
    guarded: EtcdDecl, old: bool
) -> None:
    Guarded.old = old
    member, answers = ask(guarded)
    assert member.state == "healthy" and member.leader == "7"
    assert sum("authenticate" in seen for seen in Guarded.seen) == 1
    kept = msgspec.json.encode(answers).decode()
    assert "authenticate" not in kept and "abc.1" not in kept and '"pw"' not in kept


def test_a_wrong_password_is_reported_and_makes_no_member_unhealthy(guarded: EtcdDecl) -> None:
    Guarded.password = "other"
    member, _ = ask(guarded)
    assert member.state == "healthy" and "authentication failed" in member.detail


def test_the_user_is_not_part_of_a_bundle(guarded: EtcdDecl) -> None:
    kept = without_secrets(Connections(etcd=[guarded])).etcd[0]
    assert kept.user == "" and kept.password_file == ""
