"""The tables of this room: metrics, reporters and the alerts of public rule sets. Read once, when first asked for."""

import json
import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib.resources import files
from typing import Any

from domain.alerts import Family

# Parts by which one word of a job or a pod is divided.
_PARTS = re.compile(r"[^a-z0-9]+")


@dataclass(frozen=True, slots=True)
class Row:
    """What is known of an alert or a metric: `by` names the labels and rules that give its subject, in order."""

    family: Family
    by: tuple[str, ...] = ()
    reporter: str = ""


@dataclass(frozen=True, slots=True)
class Reporter:
    """An exporter or poller; `exports` is host, probed, service or nothing: what its own address stands for."""

    name: str
    words: tuple[str, ...]
    exports: str


@dataclass(frozen=True, slots=True)
class Item:
    """What an item of Zabbix's templates is about: `by` is a rule, or the label that its parameter gives."""

    family: Family
    by: str


def _toml(name: str) -> dict[str, Any]:
    return tomllib.loads(files(__package__).joinpath(name).read_text(encoding="utf-8"))


def _row(made: Mapping[str, Any]) -> Row:
    return Row(Family(made["family"]), tuple(made["by"]), made.get("reporter", ""))


@cache
def metrics() -> Mapping[str, Row]:
    """Rows by the start of a metric's name."""
    return {prefix: _row(made) for prefix, made in _toml("metrics.toml").items()}


@cache
def alerts() -> Mapping[str, Row]:
    """Rows by the name of an alert; what was written by hand replaces what was made from the rule files."""
    made = json.loads(files(__package__).joinpath("rules.json").read_text(encoding="utf-8"))
    return {name: _row(row) for name, row in (made | _toml("alerts.toml")).items()}


@cache
def _items() -> Mapping[str, Item]:
    return {key: Item(Family(made["family"]), made["by"]) for key, made in _toml("zabbix_items.toml").items()}


@lru_cache(maxsize=4096)
def zabbix_item(key: str) -> Item | None:
    """The row of the longest start of an item's key."""
    fitting = [start for start in _items() if key.startswith(start)]
    return _items()[max(fitting, key=len)] if fitting else None


@cache
def reporters() -> tuple[Reporter, ...]:
    """All reporters, those with the longest words first."""
    found = [Reporter(name, tuple(made["words"]), made["exports"]) for name, made in _toml("reporters.toml").items()]
    return tuple(sorted(found, key=lambda r: -max(map(len, r.words))))


@lru_cache(maxsize=4096)
def metric_row(metric: str) -> Row | None:
    """The row of the longest prefix of a metric's name."""
    fitting = [prefix for prefix in metrics() if metric.startswith(prefix)]
    return metrics()[max(fitting, key=len)] if fitting else None


def reporter_named(texts: Iterable[str]) -> Reporter | None:
    """The reporter that one of these texts names, as a whole word of it: `kps-kube-state-metrics` and the like."""
    whole = [f"-{_PARTS.sub('-', text.lower())}-" for text in texts if text]
    for reporter in reporters():
        words = [f"-{_PARTS.sub('-', word)}-" for word in reporter.words]
        if any(text == word if word == "-node-" else word in text for word in words for text in whole):
            return reporter
    return None
