"""The connections file is refused whole, with line, key and remedy, before anything changes."""

from pathlib import Path

import pytest

from connections.file import decode, read
from domain.errors import Malformed
from ingest.sources import all_sources

WHOLE = """\
[[source]]
kind = "alertmanager"
name = "prod"
token_file = "prod.token"
api_url = "http://127.0.0.1:9093"

[[prometheus]]
name = "main"
url = "http://127.0.0.1:9090/base"
clusters = ["prod-a"]
headers = { "X-Scope-OrgID" = "team" }

[[etcd]]
name = "etcd-prod"
cluster = "prod-a"
prometheus = "main"
selector = { job = "etcd" }
election_timeout_ms = 1000
[[etcd.member]]
name = "etcd1"
endpoint = "http://127.0.0.1:2379"
zone = "zone-a"
host = ["db-1", "db-1.example"]
[[etcd.member]]
name = "etcd2"
endpoint = "https://127.0.0.1:2380"

[[blackbox]]
name = "probes"
prometheus = "main"

[[target]]
name = "cart"
url = "grpc://10.0.0.7:9000/cart"
workload = "cart"

[[kubernetes]]
name = "prod-a"
in_cluster = true
timeout_s = 5

[[ticket]]
kind = "jira"
name = "ops"
url = "http://127.0.0.1:8081"
mode = "dry-run"
"""


def refusal(text: str, tmp_path: Path) -> str:
    with pytest.raises(Malformed) as caught:
        decode(text, tmp_path, all_sources(), name="c.toml")
    return str(caught.value)


def test_a_whole_file_becomes_connections_with_absolute_paths(tmp_path: Path) -> None:
    (tmp_path / "prod.token").write_text("secret")
    (tmp_path / "c.toml").write_text(WHOLE)
    found = read(tmp_path / "c.toml", all_sources())
    assert found.source[0].token_file == str(tmp_path / "prod.token")
    assert [m.hosts for m in found.etcd[0].member] == [("db-1", "db-1.example"), ()]
    assert found.prometheus[0].headers == {"X-Scope-OrgID": "team"}


@pytest.mark.parametrize(
    ("old", "new", "key", "remedy"),
    [
        ('cluster = "prod-a"\n', 'clutser = "prod-a"\n', "etcd.clutser", "unknown key; remove it or"),
        ('zone = "zone-a"', "zone = 3", "etcd.member.zone", "expected `str`, got `int`"),
        ('prometheus = "main"\nselector', 'prometheus = "mian"\nselector', "etcd.prometheus", "declared: main"),
        ('name = "etcd2"', 'name = "etcd1"', "etcd.member.name", "there twice"),
        ('kind = "alertmanager"', 'kind = "nagios"', "source.kind", "use one of alertmanager"),
        ("https://127.0.0.1:2380", "ftp://127.0.0.1", "etcd.member.endpoint", "write e.g. http"),
        ("http://127.0.0.1:8081", "http://me:pw@127.0.0.1", "ticket.url", "basic_password_file"),
        ("election_timeout_ms = 1000", "election_timeout_ms = 0", "etcd.election_timeout_ms", "above 0"),
        ("election_timeout_ms = 1000", 'executor = "ssh"', "etcd.executor", "use one of http, ansible, etcdctl"),
        ("election_timeout_ms = 1000", 'executor = "ansible"', "etcd.executor", "inventory_file"),
        ("election_timeout_ms = 1000", 'etcdctl_path = "bin/etcdctl"', "etcd.etcdctl_path", "from the root"),
        ("election_timeout_ms = 1000", 'user = "root"', "etcd.user", "password_file or password_env"),
        ("dry-run", "all", "ticket.mode", "update-only"),
        ("grpc://10.0.0.7:9000/cart", "tcp://10.0.0.7", "target.url", "http, https, tcp, tls, grpc"),
        ("grpc://10.0.0.7:9000/cart", "file:///etc/passwd", "target.url", "write e.g. http"),
        (
            'name = "cart"\nurl = "grpc://10.0.0.7:9000/cart"\nworkload = "cart"',
            'name = "cart"\nurl = "grpc://10.0.0.7:9000/cart"',
            "target.name",
            "stands for nothing",
        ),
        ("timeout_s = 5", 'url = "https://k:6443"', "kubernetes.url", "keep one of them"),
        ("timeout_s = 5", 'basic_user = "a"', "kubernetes.basic_user", "belongs to `url`"),
        ("prod.token", "none.token", "source.token_file", "create it or correct the path"),
    ],
)
def test_each_fault_names_its_line_its_key_and_a_remedy(
    old: str, new: str, key: str, remedy: str, tmp_path: Path
) -> None:
    (tmp_path / "prod.token").write_text("secret")
    line = 1 + WHOLE[: WHOLE.index(old)].count("\n")
    message = refusal(WHOLE.replace(old, new, 1), tmp_path)
    assert f"line {line}: {key}: " in message
    assert remedy in message


TARGETS = """
[[ticket]]
kind = "jira"
name = "ops"
url = "http://127.0.0.1:8081"
mode = "create-and-update"
basic_user = "me@example.com"
basic_password_env = "JIRA"
min_severity = "high"
[ticket.transitions]
resolved = "Done"
[ticket.fields]
cause = "customfield_1"
[ticket.set]
anything = { value = "high" }

[[chat]]
kind = "webhook"
name = "own"
url = "http://127.0.0.1:8082"
storm_minutes = 5.0
"""


def test_a_notification_target_is_declared_with_all_that_it_needs(tmp_path: Path) -> None:
    found = decode(TARGETS, tmp_path, all_sources())
    assert found.ticket[0].set == {"anything": {"value": "high"}} and found.ticket[0].transitions == {
        "resolved": "Done"
    }
    assert found.chat[0].mode == "send" and found.ticket[0].poll_s == 300


@pytest.mark.parametrize(
    ("old", "new", "key", "remedy"),
    [
        ('"jira"', '"jirra"', "ticket.kind", "use one of jira"),
        ('"webhook"', '"jira"', "chat.kind", "use one of dingtalk"),
        ('"ops"', '"our ops"', "ticket.name", "letters, digits"),
        ('"create-and-update"', '"send"', "ticket.mode", "create-and-update"),
        ('"high"\n[ticket.tr', '"hi"\n[ticket.tr', "ticket.min_severity", "critical"),
        ("resolved = ", "done = ", "ticket.transitions.done", "use one of acknowledged"),
        ("cause = ", "reason = ", "ticket.fields.reason", "use one of cause, probability"),
        ('basic_password_env = "JIRA"\n', "", "ticket.basic_user", "add basic_password_file or basic_password_env"),
        ("storm_minutes = 5.0", "storm_minutes = 0.0", "chat.storm_minutes", "above 0"),
        ("storm_minutes = 5.0", 'oauth_token_url = "http://a/b"', "chat.oauth_token_url", "needs oauth_client_id"),
        ('basic_user = "me@example.com"', 'oauth_scope = "a"\npoll_s = -1', "ticket.poll_s", "0 turns it off"),
    ],
)
def test_each_fault_of_a_notification_target_names_its_key_and_a_remedy(
    old: str, new: str, key: str, remedy: str, tmp_path: Path
) -> None:
    assert old in TARGETS
    message = refusal(TARGETS.replace(old, new, 1), tmp_path)
    assert f": {key}: " in message and remedy in message


def test_writing_back_to_a_source_needs_its_address_and_its_token(tmp_path: Path) -> None:
    message = refusal('[[source]]\nkind = "zabbix"\nname = "main"\nwrite_back = true\n', tmp_path)
    assert "add api_url" in message and "add api_token_file or api_token_env" in message


PROMETHEUS = '[[prometheus]]\nname = "main"\nurl = "http://127.0.0.1:9090"\n'


def test_a_secret_given_twice_is_refused(tmp_path: Path) -> None:
    (tmp_path / "t").write_text("x")
    message = refusal(TARGETS.replace("min_severity", 'bearer_file = "t"\nbearer_env = "T"\nmin_severity', 1), tmp_path)
    assert "ticket.bearer_file: is there as a file and as a variable" in message
    asked = PROMETHEUS + 'bearer_file = "t"\nbearer_env = "T"\n'
    assert "prometheus.bearer_file: is there as a file and as a variable" in refusal(asked, tmp_path)
    lone = PROMETHEUS + 'basic_user = "bob"\n'
    assert "add basic_password_file or basic_password_env" in refusal(lone, tmp_path)


def test_all_faults_are_reported_at_once(tmp_path: Path) -> None:
    message = refusal(WHOLE.replace("dry-run", "all"), tmp_path)
    assert len(message.splitlines()) == 2


def test_a_missing_name_is_reported_at_its_table(tmp_path: Path) -> None:
    message = refusal('[[prometheus]]\nurl = "http://127.0.0.1"\n', tmp_path)
    assert "line 1: prometheus: " in message
    assert "missing required field `name`" in message


def test_what_is_not_toml_is_reported_with_its_line(tmp_path: Path) -> None:
    assert "line 2" in refusal("[[etcd]]\nname = \n", tmp_path)


def test_a_file_that_is_not_there_is_reported(tmp_path: Path) -> None:
    with pytest.raises(Malformed, match="cannot be read"):
        read(tmp_path / "none.toml", all_sources())
