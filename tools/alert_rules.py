"""The table of public alert rules: `python -m tools.alert_rules` after tests/payloads/rules got a new release.

It writes subjects/rules.json, what is known of each alert by the metrics of its expression, and docs/alerts.md.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from domain.alerts import Family
from domain.connections import SourceDecl
from subjects import tables
from subjects.decide import subject_of
from subjects.naming import HOSTS
from subjects.subject import Sent, Subject

ROOT = Path(__file__).parents[1]
RULES = ROOT / "tests" / "payloads" / "rules"
TABLE, PAGE = ROOT / "subjects" / "rules.json", ROOT / "docs" / "alerts.md"
# A condition beside the metric that the alert is about.
BY_JOB = {
    "kubelet": tables.Row(Family.NODE, ("@host",)),
    "etcd": tables.Row(Family.ETCD, ("@member",)),
    "apiserver": tables.Row(Family.API_SERVER, ("@kube-apiserver",)),
    "scheduler": tables.Row(Family.CONTROL_PLANE, ("pod", "@kube-scheduler")),
    "controller-manager": tables.Row(Family.CONTROL_PLANE, ("pod", "@kube-controller-manager")),
    "kube-proxy": tables.Row(Family.CONTROL_PLANE, ("pod", "@kube-proxy")),
    "dns": tables.Row(Family.CONTROL_PLANE, ("pod", "@coredns")),
    "node": tables.Row(Family.NODE, ("@host",), "node-exporter"),
}
MONITORING = re.compile(r"prometheus|alertmanager|thanos|loki|grafana|\bvm")
BESIDE = ("up", "grpc_", "absent", "scrape_", "kube_node_role", "kube_pod_owner", "kube_node_info")


@dataclass(frozen=True, slots=True)
class Rule:
    """One alert of a public rule set: facts of its file, and what a reader of the rule takes it to be about.

    Without a truth nobody has read the rule yet.
    """

    set: str
    facts: dict[str, Any]
    truth: dict[str, str | None]

    @property
    def is_read(self) -> bool:
        """Whether somebody wrote down what it is about."""
        return bool(self.truth)

    @property
    def name(self) -> str:
        """The name of the alert."""
        return str(self.facts["alert"])

    def sent(self) -> Sent:
        """The alert as its sender writes it."""
        if "event" in self.facts:
            event = self.facts["event"]
            tags = {tag["tag"]: tag["value"] for tag in event.get("event_tags", [])}
            named = {k: v for k, v in event.items() if k.startswith(("host_", "item_")) and v}
            return Sent("zabbix", event.get("trigger_name") or event["event_name"], event["event_name"], named | tags)
        labels = self.facts["labels"]
        return Sent("alertmanager", labels["alertname"], "", labels)

    def decided_as(self, name: str, url: str) -> Subject:
        """What it would be taken for under another name, with an expression in its link."""
        sent = replace(self.sent(), name=name, url=url)
        return subject_of(sent, SourceDecl(kind=sent.sender, name="prod"))

    def decided(self) -> Subject:
        """What this version takes it to be about."""
        return subject_of(self.sent(), SourceDecl(kind=self.sent().sender, name="prod"))


def rules() -> Iterator[Rule]:
    """Every rule of every set, in the order of the files."""
    for path in sorted(RULES.glob("*.json")):
        content = json.loads(path.read_text(encoding="utf-8"))
        for facts in content["alerts"]:
            yield Rule(content["set"], {k: v for k, v in facts.items() if k != "truth"}, facts["truth"] or {})


def table() -> dict[str, dict[str, Any]]:
    """What is known of each alert's name by the metrics of its expression; the first set that has a name gives it."""
    found: dict[str, dict[str, Any]] = {}
    for rule in rules():
        row = _row(rule.facts)
        if row is not None and rule.name not in found and "labels" in rule.facts:
            found[rule.name] = {"by": list(row.by), "family": str(row.family), "reporter": row.reporter}
    return dict(sorted(found.items()))


def _row(facts: dict[str, Any]) -> tables.Row | None:
    """The row of the first metric that names a subject; of one beside it when there is no other, then by its job."""
    metrics = facts.get("metrics") or []
    known = [(metric, row) for metric in metrics if (row := tables.metric_row(metric)) is not None and row.by]
    first = [row for metric, row in known if not metric.startswith(BESIDE)]
    job = str((facts.get("selectors") or {}).get("job", "")).lower()
    by_job = [row for word, row in BY_JOB.items() if word in job] or _of_job(job)
    row = next(iter([*first, *by_job, *(row for _, row in known)]), None)
    return row if row is None or _names_any(row, facts) else tables.Row(row.family, (*row.by, "@cluster"), row.reporter)


def _of_job(job: str) -> list[tables.Row]:
    """The row of a rule about one job of a monitoring system, by the words of the job."""
    name = re.sub(r"^=~|\.\*|[$^]", "", job).strip(".-")
    if not MONITORING.search(name):
        return []
    named = (f"Service:{name}",) if re.fullmatch(r"[a-z0-9-]+", name) else ()
    return [tables.Row(Family.MONITORING, ("@target", *named))]


def _names_any(row: tables.Row, facts: dict[str, Any]) -> bool:
    """Whether the alert's labels, or the row itself, name a subject; an aggregation over everything leaves none."""
    if facts.get("by") is None and not _has_label_set(facts):
        return True
    labels = set(facts.get("labels") or ()) | {label.removeprefix("exported_") for label in facts.get("labels") or ()}
    own = {token.rpartition("=")[2] for token in row.by if not token.startswith("@")}
    host = "@host" in row.by and not labels & {*HOSTS, "instance"}
    return bool(own & labels) or (any(token.startswith("@") for token in row.by) and not host)


def _has_label_set(facts: dict[str, Any]) -> bool:
    """Whether somebody wrote down the labels of a firing alert; a new rule has only those of the rule itself."""
    return bool(set(facts.get("labels") or ()) - {"alertname", "severity"}) or facts.get("truth") is not None


def is_right(rule: Rule, decided: Subject) -> tuple[bool, bool]:
    """Whether the subject has the true kind and name, and whether the family is the true one."""
    truth, ref = rule.truth, decided.ref
    if not truth:
        return False, False
    if truth["kind"] is None:
        return ref is None or not ref.name, decided.family == truth["family"]
    same_kind = ref is not None and ref.kind == truth["kind"]
    same_name = ref is not None and (ref.name == truth["name"] or truth["name"] in {"", *ref.aliases})
    return same_kind and same_name, decided.family == truth["family"]


def page() -> str:
    """The alerts by set, with what each is about."""
    lines = ["# Known alerts", "", INTRODUCTION, ""]
    sets: dict[str, list[Rule]] = {}
    for rule in rules():
        sets.setdefault(rule.set, []).append(rule)
    for name, members in sets.items():
        lines += [f"## {name}", "", "| alert | about | family | reported by | decided by |", "|---|---|---|---|---|"]
        lines += dict.fromkeys(_line(rule) for rule in members if "variant" not in rule.facts)
        lines.append("")
    return "\n".join(lines)


INTRODUCTION = (
    "What an alert is about is decided by its rule where it is known: by its name, else by the metrics of its"
    " expression. Made from the rule files of public sets by `python -m tools.alert_rules`; the label sets are those"
    " of the usual scrape configurations. `?` marks what the service does not know or does not get right."
)


def _line(rule: Rule) -> str:
    decided = rule.decided()
    subject, family = is_right(rule, decided)
    about = f"{decided.ref.kind} `{decided.ref.name}`" if decided.ref else "nothing"
    cells = (rule.name, about + ("" if subject else " ?"), (decided.family or "unknown") + ("" if family else " ?"),
             decided.reporter, decided.decided_by.en)  # fmt: skip
    return f"| {' | '.join(cell.replace('|', '&#124;') for cell in cells)} |"


def main() -> None:
    """Write the table, then the page that it gives."""
    TABLE.write_text(json.dumps(table(), indent=0) + "\n", encoding="utf-8")
    tables.alerts.cache_clear()
    PAGE.write_text(page(), encoding="utf-8")


if __name__ == "__main__":
    main()
