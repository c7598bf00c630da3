"""`parse`, `entity` and `repair_identities` on the command line."""

import json
from io import BytesIO, TextIOWrapper
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError

from incidents import sources
from incidents.models import Alert, Delivery, Entity, Incident, Source
from ingest.sources import all_sources
from tests.commands.test_verbs import run
from tests.incidents.test_repair import melted, place
from tests.ingest.test_field_cases import case, message

pytestmark = pytest.mark.django_db


@pytest.fixture
def source(db: None) -> Source:
    return sources.make_source("alertmanager", "prod")[0]


def body(tmp_path: Path, content: object) -> str:
    path = tmp_path / "body.json"
    path.write_text(json.dumps(content), encoding="utf-8")
    return str(path)


def parsed(*words: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(run("parse", *words, "--json"))["alerts"]
    return found


def stored() -> list[int]:
    return [kind.objects.count() for kind in (Source, Delivery, Alert, Incident, Entity)]


def test_parse_gives_subject_family_reporter_and_severity_and_stores_nothing(tmp_path: Path) -> None:
    before = stored()
    first, second = parsed("alertmanager", body(tmp_path, case("01")["body"]))
    assert first["subject"] == {"kind": "Workload", "cluster": "", "namespace": "shop", "name": "cart"}
    assert second["subject"]["name"] == "mailer"
    assert (first["family"], first["reporter"], first["severity"]) == ("workload", "kube-state-metrics", "warning")
    assert first["decided_by"] == "known rule KubeDeploymentReplicasMismatch, label deployment"
    assert first["would_join"] is None
    assert stored() == before


def test_parse_names_the_open_incident_that_an_alert_would_join(tmp_path: Path, source: Source) -> None:
    place(source, case("01")["body"])
    before = stored()
    sent = message(alertname="KubeDeploymentRolloutStuck", deployment="cart", namespace="shop")
    (one,) = parsed("alertmanager", body(tmp_path, sent))
    assert one["would_join"] == {"incident": 1, "reason": "same entity, workload cart"}
    assert stored() == before


def test_parse_reads_standard_input(monkeypatch: pytest.MonkeyPatch) -> None:
    raw = json.dumps(case("13")["bodies"][0]).encode()
    monkeypatch.setattr("sys.stdin", TextIOWrapper(BytesIO(raw)))
    (one,) = parsed("zabbix", "-")
    assert (one["subject"]["kind"], one["subject"]["name"], one["family"]) == ("EtcdMember", "etcd-9", "etcd")


@pytest.mark.parametrize("kind", sorted(all_sources()))
def test_the_example_of_every_source_can_be_parsed(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "example.json"
    path.write_bytes(all_sources()[kind].example)
    assert parsed(kind, str(path))
    assert "about" in run("parse", kind, str(path))


def test_a_body_that_would_be_parked_is_refused_with_the_field(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="event_id"):
        run("parse", "zabbix", body(tmp_path, {"event_value": "1"}))
    with pytest.raises(CommandError, match="cannot be read"):
        run("parse", "zabbix", str(tmp_path / "none.json"))
    with pytest.raises(CommandError, match="no source alertmanager/other"):
        run("parse", "alertmanager", body(tmp_path, case("01")["body"]), "--source", "other")
    assert stored() == [0, 0, 0, 0, 0]


def test_two_entities_are_merged_shown_and_taken_apart(source: Source) -> None:
    place(source, case("02")["body"])
    one, two = "Host///worker-1", "Host///worker-2"
    assert "incidents that changed: 1" in run("entity", "merge", one, two, "--because", "one machine")
    assert "holds Host///worker-1: merged by command line, one machine" in run("entity", "show", two)
    assert "stands for itself again" in run("entity", "unmerge", one)
    assert "holds" not in run("entity", "show", two)
    with pytest.raises(CommandError, match="no entity Host///none"):
        run("entity", "show", "Host///none")


def test_repair_counts_then_mends_then_has_nothing_to_mend(source: Source) -> None:
    melted(source)
    counted = run("repair_identities", "--dry-run")
    assert counted.startswith("would be mended: 4 alerts about other entities")
    done = run("repair_identities")
    assert done.startswith("mended: 4 alerts") and "removed: 2 names and 2 relations without a proof" in done
    assert "rebuild_graph --clear" in done or "built anew" in done
    assert run("repair_identities").strip() == "nothing to mend"
