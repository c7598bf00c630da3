"""`discover` against a small Prometheus over HTTP: what it writes, what it refuses, and how it compares."""

import io
import json
import stat
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from connections.discovery.asking import MOST_SERIES
from connections.file import read
from domain.connections import Connections
from incidents import queries
from ingest.sources import all_sources
from tests.fakes.prometheus import FakePrometheus
from tests.fakes.server import Answer, Call, Fault, error, late, lost_answer

CAPTURED = Path(__file__).parents[1] / "payloads/prometheus/targets-etcd.json"


@pytest.fixture
def server() -> Any:
    """The recorded targets, three of them members of etcd, as a server that answers."""
    listed = json.loads(CAPTURED.read_text())["body"]["data"]
    fake = FakePrometheus(lists={
        "targets": listed, "status/buildinfo": {"version": "2.42.0"}, "status/config": {"yaml": "global:\n  scrape_interval: 5s\n"},
        "alertmanagers": {"activeAlertmanagers": [{"url": "http://127.0.0.1:19093/api/v2/alerts"}]}, "rules": {"groups": []},
    })  # fmt: skip
    for number, target in enumerate(listed["activeTargets"]):
        fake.add("up", **target["labels"])
        if target["labels"]["job"] == "etcd":
            fake.add("etcd_server_has_leader", **target["labels"])
            fake.add("etcd_server_id", **target["labels"], server_id=f"{number:x}")
    with fake:
        yield fake


def run(*words: object, **options: object) -> tuple[str, str]:
    out, errors = io.StringIO(), io.StringIO()
    call_command("discover", *map(str, words), stdout=out, stderr=errors, **options)
    return out.getvalue(), errors.getvalue()


def declared(path: Path) -> Connections:
    return read(path, all_sources())


def hold(server: FakePrometheus, path: Path, *words: str) -> tuple[list[dict[str, str]], bool]:
    """The findings, and whether the exit code is 1."""
    out = io.StringIO()
    try:
        call_command("discover", server.url, "--check", str(path), "--json", *words, stdout=out, stderr=io.StringIO())
    except CommandError:
        return json.loads(out.getvalue()), True
    return json.loads(out.getvalue()), False


@pytest.mark.django_db
def test_the_written_file_applies(server: FakePrometheus, tmp_path: Path) -> None:
    out = tmp_path / "connections.toml"
    _, errors = run(server.url, "--out", out)
    assert stat.S_IMODE(out.stat().st_mode) == 0o600
    assert "found 1 etcd cluster, 3 members, 0 blackbox jobs" in errors and "asking etcd_server_has_leader" in errors
    applied = io.StringIO()
    call_command("apply", str(out), stdout=applied)
    assert "added   etcd etcd-rig" in applied.getvalue() and "token   alertmanager/alertmanager" in applied.getvalue()
    assert [m.zone for m in queries.connections().etcd[0].member] == ["az-a", "az-b", "az-c"]


def test_without_out_the_file_is_the_output(server: FakePrometheus, tmp_path: Path) -> None:
    text, _ = run(server.url)
    (tmp_path / "x.toml").write_text(text)
    assert len(declared(tmp_path / "x.toml").etcd[0].member) == 3


def test_a_file_that_is_there_stays_unless_it_may_be_overwritten(server: FakePrometheus, tmp_path: Path) -> None:
    out = tmp_path / "connections.toml"
    out.write_text("mine")
    with pytest.raises(CommandError, match="--force"):
        run(server.url, "--out", out)
    assert out.read_text() == "mine" and server.calls == []
    run(server.url, "--out", out, "--force")
    assert declared(out).etcd and stat.S_IMODE(out.stat().st_mode) == 0o600
    assert [path.name for path in tmp_path.iterdir()] == ["connections.toml"]


def test_a_folder_that_is_not_there_is_one_sentence(server: FakePrometheus, tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="cannot be written"):
        run(server.url, "--out", tmp_path / "no" / "x.toml")


def test_a_server_without_lists_still_gives_a_file(server: FakePrometheus) -> None:
    server.lists.clear()
    text, _ = run(server.url)
    assert 'endpoint = "http://127.0.0.1:19021"' in text and "`instance` label alone" in text
    assert "# not known: targets" in text


def test_access_is_sent_and_written(server: FakePrometheus, tmp_path: Path) -> None:
    (tmp_path / "token").write_text("secret-token\n")
    out = tmp_path / "c.toml"
    run(server.url, "--out", out, "--bearer-file", tmp_path / "token", "--header", "X-Scope-OrgID=team")
    assert {call.headers.get("Authorization") for call in server.calls} == {"Bearer secret-token"}
    assert {call.headers.get("X-Scope-Orgid", call.headers.get("X-Scope-OrgID")) for call in server.calls} == {"team"}
    assert "secret-token" not in out.read_text()
    assert (declared(out).prometheus[0].bearer_file, declared(out).prometheus[0].headers) == (
        str(tmp_path / "token"),
        {"X-Scope-OrgID": "team"},
    )


@pytest.mark.parametrize(
    "words",
    [("ftp://x",), ("127.0.0.1:9090",), ("http://u:p@x",), ("http://x?a=b",), ("http://x", "--header", "a"),
     ("http://x", "--header", "Authorization=Bearer x"), ("http://x", "--basic-user", "u"), ("http://x", "--timeout", "0"),
     ("http://x", "--json"), ("http://x", "--check", "f", "--out", "g")],
    ids=str,
)  # fmt: skip
def test_a_wrong_call_ends_with_two(words: tuple[str, ...]) -> None:
    with pytest.raises(CommandError) as caught:
        run(*words)
    assert caught.value.returncode == 2


# --- servers that are not well ----------------------------------------------------------------------------------------


def test_an_empty_server_is_told_as_such(tmp_path: Path) -> None:
    with FakePrometheus() as empty, pytest.raises(CommandError, match=r"nothing was found; .* has no series `up`"):
        run(empty.url, "--out", tmp_path / "x")
    assert list(tmp_path.iterdir()) == []


def test_an_address_where_nobody_listens_is_one_sentence() -> None:
    with pytest.raises(CommandError, match=r"cannot be reached \(ConnectError.*check the address") as caught:
        run("http://127.0.0.1:1")
    assert "\n" not in str(caught.value)


BROKEN = [
    (error(500), "answered /api/v1/query with 500"),
    (error(401), "give a bearer file"),
    (error(403), "give a bearer file"),
    (error(404), "its base path is missing"),
    (error(429), "answered /api/v1/query with 429"),
    (error(302, Location="https://elsewhere.example/login"), "redirects to https://elsewhere.example/login"),
    (lost_answer(), "cannot be reached"),
    (Fault(before=Answer(200, b"<html>Welcome</html>")), "not Prometheus' JSON"),
    (Fault(before=Answer(200, b"")), "not Prometheus' JSON"),
    (Fault(before=Answer(200, b"[" * 100_000)), "not Prometheus' JSON"),
    (Fault(before=Answer(200, b'{"status":"success","data":{"resultType":"vector","result":[{"metric":[],"value":1}]}}')), "not Prometheus' JSON"),
    (Fault(before=Answer(200, b"\xff\xfe")), "not Prometheus' JSON"),
    (Fault(before=Answer(400, {"status": "error", "error": "parse\x1b[31m error"})), r"refused a query: parse\?\[31m error"),
    (Fault(before=Answer(200, b" " * (17 * 1024 * 1024))), "is larger than"),
]  # fmt: skip


@pytest.mark.parametrize(("fault", "words"), BROKEN, ids=[words for _, words in BROKEN])
def test_a_first_answer_that_is_none_ends_with_one_sentence(server: FakePrometheus, fault: Fault, words: str) -> None:
    server.rule(fault)
    with pytest.raises(CommandError, match=words) as caught:
        run(server.url)
    assert "\n" not in str(caught.value)


def test_a_server_that_is_late_is_given_up_after_its_time(server: FakePrometheus) -> None:
    server.rule(late(2.0))
    with pytest.raises(CommandError, match="did not answer /api/v1/query in time"):
        run(server.url, "--timeout", "0.3")


@pytest.mark.parametrize(("fault", "words"), BROKEN, ids=[words for _, words in BROKEN])
def test_a_later_answer_that_is_none_is_a_remark_and_the_rest_is_written(
    server: FakePrometheus, fault: Fault, words: str
) -> None:
    server.rule(fault, lambda call: call.path.endswith("/targets") or b"kube_node_info" in call.body)
    text, _ = run(server.url)
    assert "# not known: targets, as" in text and "# not known: kube_node_info, as" in text
    assert text.count("[[etcd.member]]") == 3


def test_of_too_many_targets_those_of_the_fitting_pools_are_asked(server: FakePrometheus) -> None:
    server.rule(
        Fault(before=Answer(200, b" " * (17 * 1024 * 1024))),
        lambda call: call.path.endswith("/targets") and "scrapePool" not in call.params,
    )
    server.lists["scrape_pools"] = {"scrapePools": ["node", "serviceMonitor/monitoring/etcd/0"]}
    text, _ = run(server.url)
    assert text.count("rests on: scrapeUrl") == 3 and "not known: targets" not in text
    assert {call.params["scrapePool"] for call in server.calls if "scrapePool" in call.params} == {
        "serviceMonitor/monitoring/etcd/0"
    }


def test_after_two_late_answers_nothing_more_is_asked(server: FakePrometheus) -> None:
    server.rule(late(1.0), lambda call: b"query=up" not in call.body and b"28up" not in call.body)
    text, _ = run(server.url, "--timeout", "0.3")
    assert len(server.calls) <= 4 and "was not asked any more" in text


@pytest.mark.parametrize("wrong", [{}, [], "x", None, {"activeTargets": [{"labels": []}]}, {"activeTargets": {}}])
def test_lists_of_other_types_are_remarks(server: FakePrometheus, wrong: Any) -> None:
    server.lists |= dict.fromkeys(("targets", "alertmanagers", "status/config", "status/buildinfo"), wrong)
    text, _ = run(server.url)
    assert text.count("[[etcd.member]]") == 3


def test_ten_thousand_series_are_cut_with_a_remark(server: FakePrometheus) -> None:
    for number in range(10_000):
        server.add("kube_node_info", node=f"n{number}", internal_ip=f"10.{number // 256}.{number % 256}.1")
    text, _ = run(server.url)
    assert f"kube_node_info has more than {MOST_SERIES} series" in text
    assert f"kube-state-metrics: {MOST_SERIES} nodes" in text


def test_a_partial_answer_is_a_remark(server: FakePrometheus) -> None:
    row = {"metric": {"job": "a"}, "value": [1, "1"]}
    body = {"status": "success", "warnings": ["store is down"], "data": {"resultType": "vector", "result": [row]}}
    server.rule(Fault(before=Answer(200, body)), lambda call: b"kubelet_node_name" in call.body)
    assert "is partial (store is down)" in run(server.url)[0]


# --- comparing ----------------------------------------------------------------------------------------------------------


@pytest.fixture
def file(server: FakePrometheus, tmp_path: Path) -> Path:
    run(server.url, "--out", tmp_path / "c.toml")
    return tmp_path / "c.toml"


def test_the_written_file_has_nothing_wrong(server: FakePrometheus, file: Path) -> None:
    found, failed = hold(server, file)
    assert not failed and {"level", "what", "remedy"} == set(found[0])
    assert {one["level"] for one in found} == {"ok", "missing"}
    assert any(one["what"].startswith("check etcd-disk: etcd etcd-rig exports no (etcd_disk_wal") for one in found)
    assert not any(one["what"].startswith("check pod-state") for one in found)


def test_a_member_that_came_and_one_that_went_are_wrong(server: FakePrometheus, file: Path) -> None:
    moved = server.series.index(next(s for s in server.series if s.labels["__name__"] == "etcd_server_has_leader"))
    server.series[moved].labels["instance"] = "10.0.9.9:2379"
    found, failed = hold(server, file)
    wrong = " ".join(one["what"] for one in found if one["level"] == "wrong")
    assert failed and "10.0.9.9:2379 is a member that nobody declared" in wrong


def test_a_table_shows_what_is_wrong_first(server: FakePrometheus, file: Path) -> None:
    file.write_text(file.read_text().replace('selector = { job = "etcd" }', 'selector = { job = "nobody" }'))
    out = io.StringIO()
    with pytest.raises(CommandError, match="1 wrong"):
        call_command("discover", server.url, check=file, stdout=out, stderr=io.StringIO())
    assert out.getvalue().startswith("wrong") and "→ correct its selector" in out.getvalue()


def test_a_label_writes_no_control_characters_to_the_terminal(server: FakePrometheus, file: Path) -> None:
    server.add("etcd_server_has_leader", job="etcd", cluster="rig", instance="x\x1b[31m")
    out = io.StringIO()
    with pytest.raises(CommandError):
        call_command("discover", server.url, check=file, stdout=out, stderr=io.StringIO())
    assert "x?[31m is a member that nobody declared" in out.getvalue() and "\x1b" not in out.getvalue()


def test_pods_are_looked_for_where_there_are_nodes(server: FakePrometheus, file: Path) -> None:
    server.add("kube_node_info", node="n1", job="ksm")
    server.add("kube_node_status_condition", job="ksm")
    what = [one["what"] for one in hold(server, file)[0]]
    assert "check node-state: main exports what it needs" in what
    assert any(text.startswith("check pod-state: main exports no") for text in what)


def test_a_rule_whose_window_is_too_short_is_wrong(server: FakePrometheus, file: Path) -> None:
    server.add("etcd_server_leader_changes_seen_total", job="etcd")
    query = "increase(etcd_server_leader_changes_seen_total[6s]) > 0"
    server.lists["rules"] = {"groups": [{"rules": [{"name": "Switched", "query": query, "type": "alerting"}]}]}
    found, failed = hold(server, file)
    (rule,) = [one for one in found if one["what"].startswith("rule")]
    assert failed and rule["level"] == "wrong" and "1.2 samples of job etcd" in rule["what"]


def test_intervals_are_measured_where_no_target_says_its_own(server: FakePrometheus, file: Path) -> None:
    server.lists.pop("targets")
    server.per_range = 20.0
    server.add("etcd_server_leader_changes_seen_total", job="etcd")
    found, _ = hold(server, file)
    assert any("job etcd of main is scraped every 30 s" in one["what"] for one in found)


def test_a_server_that_is_gone_is_wrong(server: FakePrometheus, file: Path) -> None:
    server.rule(error(500), lambda call: call.method == "POST")
    found, failed = hold(server, file)
    assert failed and [one["level"] for one in found] == ["wrong"] and "with 500" in found[0]["what"]


def test_the_only_server_of_a_file_may_be_asked_at_another_address(server: FakePrometheus, file: Path) -> None:
    file.write_text(file.read_text().replace(server.url, "http://prometheus.example:9090"))
    found, failed = hold(server, file)
    assert not failed and found[0]["level"] == "missing" and "it was asked at" in found[0]["what"]


def test_an_address_that_no_server_of_the_file_has_is_wrong(server: FakePrometheus, tmp_path: Path) -> None:
    (tmp_path / "c.toml").write_text("")
    found, failed = hold(server, tmp_path / "c.toml")
    assert failed and "no [[prometheus]] has the url" in found[0]["what"]


def test_only_reading_calls_are_made(server: FakePrometheus, file: Path) -> None:
    hold(server, file)

    def reads(call: Call) -> bool:
        return call.method == "GET" or (call.method == "POST" and call.path == "/api/v1/query")

    assert len(server.calls) > 20 and all(reads(call) for call in server.calls)
