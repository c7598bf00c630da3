"""Programs that ask etcd: only what the table holds, bounded in time and output, without secrets in sight, audited."""

import json
import os
import time
from datetime import timedelta
from pathlib import Path

import msgspec
import pytest
from django.utils import timezone

from domain.connections import Connections, EtcdDecl, EtcdMemberDecl
from domain.errors import NotRecorded, Refused
from domain.findings import Finding
from evidence.check import Ask, run
from evidence.checks import all_checks
from evidence.checks.etcd_endpoint_health import seconds
from evidence.executors import all_executors, ansible, process
from evidence.executors.executor import ACTIONS, Permit, RunRecord, endpoints_of, trusted_file
from evidence.executors.runs import Runs
from evidence.recording import Answer, LiveTransports, ReplayTransports, RunAnswer
from incidents.audit import admit_run
from incidents.models import AuditEntry
from investigate import permits as ingest_runs
from tests.evidence.made_series import MEMBER, scope

# As etcdctl 3.4.23 printed it on three real members.
WELL = ["11.157638ms", "11.06466ms", "11.794045ms"]
SLOW = ["348.16859ms", "710.893829ms", "717.062244ms"]
DEAD = '{"endpoint":"http://127.0.0.1:19022","health":false,"took":"5.000771176s","error":"context deadline exceeded"}'
NAMELESS = (
    '{"endpoint":"http://127.0.0.1:19022","health":false,"took":"1.48697ms","error":"etcdserver: user name is empty"}'
)


def rows(took: list[str], last: str = "") -> str:
    good = [{"endpoint": f"http://127.0.0.1:{19021 + i}", "health": True, "took": t} for i, t in enumerate(took)]
    parts = [json.dumps(row) for row in good[: 3 - bool(last)]]
    if last:
        parts[1:] = [last, json.dumps(good[2])]
    return "[" + ",".join(parts) + "]"


def declared(**more: object) -> EtcdDecl:
    member = [EtcdMemberDecl(name=f"etcd{i}", endpoint=f"http://127.0.0.1:{19020 + i}") for i in (1, 2, 3)]
    plain = EtcdDecl(name="etcd", cluster="prod-a", executor="etcdctl", member=member)
    return msgspec.structs.replace(plain, **more)


def program(folder: Path, body: str, name: str = "etcdctl") -> str:
    """An etcdctl of our own."""
    path = folder / name
    path.write_text(f"#!/bin/sh\n{body}\n")
    path.chmod(0o755)
    return str(path)


def permitted(audited: list[RunRecord], admit: bool = True) -> Permit:
    return Permit("i", lambda cluster, rest_s: admit, audited.append)


def live(etcd: EtcdDecl, audited: list[RunRecord] | None = None, admit: bool = True) -> LiveTransports:
    return LiveTransports(Connections(etcd=[etcd]), runs=Runs(permitted(audited if audited is not None else [], admit)))


def found(etcd: EtcdDecl, transports: LiveTransports | ReplayTransports) -> dict[str, Finding]:
    check = next(c for c in all_checks() if c.slug == "etcd-endpoint-health")
    return {f.measure: f for f in run(check, Ask(scope([etcd], [MEMBER]), transports))}


def replayed(stdout: str, rc: int | None = 0, error: str = "") -> dict[str, Finding]:
    content = msgspec.json.encode(RunAnswer(rc, stdout, error)).decode()
    status = 0 if rc is None else 200
    return found(
        declared(), ReplayTransports([Answer("etcd", "RUN", "endpoint-health", "", "", status, content, error=error)])
    )


# --- the table -----------------------------------------------------------------------------------------------------


def test_the_table_holds_these_actions_and_none_of_them_writes() -> None:
    assert list(ACTIONS) == [
        "endpoint-health",
        "endpoint-status",
        "endpoint-hashkv",
        "member-list",
        "alarm-list",
        "version",
    ]
    words = {word for action in ACTIONS.values() for word in action.arguments}
    writing = {"put", "del", "txn", "compaction", "defrag", "disarm", "move-leader", "snapshot", "add", "remove",
               "update", "promote", "auth", "user", "role", "lease", "make-mirror", "migrate", "--cluster"}  # fmt: skip
    assert not words & writing


def test_the_executors_are_these() -> None:
    assert list(all_executors()) == ["ansible", "etcdctl"]


@pytest.mark.parametrize(
    "endpoint",
    ["127.0.0.1:2379", "http://127.0.0.1", "http://a:1/path", "http://u:p@a:1", "http://a:1,http://b:2",
     "unix:///run/etcd", "http://a:1 --write-out=x"],
)  # fmt: skip
def test_an_endpoint_that_is_more_than_scheme_host_and_port_is_refused(endpoint: str) -> None:
    with pytest.raises(Refused, match="endpoint of bad"):
        endpoints_of(EtcdDecl(name="e", member=[EtcdMemberDecl(name="bad", endpoint=endpoint)]))


def test_an_unknown_action_or_executor_runs_nothing() -> None:
    audited: list[RunRecord] = []
    for etcd, action in ((declared(), "defrag"), (declared(executor="http"), "version")):
        with pytest.raises(Refused):
            live(etcd, audited).run(etcd, action)
    assert audited == []


def test_without_an_audit_nothing_runs() -> None:
    with pytest.raises(Refused, match="within an investigation"):
        LiveTransports(Connections()).run(declared(), "version")


@pytest.mark.parametrize("mode", [0o775, 0o757], ids=["group", "others"])
def test_a_program_that_others_may_change_is_not_started(tmp_path: Path, mode: int) -> None:
    path = program(tmp_path, "true")
    os.chmod(path, mode)
    with pytest.raises(Refused, match="chmod go-w"):
        trusted_file(path, "etcdctl_path", program=True)


# --- one run -------------------------------------------------------------------------------------------------------


def test_the_arguments_the_environment_and_no_password_in_either_argument_or_audit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:  # fmt: skip
    monkeypatch.setenv("SECRET_OF_THE_SERVICE", "x")
    (tmp_path / "password").write_text("pa:ss\n")
    path = program(tmp_path, f'echo "$@" > {tmp_path}/argv; env > {tmp_path}/env; echo "[]"')
    etcd = declared(etcdctl_path=path, user="bob", password_file=str(tmp_path / "password"), ca_file="/ca.crt",
                    client_cert_file="/c.crt", client_key_file="/c.key")  # fmt: skip
    audited: list[RunRecord] = []
    live(etcd, audited).run(etcd, "endpoint-health")
    assert (tmp_path / "argv").read_text().split() == [
        "--endpoints=http://127.0.0.1:19021,http://127.0.0.1:19022,http://127.0.0.1:19023",
        "--dial-timeout=3s", "--command-timeout=5s", "--cacert=/ca.crt", "--cert=/c.crt", "--key=/c.key",
        "endpoint", "health", "-w", "json",
    ]  # fmt: skip
    env = dict(line.split("=", 1) for line in (tmp_path / "env").read_text().splitlines())
    assert env["ETCDCTL_USER"] == "bob" and env["ETCDCTL_PASSWORD"] == "pa:ss" and env["ETCDCTL_API"] == "3"
    assert set(env) <= {
        "ETCDCTL_API",
        "ETCDCTL_USER",
        "ETCDCTL_PASSWORD",
        "PATH",
        "LANG",
        "HOME",
        "PWD",
        "SHLVL",
        "_",
        "OLDPWD",
    }
    (record,) = audited
    assert record.cluster == "etcd" and record.ran.rc == 0 and "pa:ss" not in str(record)


def gone(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return True


def test_a_run_that_takes_too_long_is_killed_with_all_its_children(tmp_path: Path) -> None:
    body = f"sleep 60 & echo $! > {tmp_path}/child; setsid sleep 60 & echo $! > {tmp_path}/own; wait"
    started = time.monotonic()
    ran = process.run([program(tmp_path, body)], {}, str(tmp_path), limit_s=1.0)
    assert ran.rc is None and "time limit" in ran.error and time.monotonic() - started < 5
    pids = [int((tmp_path / name).read_text()) for name in ("child", "own")]
    deadline = time.monotonic() + 3
    while time.monotonic() < deadline and not all(map(gone, pids)):
        time.sleep(0.05)
    assert all(map(gone, pids))


def test_a_program_that_closes_its_output_and_stays_is_killed_as_well(tmp_path: Path) -> None:
    ran = process.run([program(tmp_path, "exec >&- 2>&-; sleep 60")], {}, str(tmp_path), limit_s=0.5)
    assert ran.rc is None and "time limit" in ran.error


def test_a_run_with_too_much_output_is_cut_and_killed(tmp_path: Path) -> None:
    ran = process.run([program(tmp_path, "yes 0123456789")], {}, str(tmp_path), limit_s=10)
    assert ran.rc is None and len(ran.stdout) == process.STDOUT_LIMIT and "more than" in ran.error


def test_a_flood_of_warnings_does_not_stop_the_answer(tmp_path: Path) -> None:
    ran = process.run([program(tmp_path, "yes warning | head -c 300000 >&2; echo '[]'; exit 1")], {}, str(tmp_path))
    assert ran.rc == 1 and ran.stdout == "[]\n" and ran.error == "warning"


def test_a_program_that_is_not_there_is_reported_with_the_remedy(tmp_path: Path) -> None:
    results = found(declared(etcdctl_path=str(tmp_path / "none")), live(declared()))["etcd-endpoint-unhealthy"]
    assert results.seen is None and "etcdctl_path" in str(results.why_unknown)


# --- what the check reads --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("stdout", "rc", "unhealthy", "slow"),
    [
        (rows(WELL), 0, False, False),
        (rows(SLOW), 0, False, True),
        (rows(WELL, DEAD), 1, True, False),
        ("[" + ",".join(DEAD.replace("19022", str(p)) for p in (19021, 19022, 19023)) + "]", 1, True, None),
        (rows(WELL, NAMELESS), 1, None, False),
        (rows(WELL)[:-1].rsplit(",{", 1)[0] + "]", 0, None, False),
        ("", 1, None, None),
        ("Error: broken", 1, None, None),
    ],
    ids=["healthy", "slow is not unhealthy", "one dead, exit code 1", "no quorum", "no credentials", "one left out",
         "nothing said", "no JSON"],
)  # fmt: skip
def test_exit_codes_and_answers_are_read_for_what_they_are(
    stdout: str, rc: int, unhealthy: bool | None, slow: bool | None
) -> None:
    results = replayed(stdout, rc, "Error: unhealthy cluster" if rc else "")
    assert (results["etcd-endpoint-unhealthy"].seen, results["etcd-endpoint-slow"].seen) == (unhealthy, slow)


def test_a_killed_run_is_unknown_with_the_reason() -> None:
    results = replayed("", None, "it was killed at its time limit")["etcd-endpoint-unhealthy"]
    assert results.seen is None and "time limit" in str(results.why_unknown)


def test_slow_is_measured_against_the_election_timeout() -> None:
    content = msgspec.json.encode(RunAnswer(0, rows(SLOW), "")).decode()
    kept = ReplayTransports([Answer("etcd", "RUN", "endpoint-health", "", "", 200, content)])
    assert found(declared(election_timeout_ms=10_000), kept)["etcd-endpoint-slow"].seen is False


@pytest.mark.parametrize(
    ("took", "expected"),
    [("17.1ms", 0.0171), ("5.000771176s", 5.000771176), ("921.494µs", 0.000921494), ("1m2.5s", 62.5), ("", None),
     ("fast", None), ("1.2.3s", None)],
)  # fmt: skip
def test_durations_of_go_are_read(took: str, expected: float | None) -> None:
    assert seconds(took) == (pytest.approx(expected) if expected is not None else None)


def test_without_an_executor_the_check_does_not_apply() -> None:
    check = next(c for c in all_checks() if c.slug == "etcd-endpoint-health")
    assert not check.applies(scope([declared(executor="http")], [MEMBER]))
    assert check.applies(scope([declared()], [MEMBER]))


# --- once, recorded, audited, resting ----------------------------------------------------------------------------------


def test_a_run_is_recorded_and_replayed_to_the_same_findings(tmp_path: Path) -> None:
    etcd = declared(etcdctl_path=program(tmp_path, f"echo '{rows(WELL, DEAD)}'; echo 'Error: unhealthy' >&2; exit 1"))
    audited: list[RunRecord] = []
    transports = live(etcd, audited)
    first, again = found(etcd, transports), found(etcd, transports)
    assert first["etcd-endpoint-unhealthy"].subject == "etcd2" and first == again and len(audited) == 1
    assert found(etcd, ReplayTransports(transports.answers())) == first
    with pytest.raises(NotRecorded):
        ReplayTransports(()).run(etcd, "endpoint-health")


def test_a_cluster_that_rests_is_not_asked(tmp_path: Path) -> None:
    etcd, audited = declared(etcdctl_path=program(tmp_path, "echo '[]'")), list[RunRecord]()
    results = found(etcd, live(etcd, audited, admit=False))["etcd-endpoint-unhealthy"]
    assert results.seen is None and "rests" in str(results.why_unknown) and audited == []


@pytest.mark.django_db(transaction=True)
def test_an_investigations_run_is_claimed_before_and_audited_after(tmp_path: Path) -> None:
    etcd = declared(etcdctl_path=program(tmp_path, f"echo '{rows(WELL)}'"))
    results = found(etcd, LiveTransports(Connections(), runs=Runs(ingest_runs.permit("incident-1"))))
    assert results["etcd-endpoint-unhealthy"].seen is False
    claim, entry = AuditEntry.objects.order_by("pk")
    assert (claim.action, claim.object) == ("run admitted", "etcd")
    assert (entry.action, entry.object, entry.by) == ("run etcdctl endpoint-health", "etcd", "investigation")
    assert entry.detail["incident"] == "incident-1" and entry.detail["rc"] == "0"
    assert entry.detail["digest"].startswith("sha256:") and "--endpoints=" in entry.detail["argv"]
    second = found(etcd, LiveTransports(Connections(), runs=Runs(ingest_runs.permit("incident-2"))))
    assert second["etcd-endpoint-unhealthy"].seen is None and AuditEntry.objects.count() == 2


@pytest.mark.django_db
def test_a_cluster_may_be_asked_again_after_its_rest_and_others_at_once() -> None:
    assert admit_run("a", 60, "x") and not admit_run("a", 60, "x") and admit_run("b", 60, "x")
    AuditEntry.objects.update(at=timezone.now() - timedelta(seconds=61))
    assert admit_run("a", 60, "x")


# --- ansible -------------------------------------------------------------------------------------------------------


def test_the_shipped_playbook_reads_and_changes_nothing() -> None:
    text = ansible.PLAYBOOK.read_text()
    for line in ("gather_facts: false", "become: false", "changed_when: false", "ansible.builtin.command:"):
        assert line in text
    assert "shell" not in text


def test_the_view_of_the_host_that_sees_most_is_taken(tmp_path: Path) -> None:
    events = tmp_path / "artifacts" / "run" / "job_events"
    events.mkdir(parents=True)
    for number, (host, stdout, rc) in enumerate([("cut-off", rows(WELL, DEAD), 1), ("sees-all", rows(WELL), 0)]):
        data = {"host": host, "res": {"stdout": stdout.replace(": ", ":"), "rc": rc}}
        (events / f"{number}-x.json").write_text(json.dumps({"event": "runner_on_ok", "event_data": data}))
    (events / "9-x.json").write_text("{broken")
    ran = process.run([program(tmp_path, "true")], {}, str(tmp_path))
    assert ansible._chosen(ran, ansible._results(events)).rc == 0
    nobody = ansible._chosen(ran, {"h1": {"msg": "unreachable"}})
    assert nobody.stdout == "" and "h1: unreachable" in nobody.error


def test_ansible_without_its_inventory_or_extra_is_reported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    etcd = declared(executor="ansible", inventory_file="/nowhere/hosts")
    assert "inventory_file" in str(found(etcd, live(etcd))["etcd-endpoint-unhealthy"].why_unknown)
    (tmp_path / "hosts").write_text("localhost\n")
    (tmp_path / "hosts").chmod(0o644)
    there = declared(executor="ansible", inventory_file=str(tmp_path / "hosts"))
    monkeypatch.setattr(ansible, "INSTALLED", False)
    assert "incident-graph[ansible]" in str(found(there, live(there))["etcd-endpoint-unhealthy"].why_unknown)
