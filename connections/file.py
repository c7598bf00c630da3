"""Reads the connections file: TOML in, checked Connections out, or every fault with line, key and remedy."""

import os
import re
import tomllib
from collections import Counter
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import msgspec

from connections import toml_lines
from domain.alerts import Severity
from domain.connections import Connections
from domain.errors import Malformed
from evidence.executors import all_executors
from tickets.systems import all_systems
from tickets.zabbix_api import SEVERITIES

KINDS: tuple[str, ...] = Connections.__struct_fields__
# Words of which a key takes only some, by table and key.
WORDS: dict[str, dict[str, tuple[str, ...]]] = {
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
ASKED = ("prometheus", "etcd", "blackbox", "kubernetes", "target")
WEB = ("http", "https")
PROBED = ("http", "https", "tcp", "tls", "grpc")
_URL_KEYS = ("url", "api_url", "endpoint", "oauth_token_url")
_ABOVE_ZERO = {"timeout_s", "election_timeout_ms", "storm_minutes", "storm_incidents", "smtp_port"}
_NOT_BELOW_ZERO = {"reopen_hours", "poll_s"}
_FREE = {"headers", "selector", "set", "fields", "transitions", "raise_severity"}
_STEP = re.compile(r"\.([A-Za-z0-9_-]+)|\[(\d+)\]|\[\.\.\.\]")


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong, where it stands, and what to do."""

    path: toml_lines.Path
    text: str


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
    faults = list(_shape(tree)) or list(_meaning(tree, folder, source_kinds))
    if faults:
        raise Malformed("\n".join(_line(fault, lines) for fault in faults), name)
    return msgspec.convert(_absolute(tree, folder), Connections, strict=True)


def _line(fault: Fault, lines: dict[toml_lines.Path, int]) -> str:
    key = ".".join(str(part) for part in fault.path if isinstance(part, str))
    return f"line {toml_lines.nearest(lines, fault.path)}: {key}: {fault.text}"


def _shape(tree: dict[str, Any]) -> Iterator[Fault]:
    """Unknown keys, missing keys and wrong types, as the decoder sees them."""
    try:
        msgspec.convert(tree, Connections, strict=True)
    except msgspec.ValidationError as error:
        said, _, place = str(error).partition(" - at `")
        path = _path(place.rstrip("`"), tree)
        named = re.search(r"unknown field `(.+)`", said)
        if named:
            known = _known(path)
            yield Fault((*path, named.group(1)), f"unknown key; remove it or use one of {known}")
        else:
            yield Fault(path, f"{said[0].lower()}{said[1:]}; correct the value")


def _path(place: str, tree: dict[str, Any]) -> toml_lines.Path:
    """`$.etcd[0].name` as ("etcd", 0, "name")."""
    steps = _STEP.finditer(place)
    return tuple(int(s.group(2)) if s.group(2) else s.group(1) for s in steps if s.group(1) or s.group(2))


def _known(path: toml_lines.Path) -> str:
    """The keys that are allowed at a path, for the remedy."""
    shape: Any = Connections
    for part in path:
        if isinstance(part, str):
            fields = {f.encode_name: f.type for f in msgspec.structs.fields(shape)}
            shape = getattr(fields[part], "__args__", (Connections,))[0]
    return ", ".join(f.encode_name for f in msgspec.structs.fields(shape))


def _meaning(tree: dict[str, Any], folder: Path, source_kinds: Collection[str]) -> Iterator[Fault]:
    """What types cannot say: doubles, files, addresses, references, known kinds."""
    yield from _doubles(tree)
    yield from _references(tree)
    yield from _values(tree, source_kinds)
    yield from _told(tree)
    for path, key, value in _leaves(tree):
        if key in _URL_KEYS and value:
            yield from _address(path, value, PROBED if path[0] == "target" else WEB)
        if key.endswith("_file") and value:
            yield from _file(path, folder / value)


def _doubles(tree: dict[str, Any]) -> Iterator[Fault]:
    """Two entries of one name; sources may share a name across kinds, as their addresses differ."""
    for kind in KINDS:
        entries = tree.get(kind, [])
        names = [(entry.get("kind", "") if kind == "source" else "", entry["name"]) for entry in entries]
        yield from _doubled(names, (kind,))
        for position, entry in enumerate(entries):
            members = [("", member["name"]) for member in entry.get("member", [])]
            yield from _doubled(members, (kind, position, "member"))


def _doubled(names: list[tuple[str, str]], above: toml_lines.Path) -> Iterator[Fault]:
    counted = Counter(names)
    for position, name in enumerate(names):
        if counted[name] > 1 and name in names[:position]:
            yield Fault((*above, position, "name"), f"`{name[1]}` is there twice; give each its own name")


def _references(tree: dict[str, Any]) -> Iterator[Fault]:
    """Every `prometheus = "..."` names a declared one."""
    declared = [entry["name"] for entry in tree.get("prometheus", [])]
    for kind in ("etcd", "blackbox", "kubernetes"):
        for position, entry in enumerate(tree.get(kind, [])):
            named = entry.get("prometheus", "")
            if named and named not in declared:
                yield Fault(
                    (kind, position, "prometheus"),
                    f"no [[prometheus]] is named `{named}`; declared: {', '.join(declared) or 'none'}",
                )


def _values(tree: dict[str, Any], source_kinds: Collection[str]) -> Iterator[Fault]:
    """Kinds, modes and numbers that only some values of their type fit."""
    for position, entry in enumerate(tree.get("source", [])):
        if entry["kind"] not in source_kinds:
            yield Fault(
                ("source", position, "kind"), f"unknown kind `{entry['kind']}`; use one of {', '.join(source_kinds)}"
            )
        if not re.fullmatch(r"[A-Za-z0-9_-]{1,80}", entry["name"]):
            yield Fault(("source", position, "name"), "is part of an address; use letters, digits, - and _")
    for position, entry in enumerate(tree.get("target", [])):
        if not any(entry.get(key) for key in ("pod", "workload", "service", "used_by")):
            yield Fault(("target", position, "name"), "stands for nothing; give pod, workload, service or used_by")
    for position, entry in enumerate(tree.get("kubernetes", [])):
        yield from _ways_in(("kubernetes", position), entry)
    for position, entry in enumerate(tree.get("etcd", [])):
        yield from _executor(("etcd", position), entry)
    for path, key, value in _leaves(tree):
        if key in _ABOVE_ZERO and not value > 0:
            yield Fault(path, "must be above 0; give the time or number that you are ready for")
        if key in _NOT_BELOW_ZERO and value < 0:
            yield Fault(path, "must not be below 0; 0 turns it off")


def _told(tree: dict[str, Any]) -> Iterator[Fault]:
    """What is told of incidents: known kinds and words, names that fit an address, and whole credentials."""
    for section, position, entry in _entries(tree, ("source", "ticket", "chat")):
        above = (section, position)
        for key, words in WORDS[section].items():
            if entry.get(key, words[0]) not in words:
                yield Fault((*above, key), f"use one of {', '.join(words)}")
        if section != "source":
            yield from _system(above, entry)
        yield from _credentials(above, entry)
    for section, position, entry in _entries(tree, ASKED):
        yield from _credentials((section, position), entry)
    for section, position, entry in _entries(tree, ("ticket",)):
        yield from _keys((section, position, "transitions"), entry, TRANSITIONS)
        yield from _keys((section, position, "fields"), entry, TICKET_FIELDS)


def _entries(tree: dict[str, Any], sections: tuple[str, ...]) -> Iterator[tuple[str, int, dict[str, Any]]]:
    for section in sections:
        for position, entry in enumerate(tree.get(section, [])):
            yield section, position, entry


def _system(above: toml_lines.Path, entry: dict[str, Any]) -> Iterator[Fault]:
    known = [kind for kind, system in all_systems().items() if system.section == above[0]]
    if entry["kind"] not in known:
        yield Fault((*above, "kind"), f"unknown kind `{entry['kind']}`; use one of {', '.join(known)}")
    if not re.fullmatch(r"[A-Za-z0-9_-]{1,80}", entry["name"]):
        yield Fault((*above, "name"), "is part of an address; use letters, digits, - and _")


def _credentials(above: toml_lines.Path, entry: dict[str, Any]) -> Iterator[Fault]:
    """Halves of a credential, and two ways for one secret."""
    for key in [key for key in entry if key.endswith("_file") and f"{key.removesuffix('_file')}_env" in entry]:
        yield Fault((*above, key), "is there as a file and as a variable; keep one of them")
    wanted = {"basic_user": "basic_password", "oauth_token_url": "oauth_client_secret", "write_back": "api_token"}
    for key, secret in wanted.items():
        if entry.get(key) and not (entry.get(f"{secret}_file") or entry.get(f"{secret}_env")):
            yield Fault((*above, key), f"needs its secret; add {secret}_file or {secret}_env")
    if entry.get("oauth_token_url") and not entry.get("oauth_client_id"):
        yield Fault((*above, "oauth_token_url"), "needs oauth_client_id; add it")
    if entry.get("write_back") and not entry.get("api_url"):
        yield Fault((*above, "write_back"), "needs the address of the source's API; add api_url")
    for cause, severity in entry.get("raise_severity", {}).items():
        if severity not in SEVERITIES[1:]:
            fault = f"`{severity}` is no severity of Zabbix; use one of {', '.join(SEVERITIES[1:])}"
            yield Fault((*above, "raise_severity", cause), fault)


def _keys(path: toml_lines.Path, entry: dict[str, Any], known: tuple[str, ...]) -> Iterator[Fault]:
    for key in entry.get(str(path[-1]), {}):
        if key not in known:
            yield Fault((*path, key), f"unknown key; use one of {', '.join(known)}")


def _ways_in(path: toml_lines.Path, entry: dict[str, Any]) -> Iterator[Fault]:
    """A Kubernetes API is reached by one way, and only an address needs more keys."""
    ways = [way for way in ("kubeconfig_file", "in_cluster", "url") if entry.get(way)]
    for way in ways[1:]:
        yield Fault((*path, way), f"is one way too many beside {ways[0]}; keep one of them")
    own = {"name", "kubeconfig_file", "in_cluster", "url", "api", "watch", "prometheus", "timeout_s"}
    for key in sorted(set(entry) - own) if "url" not in ways else ():
        yield Fault((*path, key), "belongs to `url`; the kubeconfig and the own pod's account bring their own")


def _executor(path: toml_lines.Path, entry: dict[str, Any]) -> Iterator[Fault]:
    """An etcd's executor is a known one and has what it needs; programs are named from the root."""
    known, chosen = ("http", *all_executors()), entry.get("executor", "http")
    if chosen not in known:
        yield Fault((*path, "executor"), f"unknown executor `{chosen}`; use one of {', '.join(known)}")
    if chosen == "ansible" and not entry.get("inventory_file"):
        yield Fault((*path, "executor"), "ansible needs an inventory; name it in inventory_file")
    for key in ("etcdctl_path", "playbook"):
        if (named := entry.get(key)) and not os.path.isabs(named):
            yield Fault((*path, key), "is not an absolute path; write it from the root")
    if entry.get("user") and not (entry.get("password_file") or entry.get("password_env")):
        yield Fault((*path, "user"), "needs its secret; add password_file or password_env")


def _leaves(node: Any, path: toml_lines.Path = ()) -> Iterator[tuple[toml_lines.Path, str, Any]]:
    """Every scalar with its path and key; tables of free text are left out."""
    steps = enumerate(node) if isinstance(node, list) else node.items()
    for step, value in steps:
        if step in _FREE:
            continue
        if isinstance(value, dict | list):
            yield from _leaves(value, (*path, step))
        else:
            yield (*path, step), str(step), value


def _address(path: toml_lines.Path, value: str, schemes: tuple[str, ...] = WEB) -> Iterator[Fault]:
    try:
        parts = urlsplit(value)
        good = parts.scheme in schemes and bool(parts.hostname) and parts.port != 0
        good = good and (parts.scheme != "tcp" or parts.port is not None)
    except ValueError:
        good = False
    if not good:
        yield Fault(path, f"`{value}` is no address of {', '.join(schemes)}; write e.g. http://127.0.0.1:9090")
    elif parts.username or parts.password:
        yield Fault(path, "holds a password; name it in basic_user and basic_password_file instead")


def _file(path: toml_lines.Path, file: Path) -> Iterator[Fault]:
    if not file.is_file():
        yield Fault(path, f"{file} is not there; create it or correct the path")
    elif not os.access(file, os.R_OK):
        yield Fault(path, f"{file} may not be read by this user; change its owner or mode")


def _absolute(node: Any, folder: Path) -> Any:
    """The same tree with the `*_file` paths made absolute: workers run in other folders."""
    if isinstance(node, list):
        return [_absolute(entry, folder) for entry in node]
    if not isinstance(node, dict):
        return node
    return {
        key: str(folder / value)
        if key.endswith("_file") and isinstance(value, str) and value
        else _absolute(value, folder)
        for key, value in node.items()
    }
