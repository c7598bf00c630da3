"""A new release of a rule set is one run: its facts, without its texts, and what a person has to read."""

from pathlib import Path

import pytest

from tools.rule_facts import facts_of, in_step

FILES = sorted((Path(__file__).parents[1] / "real" / "rules").glob("*.yaml"))
PLAIN = """
groups:
  - name: nodes
    rules:
      - record: instance:node_load1
        expr: node_load1
      - alert: NodeBusy
        expr: |
          sum by (instance, job) (rate(node_cpu_seconds_total{mode!="idle",job=~"node.*"}[5m])) / on (instance)
          count by (instance) (node_cpu_seconds_total) > 0.9
        labels: {severity: warning}
        annotations: {summary: "Busy"}
"""


def test_metrics_selectors_and_kept_labels_are_read_and_no_text() -> None:
    (facts,) = facts_of(PLAIN)
    assert facts == {
        "alert": "NodeBusy", "group": "nodes", "severity": "warning", "metrics": ["node_cpu_seconds_total"],
        "by": ["instance", "job"], "selectors": {"mode": "!idle", "job": "=~node.*"},
        "labels": {"alertname": "NodeBusy", "severity": "warning", "instance": "", "job": ""}, "truth": None,
    }  # fmt: skip


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_objects_of_the_operator_are_read_too(path: Path) -> None:
    found = list(facts_of(path.read_text(encoding="utf-8")))
    assert len(found) > 3 and all(facts["metrics"] for facts in found if facts["alert"] != "Watchdog")


def test_what_people_wrote_stays_and_what_is_new_waits_for_a_reader() -> None:
    (new,) = facts_of(PLAIN)
    known = [
        new | {"alert": "Old", "truth": {"kind": "Host"}},
        new | {"metrics": ["node_load1"], "truth": {"kind": "Host"}, "doubt": "may be a pod"},
        new | {"metrics": ["x"], "variant": "google", "truth": {"kind": "Pod"}},
    ]
    other = new | {"alert": "NodeNew"}
    alerts, done = in_step(known, [new, other])
    assert done == {"new": ["NodeNew"], "changed": ["NodeBusy"], "gone": ["Old"]}
    assert [a["truth"] for a in alerts] == [{"kind": "Host"}, {"kind": "Host"}, {"kind": "Pod"}, None]
    assert alerts[1]["metrics"] == ["node_cpu_seconds_total"] and alerts[1]["doubt"] == "may be a pod"
    assert alerts[2]["metrics"] == ["x"]
    assert in_step(alerts, [new, other])[1]["new"] == []


@pytest.mark.parametrize("content", ["[]", "text", "- alert: X"])
def test_what_is_no_file_of_rules_is_refused(content: str) -> None:
    with pytest.raises(ValueError, match="no file of Prometheus rules"):
        list(facts_of(content))
