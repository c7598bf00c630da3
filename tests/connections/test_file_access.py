"""How the connections file says where things are and how to get in: addresses, credentials, ways in, files, shapes."""

import os
from pathlib import Path

import pytest

from connections.file import decode, read
from domain.errors import Malformed
from ingest.sources import all_sources
from tests.connections.entries import (
    CHAT,
    ETCD,
    KUBERNETES,
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
)

__all__ = ["folder"]

WEB_KEYS = [
    (SOURCE, "source.api_url", 'api_url = "{}"\n'),
    (PROMETHEUS.replace('url = "http://127.0.0.1:9090"\n', ""), "prometheus.url", 'url = "{}"\n'),
    (ETCD + MEMBER.replace('endpoint = "http://127.0.0.1:2379"\n', ""), "etcd.member.endpoint", 'endpoint = "{}"\n'),
    (f'{TICKET}oauth_client_id = "a"\noauth_client_secret_env = "B"\n', "ticket.oauth_token_url",
     'oauth_token_url = "{}"\n'),
]  # fmt: skip
BAD = [
    "ftp://a", "tcp://a:1", "grpc://a:1", "http://", "http:///path", "http://:80", "http://a:0", "http://a:none",
    "http://a:99999", "http://[::1", "a:80", "/a",
]  # fmt: skip


@pytest.mark.parametrize(("before", "key", "line"), WEB_KEYS)
def test_an_address_of_the_web_is_http_or_https_with_a_host(before: str, key: str, line: str, folder: Path) -> None:
    for good in ("http://a", "https://a", "https://a:1/b?c", "http://[::1]:80/"):
        accepted(before + line.format(good), folder)
    number = 1 + before.count("\n")
    for bad in BAD:
        told = f"line {number}: {key}: `{bad}` is no address of http, https; "
        assert refused(before + line.format(bad), folder).startswith(told)


@pytest.mark.parametrize(
    ("url", "fits"),
    [
        ("http://a", True), ("https://a", True), ("tcp://a:1", True), ("tls://a", True), ("grpc://a:1", True),
        ("tcp://a", False), ("tcp://a:0", False), ("udp://a:1", False), ("tls://", False),
    ],
)  # fmt: skip
def test_a_probed_address_may_be_of_more_kinds_and_a_bare_connection_needs_its_port(
    url: str, fits: bool, folder: Path
) -> None:
    text = TARGET.replace("http://10.0.0.7/", url)
    if fits:
        accepted(text, folder)
        return
    told = f"line 3: target.url: `{url}` is no address of http, https, tcp, tls, grpc; "
    assert refused(text, folder).startswith(told)


@pytest.mark.parametrize("login", ["me@", "me:pw@", ":pw@"])
def test_an_address_holds_no_credentials(login: str, folder: Path) -> None:
    told = refused(PROMETHEUS.replace("127.0.0.1", f"{login}127.0.0.1"), folder)
    assert told.startswith("line 3: prometheus.url: holds a password")


def test_an_empty_address_is_none(folder: Path) -> None:
    accepted(f'{SOURCE}api_url = ""\n', folder)


SECRETS = [
    *((section, "bearer") for section in SECTIONS if section != "source"),
    *((section, "basic_password") for section in SECTIONS if section != "source"),
    ("source", "token"), ("source", "api_token"), ("ticket", "webhook_secret"), ("chat", "url"), ("etcd", "password"),
]  # fmt: skip


@pytest.mark.parametrize(("section", "secret"), SECRETS)
def test_a_secret_has_one_place(section: str, secret: str, folder: Path) -> None:
    way = "in_cluster = true\n" if section == "kubernetes" else ""
    in_file, in_env = f'{secret}_file = "there"\n', f'{secret}_env = "SECRET"\n'
    text = SECTIONS[section].replace('url = "http://127.0.0.1:8082"\n', "") + way
    if not way:
        accepted(text + in_file, folder)
        accepted(text + in_env, folder)
    faults = [told for told in refusals(text + in_env + in_file, folder) if "belongs to" not in told]
    number = 2 + text.count("\n")
    assert faults == [f"line {number}: {section}.{secret}_file: is there as a file and as a variable; keep one of them"]


ETCD_USER = f'{ETCD}user = "root"\n'


@pytest.mark.parametrize(
    ("text", "secret", "key"),
    [
        *((SECTIONS[s] + 'basic_user = "me"\n', "basic_password", f"{s}.basic_user") for s in SECTIONS
          if s not in ("source", "kubernetes")),
        (f'{TICKET}oauth_token_url = "http://a"\noauth_client_id = "a"\n', "oauth_client_secret", "ticket.oauth_token_url"),
        (f'{CHAT}oauth_token_url = "http://a"\noauth_client_id = "a"\n', "oauth_client_secret", "chat.oauth_token_url"),
        (f'{SOURCE}api_url = "http://a"\nwrite_back = true\n', "api_token", "source.write_back"),
        (ETCD_USER, "password", "etcd.user"),
    ],
)  # fmt: skip
def test_a_user_needs_a_secret_from_a_file_or_a_variable(text: str, secret: str, key: str, folder: Path) -> None:
    accepted(f'{text}{secret}_file = "there"\n', folder)
    accepted(f'{text}{secret}_env = "SECRET"\n', folder)
    assert f": {key}: needs its secret; add {secret}_file or {secret}_env" in refused(text, folder)
    assert "needs its secret" in refused(f'{text}{secret}_env = ""\n', folder)


def test_an_oauth_token_needs_a_client_and_writing_back_an_address(folder: Path) -> None:
    text = f'{TICKET}oauth_token_url = "http://a"\noauth_client_secret_env = "A"\n'
    assert refused(text, folder) == "line 5: ticket.oauth_token_url: needs oauth_client_id; add it"
    accepted(f'{text}oauth_client_id = "a"\n', folder)
    text = f'{SOURCE}write_back = true\napi_token_env = "A"\n'
    assert refused(text, folder).startswith("line 4: source.write_back: needs the address of the source's API")


@pytest.mark.parametrize("executor", ["http", "etcdctl"])
def test_an_executor_without_needs_is_taken(executor: str, folder: Path) -> None:
    accepted(f'{ETCD}executor = "{executor}"\n', folder)


def test_ansible_needs_an_inventory(folder: Path) -> None:
    text = f'{ETCD}executor = "ansible"\n'
    assert refused(text, folder).startswith("line 3: etcd.executor: ansible needs an inventory")
    made = accepted(f'{text}inventory_file = "there"\n', folder)
    assert made.etcd[0].inventory_file == str(folder / "there")


@pytest.mark.parametrize("key", ["etcdctl_path", "playbook"])
def test_a_program_is_named_from_the_root(key: str, folder: Path) -> None:
    accepted(f'{ETCD}{key} = "/usr/bin/it"\n', folder)
    accepted(f'{ETCD}{key} = ""\n', folder)
    assert refused(f'{ETCD}{key} = "bin/it"\n', folder).startswith(f"line 3: etcd.{key}: is not an absolute path")


WAYS = {"kubeconfig_file": '"there"', "in_cluster": "true", "url": '"https://k:6443"'}


@pytest.mark.parametrize(
    ("first", "second"), [("kubeconfig_file", "in_cluster"), ("kubeconfig_file", "url"), ("in_cluster", "url")]
)
def test_a_cluster_has_one_way_in(first: str, second: str, folder: Path) -> None:
    for way in (first, second):
        accepted(f"{KUBERNETES}{way} = {WAYS[way]}\n", folder)
    told = refused(f"{KUBERNETES}{second} = {WAYS[second]}\n{first} = {WAYS[first]}\n", folder)
    assert told.startswith(f"line 3: kubernetes.{second}: is one way too many beside {first}")
    assert len(refusals(KUBERNETES + "".join(f"{k} = {v}\n" for k, v in WAYS.items()), folder)) == 2


@pytest.mark.parametrize("way", ["kubeconfig_file", "in_cluster"])
def test_only_an_address_takes_keys_of_its_own(way: str, folder: Path) -> None:
    own = f"{PROMETHEUS}{KUBERNETES}{way} = {WAYS[way]}\n"
    every = 'api = true\nwatch = false\nprometheus = "main"\ntimeout_s = 1.0\n'
    accepted(own + every, folder)
    accepted(f'{own}url = ""\n', folder)
    foreign = ("bearer_env", "ca_file", "client_cert_file", "client_key_file", "basic_password_env")
    told = refusals(own + every + "".join(f'{key} = "there"\n' for key in foreign), folder)
    assert [t.split(" belongs")[0] for t in told] == [
        f"line {11 + foreign.index(key)}: kubernetes.{key}:" for key in sorted(foreign)
    ]
    accepted(f'{PROMETHEUS}{KUBERNETES}url = "https://k"\n{every}bearer_env = "A"\nca_file = "there"\n', folder)


def test_a_file_is_there_and_may_be_read(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = f'{SOURCE}token_file = "there"\n'
    accepted(text, folder)
    told = refused(text.replace("there", "none"), folder)
    assert told.startswith(f"line 4: source.token_file: {folder / 'none'} is not there")
    assert "is not there" in refused(text.replace("there", "."), folder)
    monkeypatch.setattr(os, "access", lambda file, mode: mode != os.R_OK)
    assert "may not be read by this user" in refused(text, folder)


def test_paths_are_made_absolute_and_an_empty_one_stays_empty(folder: Path) -> None:
    made = accepted(f'{SOURCE}token_file = "there"\nca_file = ""\n{CHAT}secret_file = "{folder}/there"\n', folder)
    assert (made.source[0].token_file, made.source[0].ca_file) == (str(folder / "there"), "")
    assert made.chat[0].secret_file == str(folder / "there")
    assert "expected `str`, got `bool`" in refused(f"{SOURCE}token_file = true\n", folder)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("[[sources]]\nkind = 1\n",
         "line 1: sources: unknown key; remove it or use one of source, prometheus, etcd, blackbox, kubernetes, target, "
         "ticket, chat"),
        (f"{ETCD}{MEMBER}port = 1\n",
         "line 6: etcd.member.port: unknown key; remove it or use one of name, endpoint, instance, zone, host, member_id"),
        (f'{PROMETHEUS}cluster = "a"\n',
         "line 4: prometheus.cluster: unknown key; remove it or use one of bearer_file, bearer_env, basic_user, "
         "basic_password_file, basic_password_env, ca_file, client_cert_file, client_key_file, headers, timeout_s, name, "
         "url, clusters"),
        (f"{PROMETHEUS}headers = {{ a = 1 }}\n",
         "line 4: prometheus.headers: expected `str`, got `int`; correct the value"),
        (f'{PROMETHEUS}timeout_s = "5"\n',
         "line 4: prometheus.timeout_s: expected `float`, got `str`; correct the value"),
        (f"{PROMETHEUS}{ETCD}{MEMBER}{MEMBER}zone = 3\n",
         "line 12: etcd.member.zone: expected `str`, got `int`; correct the value"),
    ],
)  # fmt: skip
def test_a_wrong_shape_is_told_at_its_line_with_what_is_known_there(text: str, told: str, folder: Path) -> None:
    assert refused(text, folder) == told


def test_what_is_wrong_in_a_file_names_the_file(folder: Path) -> None:
    file = folder / "c.toml"
    file.write_text(SOURCE.replace("alertmanager", "nagios"))
    with pytest.raises(Malformed) as caught:
        read(file, all_sources())
    assert caught.value.field == "c.toml"
    assert caught.value.reason.startswith("line 2: source.kind: unknown kind `nagios`; use one of ")
    with pytest.raises(Malformed) as caught:
        decode("[[", folder, all_sources())
    assert caught.value.field == "connections file" and caught.value.reason.startswith("not TOML: ")
