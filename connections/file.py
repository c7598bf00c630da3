"""Reads the connections file: TOML in, checked Connections out, or every fault with line, key and remedy.

A fault generator gets decoded tables, so it may rely on their types and required keys.
"""

import os
import re
import tomllib
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import SplitResult, urlsplit

import msgspec

from connections import toml_lines
from connections.faults import Entry, Fault, entries, kind_faults, name_faults
from connections.source_rules import source_faults
from domain.alerts import Severity
from domain.connections import Connections
from domain.errors import Malformed
from evidence.executors import all_executors
from tickets.systems import all_systems

KINDS: tuple[str, ...] = Connections.__struct_fields__
# The words that a key takes, by table and key.
WORDS: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "source": {"mode": ("dry-run", "send"), "language": ("en", "zh"), "catch_up": ("sent", "all", "off")},
    "ticket": {
        "mode": ("dry-run", "update-only", "create-and-update"),
        "deployment": ("auto", "cloud", "server"),
        "language": ("en", "zh"),
        "min_severity": tuple(Severity),
    },
    "chat": {
        "mode": ("dry-run", "send"),
        "language": ("en", "zh"),
        "min_severity": tuple(Severity),
        "smtp_tls": ("starttls", "tls", "none"),
    },
}
TRANSITIONS = ("acknowledged", "mitigated", "resolved", "reopened")
TICKET_FIELDS = ("cause", "probability")
# Tables of systems that are asked, and of those that messages go to.
ASKED = ("prometheus", "etcd", "blackbox", "kubernetes", "target")
NOTIFIED = ("source", "ticket", "chat")
WEB = ("http", "https")
PROBED = ("http", "https", "tcp", "tls", "grpc")
_URL_KEYS = ("url", "api_url", "endpoint", "oauth_token_url")
_ABOVE_ZERO = {"timeout_s", "election_timeout_ms", "storm_minutes", "storm_incidents", "smtp_port"}
_NOT_BELOW_ZERO = {"reopen_hours", "poll_s"}
_FREE = {"headers", "selector", "set", "fields", "transitions", "raise_severity", "labels", "severities"}
# A key of a credential, and the secret that it needs.
_SECRET_OF = {"basic_user": "basic_password", "oauth_token_url": "oauth_client_secret", "write_back": "api_token"}
_KUBERNETES_ACCESS = ("kubeconfig_file", "in_cluster", "url")
# Keys of [[kubernetes]] that are not about access by `url`.
_KUBERNETES_KEYS = frozenset({*_KUBERNETES_ACCESS, "name", "api", "watch", "prometheus", "timeout_s"})
_STEP = re.compile(r"\.([A-Za-z0-9_-]+)|\[(\d+)\]|\[\.\.\.\]")


def read(path: Path, source_kinds: Collection[str]) -> Connections:
    """The connections declared in the file; paths in it are made absolute from the file's folder.

    `source_kinds` are the kinds of alert sources that this version can parse.

    Raises Malformed with one line per fault when anything is wrong.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise Malformed(f"cannot be read ({error}); give the path of a UTF-8 TOML file", str(path)) from error
    return decode(text, path.parent.resolve(), source_kinds, name=path.name)


def decode(text: str, folder: Path, source_kinds: Collection[str], name: str = "connections file") -> Connections:
    """Like `read`, of a text whose relative paths start at `folder`."""
    try:
        tree = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise Malformed(f"not TOML: {error}; correct the syntax there", name) from error
    lines = toml_lines.line_numbers(text)
    faults = list(_decoding_faults(tree)) or list(_content_faults(tree, folder, source_kinds))
    if faults:
        raise Malformed("\n".join(_line(fault, lines) for fault in faults), name)
    return msgspec.convert(_absolute(tree, folder), Connections, strict=True)


def _line(fault: Fault, lines: dict[toml_lines.Path, int]) -> str:
    key = ".".join(str(part) for part in fault.path if isinstance(part, str))
    return f"line {toml_lines.nearest(lines, fault.path)}: {key}: {fault.text}"


def _decoding_faults(tree: dict[str, Any]) -> Iterator[Fault]:
    """The first unknown key, missing key or wrong type that the decoder finds."""
    try:
        msgspec.convert(tree, Connections, strict=True)
    except msgspec.ValidationError as error:
        message, _, place = str(error).partition(" - at `")
        path = _path(place.rstrip("`"))
        unknown = re.search(r"unknown field `(.+)`", message)
        if unknown:
            allowed = _allowed_keys(path)
            yield Fault((*path, unknown.group(1)), f"unknown key; remove it or use one of {allowed}")
        else:
            yield Fault(path, f"{message[0].lower()}{message[1:]}; correct the value")


def _path(place: str) -> toml_lines.Path:
    """`$.etcd[0].name` as ("etcd", 0, "name"); `[...]`, which means any key, is left out."""
    path: toml_lines.Path = ()
    for step in _STEP.finditer(place):
        key, index = step.groups()
        if index:
            path = (*path, int(index))
        elif key:
            path = (*path, key)
    return path


def _allowed_keys(path: toml_lines.Path) -> str:
    """The keys that are allowed at a path, for the remedy."""
    shape: Any = Connections
    for part in path:
        if isinstance(part, str):
            fields = {f.encode_name: f.type for f in msgspec.structs.fields(shape)}
            shape = getattr(fields[part], "__args__", (Connections,))[0]
    return ", ".join(f.encode_name for f in msgspec.structs.fields(shape))


def _content_faults(tree: dict[str, Any], folder: Path, source_kinds: Collection[str]) -> Iterator[Fault]:
    """Everything that a type cannot express: names, references, kinds, numbers, credentials, addresses and files."""
    yield from _repeated_names(tree)
    yield from _unknown_references(tree)
    yield from source_faults(tree, source_kinds)
    yield from _target_faults(tree)
    yield from _kubernetes_faults(tree)
    yield from _etcd_faults(tree)
    yield from _number_faults(tree)
    yield from _notification_faults(tree)
    for asked in entries(tree, *ASKED):
        yield from _credential_faults(asked)
    yield from _ticket_faults(tree)
    yield from _address_and_file_faults(tree, folder)


def _repeated_names(tree: dict[str, Any]) -> Iterator[Fault]:
    """Two entries of one kind with one name; sources of different kinds may share one, as their addresses differ."""
    for kind in KINDS:
        entries = tree.get(kind, [])
        names = [(entry.get("kind", "") if kind == "source" else "", entry["name"]) for entry in entries]
        yield from _repeated(names, (kind,))
        for position, entry in enumerate(entries):
            members = [("", member["name"]) for member in entry.get("member", [])]
            yield from _repeated(members, (kind, position, "member"))


def _repeated(names: list[tuple[str, str]], above: toml_lines.Path) -> Iterator[Fault]:
    for position, name in enumerate(names):
        if name in names[:position]:
            yield Fault((*above, position, "name"), f"`{name[1]}` is there twice; give each its own name")


def _unknown_references(tree: dict[str, Any]) -> Iterator[Fault]:
    """Every `prometheus = "..."` that names none of the declared ones."""
    declared = [entry["name"] for entry in tree.get("prometheus", [])]
    for entry in entries(tree, "etcd", "blackbox", "kubernetes"):
        named = entry.table.get("prometheus", "")
        if named and named not in declared:
            known = ", ".join(declared) or "none"
            yield entry.fault("prometheus", f"no [[prometheus]] is named `{named}`; declared: {known}")


def _target_faults(tree: dict[str, Any]) -> Iterator[Fault]:
    for entry in entries(tree, "target"):
        if not any(entry.table.get(key) for key in ("pod", "workload", "service", "used_by")):
            yield entry.fault("name", "stands for nothing; give pod, workload, service or used_by")


def _kubernetes_faults(tree: dict[str, Any]) -> Iterator[Fault]:
    """A Kubernetes API is reached in one way, and only access by `url` needs more keys."""
    for entry in entries(tree, "kubernetes"):
        used = [key for key in _KUBERNETES_ACCESS if entry.table.get(key)]
        for key in used[1:]:
            yield entry.fault(key, f"is one way too many beside {used[0]}; keep one of them")
        if "url" in used:
            continue
        for key in sorted(set(entry.table) - _KUBERNETES_KEYS):
            yield entry.fault(key, "belongs to `url`; the kubeconfig and the own pod's account bring their own")


def _etcd_faults(tree: dict[str, Any]) -> Iterator[Fault]:
    """The executor must be known and have what it needs; programs are named by absolute paths."""
    for entry in entries(tree, "etcd"):
        yield from _executor_faults(entry)
        for key in ("etcdctl_path", "playbook"):
            path = entry.table.get(key)
            if path and not os.path.isabs(path):
                yield entry.fault(key, "is not an absolute path; write it from the root")
        if entry.table.get("user") and not entry.has_secret("password"):
            yield entry.fault("user", "needs its secret; add password_file or password_env")


def _executor_faults(entry: Entry) -> Iterator[Fault]:
    known, chosen = ("http", *all_executors()), entry.table.get("executor", "http")
    if chosen not in known:
        yield entry.fault("executor", f"unknown executor `{chosen}`; use one of {', '.join(known)}")
    if chosen == "ansible" and not entry.table.get("inventory_file"):
        yield entry.fault("executor", "ansible needs an inventory; name it in inventory_file")


def _number_faults(tree: dict[str, Any]) -> Iterator[Fault]:
    for path, key, value in _leaves(tree):
        if key in _ABOVE_ZERO and not value > 0:
            yield Fault(path, "must be above 0; give the time or number that you are ready for")
        if key in _NOT_BELOW_ZERO and value < 0:
            yield Fault(path, "must not be below 0; 0 turns it off")


def _notification_faults(tree: dict[str, Any]) -> Iterator[Fault]:
    """Faults of the tables that messages go to: their kinds, their words, their names and their credentials."""
    for entry in entries(tree, *NOTIFIED):
        yield from _word_faults(entry)
        if entry.section != "source":
            systems = all_systems().items()
            yield from kind_faults(entry, [kind for kind, system in systems if system.section == entry.section])
            yield from name_faults(entry)
        yield from _credential_faults(entry)


def _word_faults(entry: Entry) -> Iterator[Fault]:
    for key, words in WORDS[entry.section].items():
        if entry.table.get(key, words[0]) not in words:
            yield entry.fault(key, f"use one of {', '.join(words)}")


def _credential_faults(entry: Entry) -> Iterator[Fault]:
    """Incomplete credentials, and a secret that is declared in two ways."""
    yield from _repeated_secrets(entry)
    yield from _incomplete_credentials(entry)


def _repeated_secrets(entry: Entry) -> Iterator[Fault]:
    for key in entry.table:
        if key.endswith("_file") and f"{key.removesuffix('_file')}_env" in entry.table:
            yield entry.fault(key, "is there as a file and as a variable; keep one of them")


def _incomplete_credentials(entry: Entry) -> Iterator[Fault]:
    for key, secret in _SECRET_OF.items():
        if entry.table.get(key) and not entry.has_secret(secret):
            yield entry.fault(key, f"needs its secret; add {secret}_file or {secret}_env")
    if entry.table.get("oauth_token_url") and not entry.table.get("oauth_client_id"):
        yield entry.fault("oauth_token_url", "needs oauth_client_id; add it")
    if entry.table.get("write_back") and not entry.table.get("api_url"):
        yield entry.fault("write_back", "needs the address of the source's API; add api_url")


def _ticket_faults(tree: dict[str, Any]) -> Iterator[Fault]:
    for entry in entries(tree, "ticket"):
        yield from _unknown_keys(entry, "transitions", TRANSITIONS)
        yield from _unknown_keys(entry, "fields", TICKET_FIELDS)


def _unknown_keys(entry: Entry, table: str, known: tuple[str, ...]) -> Iterator[Fault]:
    for key in entry.table.get(table, {}):
        if key not in known:
            yield Fault((*entry.path, table, key), f"unknown key; use one of {', '.join(known)}")


def _address_and_file_faults(tree: dict[str, Any], folder: Path) -> Iterator[Fault]:
    for path, key, value in _leaves(tree):
        if key in _URL_KEYS and value:
            yield from _address_faults(path, value, PROBED if path[0] == "target" else WEB)
        if key.endswith("_file") and value:
            yield from _file_faults(path, folder / value)


def _leaves(node: Any, path: toml_lines.Path = ()) -> Iterator[tuple[toml_lines.Path, str, Any]]:
    """Every scalar as (path, key, value), without the tables whose keys are free."""
    steps = enumerate(node) if isinstance(node, list) else node.items()
    for step, value in steps:
        if step in _FREE:
            continue
        if isinstance(value, dict | list):
            yield from _leaves(value, (*path, step))
        else:
            yield (*path, step), str(step), value


def _address_faults(path: toml_lines.Path, value: str, schemes: tuple[str, ...]) -> Iterator[Fault]:
    parts = _address_parts(value, schemes)
    if parts is None:
        yield Fault(path, f"`{value}` is no address of {', '.join(schemes)}; write e.g. http://127.0.0.1:9090")
    elif parts.username or parts.password:
        yield Fault(path, "holds a password; name it in basic_user and basic_password_file instead")


def _address_parts(value: str, schemes: tuple[str, ...]) -> SplitResult | None:
    """The parts of an address, None if it is not complete; TCP needs a port."""
    try:
        parts = urlsplit(value)
        port = parts.port
    except ValueError:
        return None
    if parts.scheme not in schemes or not parts.hostname or port == 0:
        return None
    if parts.scheme == "tcp" and port is None:
        return None
    return parts


def _file_faults(path: toml_lines.Path, file: Path) -> Iterator[Fault]:
    if not file.is_file():
        yield Fault(path, f"{file} is not there; create it or correct the path")
    elif not os.access(file, os.R_OK):
        yield Fault(path, f"{file} may not be read by this user; change its owner or mode")


def _absolute(node: Any, folder: Path) -> Any:
    """The same tree with the `*_file` paths made absolute: workers run in other folders."""
    if isinstance(node, list):
        return [_absolute(entry, folder) for entry in node]
    if isinstance(node, dict):
        return {key: _absolute_value(key, value, folder) for key, value in node.items()}
    return node


def _absolute_value(key: str, value: Any, folder: Path) -> Any:
    if key in _FREE:
        return value
    if key.endswith("_file") and isinstance(value, str) and value:
        return str(folder / value)
    return _absolute(value, folder)
