"""The verbs say what they did, and one sentence when they could not."""

import json
from io import StringIO
from pathlib import Path

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command, find_commands, load_command_class
from django.utils import timezone

from config.replaying import replayed
from connections.declare import declare
from connections.file import decode
from domain.findings import Finding
from evidence.bundles import Bundle
from incidents import queries, sources
from incidents.history import Past, remember_past
from incidents.models import AuditEntry, Connection, Incident, Source
from incidents.tokens import live_token
from ingest.sources import all_sources

pytestmark = pytest.mark.django_db
COMMANDS = settings.BASE_DIR / "config" / "management"
BUNDLE = sorted(p.parent for p in (settings.BASE_DIR / "bundles").glob("etcd*/bundle.json"))[0]
FILE = """
[[source]]
kind = "zabbix"
name = "prod"
[[prometheus]]
name = "main"
url = "http://127.0.0.1:9090"
"""


def run(*words: str, **options: object) -> str:
    out = StringIO()
    call_command(*words, stdout=out, **options)
    return out.getvalue()


def test_a_source_is_made_and_its_token_is_shown_once() -> None:
    made = json.loads(run("source", "add", "alertmanager", "prod", "--json"))
    assert made["url"].endswith("/ingest/alertmanager/prod")
    assert sources.token_fits(Source.objects.get(), made["token"])
    with pytest.raises(CommandError, match="exists"):
        run("source", "add", "alertmanager", "prod")


def test_a_rotated_source_has_two_live_tokens_until_the_old_one_is_ended() -> None:
    old = json.loads(run("source", "add", "alertmanager", "prod", "--json"))["token"]
    new = json.loads(run("source", "rotate", "prod", "--json"))["token"]
    assert all(sources.token_fits(Source.objects.get(), token) for token in (old, new))
    run("source", "rotate", "prod", "--end-old")
    assert not sources.token_fits(Source.objects.get(), old)
    assert sources.token_fits(Source.objects.get(), new)


def test_rotating_an_unknown_source_names_the_known_ones() -> None:
    run("source", "add", "zabbix", "prod")
    with pytest.raises(CommandError, match="known: zabbix/prod"):
        run("source", "rotate", "nobody")


def test_apply_is_idempotent_and_lists_what_it_left(tmp_path: Path) -> None:
    (tmp_path / "c.toml").write_text(FILE)
    first = run("apply", str(tmp_path / "c.toml"))
    assert "added   prometheus main" in first
    assert "token   zabbix/prod" in first
    second = run("apply", str(tmp_path / "c.toml"))
    assert "left    prometheus main" in second
    assert "token" not in second
    (tmp_path / "c.toml").write_text(FILE.replace("9090", "9091"))
    assert "changed prometheus main" in run("apply", str(tmp_path / "c.toml"))
    assert queries.connections().prometheus[0].url.endswith("9091")


def test_a_dry_run_changes_nothing(tmp_path: Path) -> None:
    done = declare(decode(FILE, tmp_path, all_sources()), dry_run=True)
    assert done.added == ("source zabbix/prod", "prometheus main")
    assert not Connection.objects.exists()
    assert not Source.objects.exists()


def test_a_broken_file_changes_nothing(tmp_path: Path) -> None:
    (tmp_path / "c.toml").write_text(FILE + "ulr = 1\n")
    with pytest.raises(CommandError, match=r"line 8: prometheus\.ulr"):
        run("apply", str(tmp_path / "c.toml"))
    assert not Connection.objects.exists()


def test_replay_prints_the_title_and_fails_for_what_is_no_bundle(tmp_path: Path) -> None:
    assert Bundle.load(BUNDLE).title in run("replay", str(BUNDLE))
    with pytest.raises(CommandError, match=r"bundle\.json"):
        run("replay", str(tmp_path))


def test_saving_an_unknown_incident_names_the_remedy(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="its number"):
        run("bundle", "save", "99", str(tmp_path / "x.zip"))


def test_the_doctor_names_a_remedy_for_each_bad_engine() -> None:
    out = StringIO()
    with pytest.raises(CommandError, match="not well"):
        call_command("doctor", "--json", stdout=out)
    found = {one["name"]: one for one in json.loads(out.getvalue())}
    assert found["record (sqlite)"]["state"] == "well"
    assert all(one["remedy"] for one in found.values() if one["state"] == "bad")


def test_a_past_incident_is_loaded_once_and_marked_as_a_recurrence() -> None:
    bundle = Bundle.load(BUNDLE)
    seen = replayed(bundle)
    scope, collected = seen.scope, seen.collected
    findings: tuple[Finding, ...] = collected.findings
    source, _ = sources.make_source("history", "recorded")
    past = Past(
        bundle.title,
        scope,
        findings,
        replayed(bundle).verdict,
        "x",
        "lab",
        BUNDLE.name,
        bundle.as_of - scope.started_at,
    )
    assert remember_past(past, source) is not None
    assert remember_past(past, source) is None
    snapshot = queries.snapshot(str(Incident.objects.get().pk))
    assert snapshot.recurrence_of == BUNDLE.name
    assert snapshot.confirmed[0].cause == "x"
    assert len(snapshot.findings) == len(findings)


def test_sources_are_listed_with_their_door_and_whether_anything_ever_came() -> None:
    assert "source add alertmanager prod" in run("source", "list")
    run("source", "add", "zabbix", "prod")
    listed = run("source", "list")
    assert "/ingest/zabbix/prod" in listed and "last delivery: never" in listed
    sources.tested(sources.sources()[0], "Notification test", timezone.now())
    assert "(Notification test)" in run("source", "list")


def test_a_token_is_listed_without_itself_and_ended_for_good() -> None:
    assert "token add" in run("token", "list")
    token = run("token", "add", "jira", "--scope", "read").strip()
    assert live_token(token)
    listed = run("token", "list")
    assert "jira" in listed and "read" in listed and token not in listed
    assert "ended" in run("token", "end", "jira")
    assert live_token(token) is None
    with pytest.raises(CommandError, match="there is no token jira; known: none"):
        run("token", "end", "jira")
    assert [e.action for e in AuditEntry.objects.order_by("pk")] == ["make token", "end token"]


@pytest.mark.parametrize("name", ["", "  ", "x" * 81])
def test_a_token_needs_a_name_that_fits(name: str) -> None:
    with pytest.raises(CommandError, match="name: give 1 to 80 characters"):
        run("token", "add", name, "--scope", "read")


@pytest.mark.parametrize("verb", [
    "apply", "bundle", "demo", "doctor", "evaluate", "rebuild_graph", "replay", "source", "watch_kubernetes",
])  # fmt: skip
def test_the_help_of_a_verb_ends_with_calls_that_can_be_pasted(verb: str) -> None:
    command = load_command_class("config", verb)
    help_text = command.create_parser("manage.py", verb).format_help()
    assert command.examples
    for example in command.examples:
        assert f"  manage.py {example}\n" in help_text
        command.create_parser("manage.py", verb).parse_args(example.split()[1:])


def test_every_argument_of_our_verbs_has_a_help_text() -> None:
    for app, verb in [*(("config", name) for name in find_commands(str(COMMANDS))), ("web", "token")]:
        parser = load_command_class(app, verb).create_parser("manage.py", verb)
        nested = [p for a in parser._actions if isinstance(a.choices, dict) for p in a.choices.values()]
        for action in [a for one in (parser, *nested) for a in one._actions if not isinstance(a.choices, dict)]:
            assert action.help, f"{verb} {action.dest}"
