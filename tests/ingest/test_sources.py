"""What each source's parser makes of captured messages, without the record."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml

from domain.alerts import AlertState, Severity
from domain.connections import SourceDecl
from domain.errors import Malformed
from ingest.sources import all_sources
from subjects.decide import subject_of
from subjects.subject import Sent

PAYLOADS = Path(__file__).parent.parent / "payloads"
NOW = datetime(2026, 11, 23, 6, 51, 36, tzinfo=UTC)


def captured(name: str) -> dict[str, Any]:
    found: Any = json.loads((PAYLOADS / name).read_text())
    body: dict[str, Any] = (found[0] if isinstance(found, list) else found)["body"]
    return body


def parse(kind: str, body: dict[str, Any], at: datetime = NOW) -> Any:
    return all_sources()[kind].parse(json.dumps(body).encode(), at)


def test_these_are_the_sources() -> None:
    assert list(all_sources()) == ["alertmanager", "cloudwatch", "google_monitoring", "kubernetes", "zabbix"]


@pytest.mark.parametrize("kind", ["alertmanager", "cloudwatch", "google_monitoring", "kubernetes", "zabbix"])
def test_each_source_understands_its_own_example_and_sets_up_with_url_and_token(kind: str) -> None:
    source = all_sources()[kind]
    (alert,) = source.parse(source.example, NOW).alerts
    assert alert.state is AlertState.FIRING and alert.entities
    steps = source.setup("http://graph.example/ingest/x/prod", "secret-token")
    text = "\n".join(step.body for step in steps)
    assert "http://graph.example/ingest/x/prod" in text and "secret-token" in text
    assert all(step.title.en and step.title.in_language("zh") for step in steps)


def test_the_shipped_media_type_is_the_one_that_was_imported_and_exported_by_a_real_zabbix() -> None:
    shipped = all_sources()["zabbix"].setup("u", "t")[0].body
    assert shipped == (PAYLOADS / "zabbix" / "media_incident_graph.yaml").read_text()
    (media,) = yaml.safe_load(shipped)["zabbix_export"]["media_types"]
    assert yaml.safe_load(shipped)["zabbix_export"]["version"] == "6.0"
    assert (media["process_tags"], media["attempts"], media["attempt_interval"]) == ("YES", "10", "30s")


def test_macros_that_zabbix_could_not_resolve_are_nothing() -> None:
    (alert,) = parse("zabbix", captured("zabbix/01-raw-macros-problem-update-recovery.json")).alerts
    texts = " ".join([alert.note, alert.title, *alert.labels.values(), *alert.annotations.values()])
    assert "{" not in texts and "*UNKNOWN*" not in texts


@pytest.mark.parametrize(("offset_min", "late_s"), [(0, 0), (480, 2), (-210, 5), (345, -3), (765, 60)])
def test_zabbix_times_are_utc_whatever_the_recipients_zone(offset_min: int, late_s: int) -> None:
    body = captured("zabbix/02-shipped-problem.json")
    zone = timedelta(minutes=offset_min)
    start, sent = datetime(2026, 11, 23, 6, 51, 33, tzinfo=UTC), datetime(2026, 11, 23, 6, 51, 36, tzinfo=UTC)
    for prefix, time in (("event", start + zone), ("message", sent + zone)):
        body |= {f"{prefix}_date": f"{time:%Y.%m.%d}", f"{prefix}_time": f"{time:%H:%M:%S}"}
    body["sent_at"] = sent.timestamp() + late_s
    assert parse("zabbix", body, NOW + timedelta(days=3)).alerts[0].started_at == start


@pytest.mark.parametrize("dates", [{"event": "0001.01.01"}, {"event": "1971.01.01", "message": "8999.01.01"}])
def test_a_date_out_of_all_reason_leaves_the_time_of_arrival(dates: dict[str, str]) -> None:
    body = json.loads(all_sources()["zabbix"].example) | {f"{name}_date": date for name, date in dates.items()}
    (alert,) = parse("zabbix", body).alerts
    assert alert.started_at == NOW


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
        (
            {"namespace": "shop", "pod": "web-0", "cluster": "a", "instance": "10.0.0.1:80"},
            ["Pod/a/shop/web-0", "Workload/a/shop/web"],
        ),
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
    sent = Sent("alertmanager", labels.get("alertname", ""), "", labels)
    found = subject_of(sent, SourceDecl(kind="alertmanager", name="prod"))
    assert [e.key for e in found.entities] == keys


def group_alert(**changes: Any) -> Any:
    (alert,) = parse("kubernetes", json.loads(all_sources()["kubernetes"].example) | changes).alerts
    return alert


@pytest.mark.parametrize(
    ("reason", "probe", "message", "title"),
    [
        ("Unhealthy", "Readiness", 'Readiness probe failed: Get "http://10.0.0.7:8080/readyz": EOF', "Readiness probe of shop/cart fails: EOF"),
        ("Unhealthy", "Liveness", "(combined from similar events): Liveness probe failed: HTTP probe failed with statuscode: 503", "Liveness probe of shop/cart fails: HTTP probe failed with statuscode: 503"),
        ("Killing", "Startup", "Container app failed startup probe, will be restarted", "Startup probe of shop/cart fails, its container is restarted: Container app failed startup probe, will be restarted"),
        ("BackOff", "", "Back-off restarting failed container app in pod cart-597958d8f5-kbsml_shop(ac8851e2-7a3e-44c0-9fd5-0d1c5b3f9d0a)", "Container of shop/cart does not stay up: Back-off restarting failed container app"),
        ("FailedMount", "", "", "Volume of shop/cart cannot be mounted: no reason given"),
        ("{0}Odd", "", "{1}", "0Odd at shop/cart: {1}"),
    ],
)  # fmt: skip
def test_a_group_of_events_has_a_title_with_what_fails(reason: str, probe: str, message: str, title: str) -> None:
    assert group_alert(reason=reason, probe=probe, messages=[message]).title == title


def test_a_group_of_several_pods_is_one_alert_about_all_of_them() -> None:
    pods = [{"name": f"cart-{n}", "node": f"node-{n}"} for n in range(3)]
    alert = group_alert(pods=pods, more_pods=2)
    assert alert.title == "Readiness probe of shop/cart fails: context deadline exceeded (5 pods)"
    assert [e.key for e in alert.entities] == [
        "Workload/prod-a/shop/cart",
        *(f"Pod/prod-a/shop/cart-{n}" for n in range(3)),
    ]
    assert "pod" not in alert.labels and "node" not in alert.labels and alert.labels["deployment"] == "cart"


def test_a_group_has_a_note_in_both_languages_that_events_are_not_failures() -> None:
    annotations = group_alert(count=7).annotations
    assert "7 events. Event counts are not failure counts" in annotations["description"]
    assert "7 个事件。事件数不等于失败次数" in annotations["description_zh"]


def test_all_messages_of_a_group_are_one_alert_and_a_restart_by_the_probe_makes_it_worse() -> None:
    first, killed = group_alert(probe="Liveness"), group_alert(probe="Liveness", reason="Killing", count=9)
    assert (first.identity, first.occurrence) == (killed.identity, killed.occurrence)
    assert killed.severity.rank > first.severity.rank
    others = [
        group_alert(),
        group_alert(namespace="b"),
        group_alert(cluster="b"),
        group_alert(workload={"kind": "Job", "name": "cart"}),
    ]
    assert len({first.identity, *(o.identity for o in others)}) == 5


def test_a_group_ends_with_its_resolved_message() -> None:
    alert = group_alert(state="resolved", ended="2026-03-01T12:09:00Z")
    assert alert.state is AlertState.RESOLVED and alert.ended_at == datetime(2026, 3, 1, 12, 9, tzinfo=UTC)


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"first": "soon"}, "first"),
        ({"first": "0001-01-01T00:00:00Z"}, "first"),
        ({"probe": "Other"}, "probe"),
        ({"state": "update"}, "state"),
        ({"workload": {"kind": "Deployment"}}, "workload.name"),
        ({"workload": {"kind": "Deployment", "name": ""}}, "workload.name"),
        ({"cluster": ""}, "cluster"),
        ({"pods": [{"name": 3}]}, "pods[0].name"),
        ({"version": 2}, "version"),
    ],
)
def test_what_is_wrong_in_a_message_of_a_group_is_named(change: dict[str, Any], field: str) -> None:
    with pytest.raises(Malformed) as caught:
        group_alert(**change)
    assert caught.value.field == field


def test_the_role_that_is_shown_is_the_one_in_the_docs() -> None:
    shown = all_sources()["kubernetes"].setup("u", "t")[0].body
    assert shown == (PAYLOADS.parents[1] / "docs" / "kubernetes" / "read-only-role.yaml").read_text()
    role = next(d for d in yaml.safe_load_all(shown) if d["kind"] == "ClusterRole")
    assert {verb for rule in role["rules"] for verb in rule["verbs"]} == {"get", "list", "watch"}
    assert {r for rule in role["rules"] for r in rule["resources"]} == {
        "pods", "events", "nodes", "endpointslices", "deployments",
    }  # fmt: skip
