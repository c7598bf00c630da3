"""Facts of a new release of a rule set: `python -m tools.rule_facts SET FILE.yaml ...`, then `tools.alert_rules`.

It reads files of Prometheus rules, or PrometheusRule objects, and brings tests/payloads/rules/SET.json in step: the
metrics, selectors and kept labels of each alert, without its texts. What an alert is about is for a person to read:
a new alert has the truth null, and no figure counts it, until somebody wrote it down.
"""

import argparse
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from subjects.expression import metrics_in

RULES = Path(__file__).parents[1] / "tests" / "payloads" / "rules"
_BY = re.compile(r"\bby\s*\(([^)]*)\)", re.IGNORECASE)
_SELECTOR = re.compile(r'(\w+)\s*(=~|!~|!=|=)\s*"((?:[^"\\]|\\.)*)"')
_SIGNS = {"=": "", "=~": "=~", "!=": "!", "!~": "=~!"}
Alerts = list[dict[str, Any]]


def facts_of(content: str) -> Iterator[dict[str, Any]]:
    """The facts of each alert in a file, in its order. Raises ValueError for what is no file of rules."""
    for document in yaml.safe_load_all(content):
        if not isinstance(document, dict):
            raise ValueError("is no file of Prometheus rules")
        for group in (document.get("spec") or document).get("groups") or []:
            yield from (_facts(group.get("name", ""), rule) for rule in group.get("rules") or [] if "alert" in rule)


def _facts(group: str, rule: dict[str, Any]) -> dict[str, Any]:
    expression, severity = str(rule["expr"]), str((rule.get("labels") or {}).get("severity", ""))
    kept = _BY.search(expression)
    by = [label.strip() for label in kept[1].split(",") if label.strip()] if kept else None
    selectors = {label: _SIGNS[sign] + value for label, sign, value in _SELECTOR.findall(expression)}
    labels = {"alertname": rule["alert"], "severity": severity} | dict.fromkeys(by or (), "")
    return {
        "alert": rule["alert"], "group": group, "severity": severity, "metrics": list(metrics_in(expression)), "by": by,
        "selectors": selectors, "labels": labels, "truth": None,
    }  # fmt: skip


def in_step(known: Alerts, read: Alerts) -> tuple[Alerts, dict[str, list[str]]]:
    """The alerts of a set after a new release, and which of them are new, changed or gone.

    Label sets, truths and doubts that people wrote stay; an alert that is gone stays too, as older clusters send it.
    """
    by_name = {facts["alert"]: facts for facts in read}
    names = {entry["alert"] for entry in known}
    changed = [entry for entry in known if entry["alert"] in by_name and _differs(entry, by_name[entry["alert"]])]
    new = [facts for name, facts in by_name.items() if name not in names]
    done = {
        "new": sorted(facts["alert"] for facts in new),
        "changed": sorted({entry["alert"] for entry in changed}),
        "gone": sorted(names - by_name.keys()),
    }
    updated = [
        entry | {"metrics": by_name[entry["alert"]]["metrics"]} if entry in changed else entry for entry in known
    ]
    return updated + new, done


def _differs(entry: dict[str, Any], facts: dict[str, Any]) -> bool:
    """Whether the rule reads other metrics than it did; a variant was written by hand."""
    return "variant" not in entry and set(entry.get("metrics") or ()) != set(facts["metrics"])


def main() -> None:
    """Bring one set in step and print what that means."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("set", help="the name of the set, as its file is called")
    parser.add_argument("files", nargs="+", type=Path, help="rule files of the new release")
    asked = parser.parse_args()
    path = RULES / f"{asked.set}.json"
    content = json.loads(path.read_text(encoding="utf-8")) if path.exists() else _empty(asked.set)
    read = [facts for file in asked.files for facts in facts_of(file.read_text(encoding="utf-8"))]
    content["alerts"], done = in_step(content["alerts"], read)
    lines = ",\n".join("  " + json.dumps(entry) for entry in content["alerts"])
    head = {key: value for key, value in content.items() if key != "alerts"}
    path.write_text(f'{json.dumps(head, indent=1)[:-2]},\n "alerts": [\n{lines}\n ]\n}}\n', encoding="utf-8")
    for what, names in done.items():
        print(f"{what}: {', '.join(names) or 'none'}")  # noqa: T201 - a tool of the developers


def _empty(name: str) -> dict[str, Any]:
    return {"set": name, "source": "", "sender": "alertmanager", "alerts": []}


if __name__ == "__main__":
    main()
