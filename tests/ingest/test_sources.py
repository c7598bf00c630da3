"""What each source's parser makes of captured messages, without the record."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml

from domain.alerts import AlertState, Severity
from domain.errors import Malformed
from ingest.sources import all_sources
from ingest.sources.alertmanager import entities_of

PAYLOADS = Path(__file__).parent.parent / "payloads"
NOW = datetime(2026, 11, 23, 6, 51, 36, tzinfo=UTC)


def captured(name: str) -> dict[str, Any]:
    found: Any = json.loads((PAYLOADS / name).read_text())
    body: dict[str, Any] = (found[0] if isinstance(found, list) else found)["body"]
    return body


def parse(kind: str, body: dict[str, Any], at: datetime = NOW) -> Any:
    return all_sources()[kind].parse(json.dumps(body).encode(), at)


def test_these_are_the_sources() -> None:
    assert list(all_sources()) == ["alertmanager", "zabbix"]


@pytest.mark.parametrize("kind", ["alertmanager", "zabbix"])
def test_each_source_understands_its_own_example_and_sets_up_with_url_and_token(kind: str) -> None:
    source = all_sources()[kind]
    (alert,) = source.parse(source.example, NOW).alerts
    assert alert.state is AlertState.FIRING and alert.entities
    steps = source.setup("http://graph.example/ingest/x/prod", "secret-token")
    text = "\n".join(step.body for step in steps)
    assert "http://graph.example/ingest/x/prod" in text and "secret-token" in text
    assert all(step.title.en and step.title.zh for step in steps)


def test_the_shipped_media_type_is_the_one_that_was_imported_and_exported_by_a_real_zabbix() -> None:
    shipped = all_sources()["zabbix"].setup("u", "t")[0].body
    assert shipped == (PAYLOADS / "zabbix" / "media_incident_graph.yaml").read_text()
    (media,) = yaml.safe_load(shipped)["zabbix_export"]["media_types"]
    assert yaml.safe_load(shipped)["zabbix_export"]["version"] == "6.0"
    assert (media["process_tags"], media["attempts"], media["attempt_interval"]) == ("YES", "10", "30s")


def test_macros_that_zabbix_could_not_resolve_are_nothing() -> None:
    (alert,) = parse("zabbix", captured("zabbix/01-raw-macros-problem-update-recovery.json")).alerts
    told = " ".join([alert.note, alert.title, *alert.labels.values(), *alert.annotations.values()])
    assert "{" not in told and "*UNKNOWN*" not in told


@pytest.mark.parametrize(("offset_min", "late_s"), [(0, 0), (480, 2), (-210, 5), (345, -3), (765, 60)])
def test_zabbix_times_are_utc_whatever_the_recipients_zone(offset_min: int, late_s: int) -> None:
    body = captured("zabbix/02-shipped-problem.json")
    zone = timedelta(minutes=offset_min)
    start, sent = datetime(2026, 11, 23, 6, 51, 33, tzinfo=UTC), datetime(2026, 11, 23, 6, 51, 36, tzinfo=UTC)
    for prefix, time in (("event", start + zone), ("message", sent + zone)):
        body |= {f"{prefix}_date": f"{time:%Y.%m.%d}", f"{prefix}_time": f"{time:%H:%M:%S}"}
    body["sent_at"] = sent.timestamp() + late_s
    assert parse("zabbix", body, NOW + timedelta(days=3)).alerts[0].started_at == start


def test_a_zone_that_cannot_be_known_leaves_the_time_of_arrival() -> None:
    body = captured("zabbix/07-recipient-timezone-asia-shanghai.json")
    arrived = datetime(2026, 11, 23, 6, 49, 1, tzinfo=UTC)
    started = parse("zabbix", body, arrived).alerts[0].started_at
    assert abs(started - arrived) < timedelta(minutes=10)


@pytest.mark.parametrize(
    ("change", "field"),
    [({"event_id": None}, "event_id"), ({"event_id": "{EVENT.ID}"}, "event_id"), ({"event_value": "2"}, "event_value")],
)
def test_what_zabbix_must_send_is_named_when_it_is_missing(change: dict[str, Any], field: str) -> None:
    with pytest.raises(Malformed) as caught:
        parse("zabbix", captured("zabbix/02-shipped-problem.json") | change)
    assert caught.value.field == field


@pytest.mark.parametrize(
    ("number", "severity"),
    [("0", Severity.INFO), ("4", Severity.HIGH), ("5", Severity.CRITICAL), ("9", Severity.WARNING)],
)  # fmt: skip
def test_severity_goes_by_the_number_never_by_the_name_in_some_language(number: str, severity: Severity) -> None:
    body = captured("zabbix/02-shipped-problem.json") | {"event_nseverity": number, "event_severity": "高"}
    assert parse("zabbix", body).alerts[0].severity is severity


def test_each_alert_of_a_group_has_its_own_state_and_a_zero_end_is_none() -> None:
    body = captured("alertmanager/04-group-one-resolved-one-new-still-firing.json")
    alerts = parse("alertmanager", body).alerts
    assert [a.state.value for a in alerts] == ["resolved", "firing", "firing", "firing"]
    assert [a.ended_at is None for a in alerts] == [False, True, True, True]


def test_the_ticket_that_alertmanager_itself_opened_can_be_found() -> None:
    (label,) = parse("alertmanager", captured("alertmanager/01-firing-single.json")).ticket_labels
    assert label.startswith("ALERT{") and len(label) == len("ALERT{}") + 64


@pytest.mark.parametrize(
    ("labels", "keys"),
    [
        ({"namespace": "shop", "pod": "web-0", "cluster": "a", "instance": "10.0.0.1:80"}, ["Pod/a/shop/web-0"]),
        ({"node": "n1", "cluster": "a"}, ["Host/a//n1"]),
        ({"instance": "n1:9100"}, ["Host///n1"]),
        ({"instance": "http://shop.example/health"}, ["Service///http://shop.example/health"]),
        ({"instance": "10.0.0.9:53", "job": "blackbox-tcp"}, ["Service///10.0.0.9:53"]),
        ({"job": "etcd", "instance": "10.0.0.1:2379", "member": "m1", "cluster": "a"}, ["EtcdMember/a//10.0.0.1:2379"]),
        ({"alertname": "EtcdPeerRTTHigh", "member": "m1", "cluster": "a"}, ["EtcdMember/a//m1"]),
        ({"alertname": "etcdNoLeader", "cluster": "a"}, ["EtcdCluster/a//a"]),
        ({"deployment": "web", "namespace": "shop"}, ["Workload//shop/web"]),
        ({}, []),
    ],
)
def test_labels_name_entities(labels: dict[str, str], keys: list[str]) -> None:
    assert [e.key for e in entities_of(labels)] == keys
