"""How often Zabbix looks at what its problems are about: told by its API in every version, with no token recorded."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from domain.alerts import AlertState, ParsedAlert, Severity
from domain.connections import Connections, PrometheusDecl, SourceDecl
from domain.entities import EntityKind, EntityRef
from domain.findings import Finding
from domain.scope import Scope
from evidence.bundles import pack_answers, unpack_answers, without_secrets
from evidence.check import Ask, run
from evidence.checks.alignment import CHECK
from evidence.clients.zabbix import seconds
from evidence.recording import LiveTransports, ReplayTransports, Transports
from tests.evidence.scene import END, NOON
from tests.fakes.zabbix import TOKEN, Zabbix

HOST = EntityRef(EntityKind.HOST, "db-1", "prod-a")


@pytest.fixture(params=["6.0.14", "7.0.5", "7.4.1"])
def zabbix(request: pytest.FixtureRequest) -> Iterator[Zabbix]:
    with Zabbix(request.param) as made:
        made.item(1, "Leader changes", "30s", trigger="23133")
        yield made


def declared(fake: Zabbix, folder: Path, name: str = "prod", token: str = TOKEN) -> SourceDecl:
    (folder / "token").write_text(token)
    return SourceDecl(kind="zabbix", name=name, api_url=f"{fake.url}/zabbix", api_token_file=str(folder / "token"))


def about(*sources: SourceDecl, trigger: str = "23133", url: str = "") -> Scope:
    alert = ParsedAlert(
        "37", "", AlertState.FIRING, "etcd leader changed", "etcd leader changed", Severity.HIGH, NOON,
        entities=(HOST,), labels={"trigger_id": trigger} if trigger else {}, url=url,
    )  # fmt: skip
    nowhere = PrometheusDecl(name="main", url="http://127.0.0.1:1")
    return Scope("i", NOON, END, (alert,), (HOST,), Connections(source=list(sources), prometheus=[nowhere]))


def alignment(scope: Scope, transports: Transports | None = None) -> Finding:
    (finding,) = run(CHECK, Ask(scope, transports or LiveTransports(scope.connections), CHECK.before))
    return finding


def delays(finding: Finding) -> dict[str, tuple[float | None, str]]:
    return {item.name: (item.value, item.note) for item in finding.items if "abbix" in item.name}


def test_the_delay_is_given_by_every_version_also_where_no_clock_is(zabbix: Zabbix, tmp_path: Path) -> None:
    finding = alignment(about(declared(zabbix, tmp_path)))
    assert delays(finding) == {"Zabbix's delay of Leader changes": (30.0, "")}
    assert finding.seen is None and "Prometheus cannot be reached" in str(finding.why_unknown)


def test_no_token_is_recorded_and_the_recording_replays(zabbix: Zabbix, tmp_path: Path) -> None:
    scope = about(declared(zabbix, tmp_path))
    live = LiveTransports(scope.connections)
    first = alignment(scope, live)
    packed = pack_answers(live.answers())
    kept = unpack_answers(packed)
    assert not any(TOKEN in part for answer in kept for part in (*answer.key, answer.answer))
    bundled = replace(scope, connections=without_secrets(scope.connections))
    assert alignment(bundled, ReplayTransports(kept)) == first
    assert len([a for a in kept if "api_jsonrpc" in a.path]) == 1


def test_an_item_that_depends_on_another_is_looked_at_with_that_one(zabbix: Zabbix, tmp_path: Path) -> None:
    zabbix.item(2, "Raw metrics", "1m")
    zabbix.item(3, "WAL fsync", "0", trigger="23133", master="2")
    zabbix.item(4, "Pushed", "0", trigger="23133")
    assert delays(alignment(about(declared(zabbix, tmp_path)))) == {
        "Zabbix's delay of Leader changes": (30.0, ""), "Zabbix's delay of WAL fsync": (60.0, ""),
        "Zabbix's delay of Pushed": (None, "0: not fixed"),
    }  # fmt: skip


def test_a_token_that_is_not_taken_is_reported_in_the_servers_own_words(zabbix: Zabbix, tmp_path: Path) -> None:
    ((name, (value, note)),) = delays(alignment(about(declared(zabbix, tmp_path, token="b" * 64)))).items()
    assert name == "Zabbix prod does not tell its delays" and value is None
    assert "Session terminated" in note and "unexpected" not in note


def test_without_a_token_nothing_is_asked_and_the_remedy_is_shown(zabbix: Zabbix, tmp_path: Path) -> None:
    source = SourceDecl(kind="zabbix", name="prod", api_url=zabbix.url)
    ((_, (_, note)),) = delays(alignment(about(source))).items()
    assert "api_token_file" in note and not zabbix.calls


def test_an_alert_that_is_not_zabbixs_or_a_source_without_an_api_asks_nobody(zabbix: Zabbix, tmp_path: Path) -> None:
    assert delays(alignment(about(declared(zabbix, tmp_path), trigger=""))) == {}
    assert delays(alignment(about(declared(zabbix, tmp_path), trigger="1; drop"))) == {}
    assert delays(alignment(about(SourceDecl(kind="zabbix", name="prod")))) == {}
    assert not zabbix.calls


def test_of_several_frontends_the_one_is_asked_that_the_alert_leads_to(zabbix: Zabbix, tmp_path: Path) -> None:
    other = SourceDecl(kind="zabbix", name="other", api_url="http://127.0.0.1:1/zabbix")
    sources = (other, declared(zabbix, tmp_path))
    link = f"{zabbix.url}/zabbix/tr_events.php?triggerid=23133&eventid=37"
    assert list(delays(alignment(about(*sources, url=link)))) == ["Zabbix's delay of Leader changes"]
    assert delays(alignment(about(*sources))) == {}


@pytest.mark.parametrize(
    ("delay", "every"),
    [("30", 30), ("30s", 30), ("1m", 60), ("2h", 7200), ("1m;10s/1-5,09:00-18:00", 60), ("0", None), ("", None),
     ("{$DELAY}", None), ("0;wd1-5h9", None), ("9" * 40, None), ("1x", None)],
)  # fmt: skip
def test_a_delay_is_read_as_zabbix_writes_it(delay: str, every: float | None) -> None:
    assert seconds(delay) == every
