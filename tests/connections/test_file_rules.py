"""Each rule of the connections file by itself: what fits, what does not, and at which line and key it is told."""

from pathlib import Path

import pytest

from tests.connections.entries import (
    CHAT,
    ETCD,
    MEMBER,
    PROMETHEUS,
    SECTIONS,
    SOURCE,
    TARGET,
    TICKET,
    accepted,
    folder,
    refusals,
    refused,
)  # fmt: skip

__all__ = ["folder"]

WORDS = [
    ("source", "mode", "dry-run, send"), ("source", "language", "en, zh"), ("source", "catch_up", "sent, all, off"),
    ("ticket", "mode", "dry-run, update-only, create-and-update"), ("ticket", "deployment", "auto, cloud, server"),
    ("ticket", "language", "en, zh"), ("ticket", "min_severity", "info, warning, average, high, critical"),
    ("chat", "mode", "dry-run, send"), ("chat", "language", "en, zh"), ("chat", "smtp_tls", "starttls, tls, none"),
    ("chat", "min_severity", "info, warning, average, high, critical"),
]  # fmt: skip


@pytest.mark.parametrize(("section", "key", "words"), WORDS)
def test_a_key_with_few_words_takes_these_and_no_other(section: str, key: str, words: str, folder: Path) -> None:
    for word in words.split(", "):
        accepted(f'{SECTIONS[section]}{key} = "{word}"\n', folder)
    line = 1 + SECTIONS[section].count("\n")
    told = f"line {line}: {section}.{key}: use one of {words}"
    assert refused(f'{SECTIONS[section]}{key} = "other"\n', folder) == told


@pytest.mark.parametrize("key", ["acknowledged", "mitigated", "resolved", "reopened"])
def test_transitions_are_named_by_what_happened(key: str, folder: Path) -> None:
    made = accepted(f'{TICKET}[ticket.transitions]\n{key} = "Go"\n', folder)
    assert made.ticket[0].transitions == {key: "Go"}


def test_free_tables_hold_what_would_be_refused_elsewhere(folder: Path) -> None:
    bad = '{ url = "nowhere", timeout_s = 0, log_file = 5 }'
    words = '{ url = "nowhere", ca_file = "none" }'
    made = accepted(f"{PROMETHEUS}headers = {words}\n{ETCD}selector = {words}\n{TICKET}set = {bad}\n", folder)
    assert (
        made.ticket[0].set == {"url": "nowhere", "timeout_s": 0, "log_file": 5}
        and made.prometheus[0].headers["url"] == "nowhere"
    )
    text = '[ticket.transitions]\nurl = "x"\n[ticket.fields]\nurl = "x"\n'
    assert len(refusals(TICKET + text, folder)) == 2
    assert len(refusals(f"{SOURCE}[source.raise_severity]\nurl = 'x'\n", folder)) == 1


def test_what_follows_a_free_table_is_looked_at(folder: Path) -> None:
    text = f'{PROMETHEUS}headers = {{ a = "b" }}\ntimeout_s = 0\n'
    assert refused(text, folder).startswith("line 5: prometheus.timeout_s: must be above 0")


@pytest.mark.parametrize(
    ("severity", "fits"),
    [("warning", True), ("average", True), ("high", True), ("disaster", True), ("information", True), ("awful", False),
     ("not classified", False)],
)  # fmt: skip
def test_a_problem_is_raised_to_a_severity_of_zabbix(severity: str, fits: bool, folder: Path) -> None:
    text = f'{SOURCE}[source.raise_severity]\nnetwork = "{severity}"\n'
    if fits:
        accepted(text, folder)
        return
    told = refused(text, folder)
    assert told.startswith(f"line 5: source.raise_severity.network: `{severity}` is no severity of Zabbix; use one of ")
    assert told.endswith("use one of information, warning, average, high, disaster")


NUMBERS = [
    *((s, "timeout_s", "0.0", "0.1") for s in SECTIONS), ("etcd", "election_timeout_ms", "0", "1"),
    ("chat", "storm_minutes", "0.0", "0.5"), ("chat", "storm_incidents", "0", "1"), ("chat", "smtp_port", "0", "1"),
    ("ticket", "reopen_hours", "-0.1", "0"), ("ticket", "reopen_hours", "-0.1", "0.5"), ("ticket", "poll_s", "-1", "0"),
    ("ticket", "poll_s", "-1", "1"), ("etcd", "election_timeout_ms", "-1", "1000"),
]  # fmt: skip


@pytest.mark.parametrize(("section", "key", "bad", "good"), NUMBERS)
def test_times_and_counts_have_a_least_value(section: str, key: str, bad: str, good: str, folder: Path) -> None:
    way = "in_cluster = true\n" if section == "kubernetes" else ""
    accepted(f"{SECTIONS[section]}{way}{key} = {good}\n", folder)
    told = refused(f"{SECTIONS[section]}{way}{key} = {bad}\n", folder)
    assert f": {section}.{key}: must " in told


def twice(section: str) -> str:
    return SECTIONS[section] + SECTIONS[section].removeprefix(PROMETHEUS if section == "blackbox" else "")


@pytest.mark.parametrize("section", list(SECTIONS))
def test_two_entries_of_one_name_are_refused_at_the_second(section: str, folder: Path) -> None:
    text = twice(section)
    line = text[: text.rindex("name = ")].count("\n") + 1
    name = text[text.rindex("name = ") :].split('"')[1]
    told = f"line {line}: {section}.name: `{name}` is there twice; give each its own name"
    assert refused(text, folder) == told


def test_sources_of_two_kinds_may_share_a_name_and_tickets_may_not(folder: Path) -> None:
    accepted(SOURCE + SOURCE.replace("alertmanager", "zabbix"), folder)
    assert refused(CHAT + CHAT.replace('"webhook"', '"slack-webhook"'), folder).startswith("line 7: chat.name: ")


def test_every_repetition_is_told_and_what_stands_between_is_not(folder: Path) -> None:
    between = PROMETHEUS.replace("main", "other")
    told = refusals(PROMETHEUS + between + PROMETHEUS + PROMETHEUS, folder)
    assert [one.split(":")[0] for one in told] == ["line 8", "line 11"]


def test_two_etcds_may_have_members_of_one_name_and_one_etcd_may_not(folder: Path) -> None:
    other = ETCD.replace("etcd-prod", "etcd-test")
    accepted(ETCD + MEMBER + other + MEMBER, folder)
    assert refused(ETCD + MEMBER + other + MEMBER + MEMBER, folder).startswith("line 12: etcd.member.name: ")


@pytest.mark.parametrize("section", ["etcd", "blackbox", "kubernetes"])
def test_a_prometheus_that_is_named_is_declared(section: str, folder: Path) -> None:
    own = SECTIONS[section].removeprefix(PROMETHEUS).replace('prometheus = "main"\n', "")
    text = f'{own}prometheus = "main"\n'
    accepted(PROMETHEUS + text, folder)
    other = PROMETHEUS.replace('"main"', '"other"')
    told = refused(other + other.replace('"other"', '"third"') + text, folder)
    assert told == f"line 9: {section}.prometheus: no [[prometheus]] is named `main`; declared: other, third"
    assert refused(text, folder).endswith("declared: none")


@pytest.mark.parametrize("name", ["with space", "a/b", "é", "n" * 81, ""])
@pytest.mark.parametrize("section", ["source", "ticket", "chat"])
def test_a_name_that_becomes_part_of_an_address_fits_one(section: str, name: str, folder: Path) -> None:
    old = SECTIONS[section].split('name = "')[1].split('"')[0]
    text = SECTIONS[section].replace(f'"{old}"', f'"{name}"')
    assert refused(text, folder).startswith(f"line 3: {section}.name: is part of an address")
    accepted(SECTIONS[section].replace(f'"{old}"', f'"{"n" * 80}"'), folder)


@pytest.mark.parametrize("key", ["pod", "workload", "service", "used_by"])
def test_a_probed_address_stands_for_something(key: str, folder: Path) -> None:
    bare = TARGET.replace('pod = "cart-1"\n', "")
    full, empty = ('["cart"]', "[]") if key == "used_by" else ('"cart"', '""')
    accepted(f"{bare}{key} = {full}\n", folder)
    assert refused(bare, folder).startswith("line 2: target.name: stands for nothing")
    assert refused(f"{bare}{key} = {empty}\n", folder).startswith("line 2: target.name: ")
