"""Whatever a witness answers, a check says seen, not seen, or unknown with the reason; never zero."""

import gzip
import json
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import msgspec
import pytest

from domain.alerts import AlertState, ParsedAlert, Severity
from domain.connections import BlackboxDecl, Connections, EtcdDecl, EtcdMemberDecl, KubernetesDecl, PrometheusDecl
from domain.entities import EntityKind, EntityRef
from domain.errors import Malformed
from domain.scope import Scope
from evidence.bundles import Bundle, pack_answers, unpack_answers
from evidence.checks import all_checks
from evidence.clients.prometheus import escape
from evidence.collect import collect
from evidence.recording import LiveTransports, ReplayTransports

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


class Witness(BaseHTTPRequestHandler):
    """Answers every request with what the test set."""

    status, body = 200, b"{}"

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.send_response(type(self).status)
        self.send_header("Content-Length", str(len(type(self).body)))
        self.end_headers()
        self.wfile.write(type(self).body)

    do_GET = do_POST

    def log_message(self, *_: object) -> None:
        """Quiet."""


@pytest.fixture
def address() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Witness)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def scope(address: str) -> Scope:
    alert = ParsedAlert("a", "", AlertState.FIRING, "etcdNoLeader", "etcd has no leader", Severity.CRITICAL, NOON)
    member = EtcdMemberDecl(name="etcd1", endpoint=address, instance="i1", zone="z1")
    declared = Connections(
        prometheus=[PrometheusDecl(name="main", url=address, timeout_s=2)],
        etcd=[EtcdDecl(name="etcd", prometheus="main", member=[member], timeout_s=2)],
    )
    pod = EntityRef(EntityKind.POD, "web-0", "", "shop")
    return Scope("i", NOON, NOON, (alert,), (EntityRef(EntityKind.ETCD_MEMBER, "etcd1"), pod), declared)


EMPTY = {"status": "success", "data": {"resultType": "matrix", "result": []}}


def nan() -> bytes:
    line = {"metric": {"__name__": "etcd_server_leader_changes_seen_total", "instance": "i1"}, "values": [[1, "NaN"]]}
    return json.dumps({"status": "success", "data": {"resultType": "matrix", "result": [line]}}).encode()


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (200, json.dumps(EMPTY).encode()),
        (200, b"<html>proxy</html>"),
        (200, b"\xff\xfe"),
        (200, b'{"status":"success","data":{"resultType":"matrix","result":"many"}}'),
        (200, nan()),
        (400, b'{"status":"error","errorType":"bad_data","error":"parse error"}'),
        (422, b'{"status":"error","errorType":"execution","error":"too many samples"}'),
        (500, b"oops"),
        (503, b'{"status":"error","error":"query queue full"}'),
    ],
)
def test_a_broken_answer_makes_every_prometheus_measure_unknown_with_a_reason(
    address: str, status: int, body: bytes
) -> None:
    Witness.status, Witness.body = status, body
    found = list(collect(scope(address), LiveTransports(scope(address).connections)).findings)
    asked = [f for f in found if f.connection == "main" and f.measure != "scrape-gap"]
    assert len(asked) > 15
    assert not [f.measure for f in asked if f.seen]
    for finding in asked:
        assert finding.seen is False or (finding.why_unknown and finding.why_unknown.in_language("zh")), finding.measure


def test_a_witness_that_cannot_be_reached_is_unknown_and_not_healthy() -> None:
    there = scope("http://127.0.0.1:1")
    found = {f.measure: f for f in collect(there, LiveTransports(there.connections)).findings}
    assert found["etcd-leader-switch"].seen is None and found["etcd-leader-switch"].why_unknown
    assert found["etcd-member-unhealthy"].seen is True and found["etcd-quorum-lost"].seen is True


def test_a_replay_without_answers_is_unknown_everywhere_and_asks_no_network(address: str) -> None:
    found = collect(scope(address), ReplayTransports(())).findings
    asked = [f for f in found if f.connection]
    assert asked and all(f.seen is None and "not recorded" in str(f.why_unknown) for f in asked)


def test_a_live_look_can_be_replayed_to_the_same_findings(address: str) -> None:
    Witness.status, Witness.body = 200, json.dumps(EMPTY).encode()
    live = collect(scope(address), LiveTransports(scope(address).connections))
    again = collect(scope(address), ReplayTransports(unpack_answers(pack_answers(live.answers))))
    assert again.findings == live.findings and again.answers == live.answers


def test_each_measure_belongs_to_one_check_and_asks_a_question_in_both_languages() -> None:
    measures = [m for check in all_checks() for m in check.measures]
    assert len({m.slug for m in measures}) == len(measures) > 45
    assert all(m.question.en and m.question.in_language("zh") for m in measures)


def test_the_checks_are_these() -> None:
    assert [check.slug for check in all_checks()] == [
        "alignment", "api-server", "blackbox-phases", "certificate-dates", "connection-pool", "container-load", "dependencies", "endpoints",
        "etcd-disk", "etcd-endpoint-health", "etcd-health", "etcd-leader", "etcd-load", "etcd-peer-rtt", "etcd-peers", "etcd-space",
        "fault-time", "go-gc", "go-runtime", "kubelet-events", "kubelet-probes", "live-probe", "node-network", "node-state", "peer-zones", "peers",
        "pod-state", "pod-status", "probe-spec", "request-routes", "rollout", "surroundings", "witnesses",
    ]  # fmt: skip


def test_a_hanging_server_costs_its_time_limit_once(address: str) -> None:
    class Hanging(Witness):
        asked = 0

        def do_POST(self) -> None:
            Hanging.asked += 1
            time.sleep(4)

    server = ThreadingHTTPServer(("127.0.0.1", 0), Hanging)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    there = scope(f"http://127.0.0.1:{server.server_port}")
    live = LiveTransports(there.connections)
    began = time.monotonic()
    one, two = (collect(there, live).findings for _ in range(2))
    took = time.monotonic() - began
    server.shutdown()
    server.server_close()
    # Eight ask at once, and each waits for its limit of 2 s side by side; whoever comes later is told at once.
    assert took < 7 and Hanging.asked <= 12
    assert one == two and all(f.seen is not True for f in one if f.connection == "main")
    assert {f.measure: f for f in collect(there, ReplayTransports(live.answers())).findings} == {
        f.measure: f for f in one
    }


def test_an_investigation_asks_at_most_fifty_questions(address: str) -> None:
    Witness.status, Witness.body = 200, json.dumps(EMPTY).encode()
    about = scope(address)
    declared = msgspec.structs.replace(
        about.connections, kubernetes=[KubernetesDecl(name="prod-a", url=address)],
        blackbox=[BlackboxDecl(name="probes", prometheus="main", url=address)],
        etcd=[msgspec.structs.replace(about.connections.etcd[0], member=[
            EtcdMemberDecl(name=f"etcd{i}", endpoint=f"{address}/{i}", instance=f"i{i}") for i in (1, 2, 3)])],
    )  # fmt: skip
    live = LiveTransports(declared)
    collect(replace(about, connections=declared), live)
    assert 15 < len(live.answers()) <= 50, sorted((a.connection, a.path) for a in live.answers())


def test_each_check_declares_what_it_needs_costs_and_looks_back_on() -> None:
    for check in all_checks():
        assert check.needs and check.cost >= 1 and check.before >= timedelta(minutes=30), check.slug
        assert all(
            m.if_seen.in_language("zh") and m.if_not.in_language("zh") and m.if_unknown.in_language("zh")
            for m in check.measures
        )


def test_a_label_value_cannot_break_out_of_its_quotes() -> None:
    assert escape('a"} or vector(1) #\\\n') == 'a\\"} or vector(1) #\\\\\\n'


@pytest.mark.parametrize("broken", ["bundle.json", "deliveries/0001.json", "answers/0001.json.gz"])
def test_a_damaged_bundle_names_the_damaged_file(tmp_path: Path, broken: str) -> None:
    Bundle.load(Path("bundles/etcd-switch-slow-disk")).save(tmp_path / "b")
    (tmp_path / "b" / broken).write_bytes(gzip.compress(b"{") if broken.endswith("gz") else b"{")
    with pytest.raises(Malformed, match=broken):
        Bundle.load(tmp_path / "b")


def test_a_bundle_as_folder_and_as_zip_is_the_same_and_its_zip_always_the_same_bytes(tmp_path: Path) -> None:
    bundle = Bundle.load(Path("bundles/etcd-switch-slow-disk"))
    bundle.save(tmp_path / "b.zip")
    again = Bundle.load(tmp_path / "b.zip")
    assert again == bundle and again.zipped() == bundle.zipped()


def test_no_secret_of_a_connection_enters_a_bundle(tmp_path: Path) -> None:
    bundle = Bundle.load(Path("bundles/etcd-switch-slow-disk"))
    secret = PrometheusDecl(
        name="main", url="http://127.0.0.1:1", bearer_file="/etc/token", headers={"X-Key": "s3cret"}, basic_user="bob"
    )
    changed = Bundle(bundle.title, bundle.as_of, Connections(prometheus=[secret]), None, (), (), ())
    changed.save(tmp_path / "b")
    text = (tmp_path / "b" / "bundle.json").read_text()
    assert not any(word in text for word in ("s3cret", "bob", "/etc/token"))
