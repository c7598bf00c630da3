"""What Grafana, vmalert, rulers, Amazon's and Google's services send comes in as it is."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from django.core.cache import cache
from django.test import Client
from django.utils import timezone

from domain.alerts import AlertState, Severity
from domain.errors import Malformed
from incidents import sources
from incidents.models import Alert, Delivery, Incident, LoginFailure, Source
from ingest.formats.fingerprint import fingerprint
from ingest.sources import all_sources
from tests.ingest.documented import FOLDER, TOKEN, parsed, payload, post, work
from tests.ingest.test_doors import GOOD
from tests.ingest.test_sources import NOW, PAYLOADS

KINDS = ("alertmanager", "cloudwatch", "google_monitoring", "zabbix")


@pytest.fixture
def senders(db: None) -> Iterator[dict[str, Source]]:
    cache.clear()
    yield {kind: sources.make_source(kind, "prod", TOKEN)[0] for kind in KINDS}
    cache.clear()


def test_grafanas_alert_has_its_description_as_title_and_its_values_beside_it() -> None:
    (alert,) = parsed("alertmanager", "grafana-firing.json")
    assert (alert.name, alert.title) == ("High memory usage", "The system has high memory usage")
    assert alert.annotations["values"] == "B = 44.23943737541908, C = 1"
    assert alert.started_at == datetime(2026, 11, 30, 7, 51, 3, 157076, UTC) and not alert.test


@pytest.mark.parametrize(
    ("file", "rule", "title"),
    [
        ("grafana-no-data.json", "etcd leader lost", "No data: etcd leader lost"),
        ("grafana-error.json", "etcd fsync slow", "Error: etcd fsync slow"),
        ("grafana-legacy-no-data.json", "Replication lag", "No data: Replication lag"),
    ],
)
def test_a_rule_that_could_not_be_evaluated_keeps_its_name(file: str, rule: str, title: str) -> None:
    (alert,) = parsed("alertmanager", file)
    assert (alert.name, alert.title, alert.state) == (rule, title, AlertState.FIRING)
    assert alert.labels["alertname"].startswith("Datasource")


def test_grafanas_legacy_webhook_fires_and_ends_one_alert(senders: dict[str, Source]) -> None:
    for file in ("grafana-legacy-alerting.json", "grafana-legacy-ok.json"):
        assert post("alertmanager", payload(file)).status_code == 202
        work()
    incident = Incident.objects.get()
    assert (incident.title, incident.state, incident.severity) == ("Disk of db-1 full", "resolved", Severity.HIGH.rank)
    (alert,) = parsed("alertmanager", "grafana-legacy-alerting.json")
    assert alert.labels["instance"] == "db-1:9100" and alert.annotations["values"] == "used = 97.5"


@pytest.mark.parametrize(
    ("kind", "file", "title"),
    [
        ("alertmanager", "grafana-test.json", "Notification test"),
        ("alertmanager", "grafana-legacy-test.json", "Test notification"),
        ("google_monitoring", "google-test.json", "Test Incident"),
        ("zabbix", "zabbix-test.json", "Test of the media type"),
        ("zabbix", "zabbix-test-macros.json", "Test of the media type"),
    ],
)
def test_a_test_notification_opens_nothing_and_the_source_shows_it(
    senders: dict[str, Source], kind: str, file: str, title: str
) -> None:
    assert post(kind, payload(file)).status_code == 202
    work()
    source = Source.objects.get(kind=kind)
    assert not Incident.objects.exists() and not Alert.objects.exists()
    assert Delivery.objects.get().state == "done"
    assert (
        source.test_title == title and source.tested_at == Delivery.objects.get().received_at == source.last_delivery_at
    )


def test_real_alerts_beside_a_test_are_placed(senders: dict[str, Source]) -> None:
    both = json.loads(payload("grafana-test.json"))
    both["alerts"] += json.loads(payload("grafana-firing.json"))["alerts"]
    post("alertmanager", json.dumps(both).encode())
    work()
    assert (
        Incident.objects.get().title == "The system has high memory usage"
        and Source.objects.get(kind="alertmanager").tested_at
    )


@pytest.mark.parametrize("event", [{"event_id": "7"}, {"event_value": "1"}, {"schema": None}])
def test_an_event_of_zabbix_that_lacks_a_field_is_parked_and_no_test(
    senders: dict[str, Source], event: dict[str, str]
) -> None:
    post("zabbix", json.dumps({**json.loads(payload("zabbix-test.json")), **event}).encode())
    work()
    assert Delivery.objects.get().state == "parked" and Source.objects.get(kind="zabbix").tested_at is None


@pytest.mark.parametrize("file", sorted(path.name for path in FOLDER.glob("*-*.*")))
def test_every_documented_body_is_understood_at_its_door(senders: dict[str, Source], file: str) -> None:
    kind = {"google": "google_monitoring", "cloudwatch": "cloudwatch", "zabbix": "zabbix"}.get(
        file.split("-", maxsplit=1)[0], "alertmanager"
    )
    for _ in range(2):
        assert post(kind, payload(file), content_type="text/plain").status_code == 202
        work()
    assert set(Delivery.objects.values_list("state", flat=True)) == {"done"}
    assert Incident.objects.exists() == ("-test" not in file and file != "cloudwatch-no-data.json")
    assert not Alert.objects.filter(name="").exists()


def test_a_late_test_does_not_replace_a_newer_one(senders: dict[str, Source]) -> None:
    source, now = senders["alertmanager"], timezone.now()
    sources.tested(source, "new", now)
    sources.tested(source, "late", now - timedelta(minutes=1))
    assert Source.objects.get(pk=source.pk).test_title == "new"


@pytest.mark.parametrize("path", ["", "/", "/api/v2/alerts", "/api/v1/alerts", "/api/v2/alerts/"])
def test_a_list_of_alerts_comes_in_at_the_api_and_at_the_plain_door(senders: dict[str, Source], path: str) -> None:
    answer = post("alertmanager", payload("vmalert-firing.json"), path)
    assert answer.status_code == (200 if "api" in path else 202) and set(answer.json()) == {"id", "url"}
    work()
    (alert,) = Alert.objects.all()
    assert (alert.title, alert.severity) == ("etcd has no leader", Severity.CRITICAL.rank)


def test_the_api_is_as_closed_as_the_door_and_no_other_kind_has_one(senders: dict[str, Source]) -> None:
    body = payload("vmalert-firing.json")
    assert (
        Client().post("/ingest/alertmanager/prod/api/v2/alerts", body, content_type="application/json").status_code
        == 401
    )
    assert post("zabbix", body, "/api/v2/alerts").status_code == 404
    assert post("alertmanager", body, "/api/v3/alerts").status_code == 404


def test_an_alert_of_the_api_fires_until_its_end_is_over() -> None:
    parse = all_sources()["alertmanager"].parse
    end = datetime(2026, 11, 30, 20, 56, tzinfo=UTC)
    body = payload("vmalert-firing.json")
    (fires,), (over,) = parse(body, end - timedelta(seconds=2)).alerts, parse(body, end).alerts
    assert (fires.state, fires.ended_at) == (AlertState.FIRING, None)
    assert (over.state, over.ended_at) == (AlertState.RESOLVED, end)
    endless = json.loads(body)
    for no_end in ("0001-01-01T00:00:00Z", None):
        endless[0]["endsAt"] = no_end
        assert parse(json.dumps(endless).encode(), NOW).alerts[0].state is AlertState.FIRING


@pytest.mark.parametrize(
    ("sender", "states"), [("prometheus", "firing resolved"), ("vmalert", "firing firing resolved resolved")]
)
def test_what_real_rulers_posted_is_one_alert_that_fires_and_ends(sender: str, states: str) -> None:
    recorded = json.loads((PAYLOADS / "rulers" / f"{sender}.json").read_text())
    alerts = []
    for request in recorded:
        assert request["path"] == "/ingest/alertmanager/prod/api/v2/alerts"
        arrived = datetime.fromisoformat(request["arrived"])
        alerts += all_sources()["alertmanager"].parse(json.dumps(request["body"]).encode(), arrived).alerts
    assert [str(alert.state) for alert in alerts] == states.split()
    assert len({(alert.identity, alert.occurrence) for alert in alerts}) == 1 and len(alerts[0].identity) == 16
    assert alerts[0].severity is Severity.CRITICAL and alerts[-1].ended_at


def test_an_alert_that_is_posted_every_minute_is_one_and_ends_once(senders: dict[str, Source]) -> None:
    fires = json.loads(payload("vmalert-firing.json"))
    for minute in range(3):
        fires[0]["endsAt"] = (timezone.now() + timedelta(minutes=4 + minute)).isoformat()
        post("alertmanager", json.dumps(fires).encode(), "/api/v2/alerts")
        work()
    assert Alert.objects.get().firing
    over = json.loads(payload("vmalert-resolved.json"))
    over[0]["endsAt"] = (timezone.now() - timedelta(seconds=1)).isoformat()
    post("alertmanager", json.dumps(over).encode(), "/api/v2/alerts")
    work()
    assert not Alert.objects.get().firing and Incident.objects.get().state == "resolved"


def test_the_fingerprint_of_real_alertmanagers_is_computed_as_they_do() -> None:
    captured = json.dumps([json.loads(p.read_text()) for p in sorted((PAYLOADS / "alertmanager").glob("*.json"))])
    seen = set()

    def look(node: object) -> None:
        if isinstance(node, dict) and "fingerprint" in node:
            assert fingerprint(node["labels"]) == node["fingerprint"]
            seen.add(node["fingerprint"])
        for child in node.values() if isinstance(node, dict) else node if isinstance(node, list) else ():
            look(child)

    look(json.loads(captured))
    assert len(seen) > 10


def test_the_same_alert_from_an_alertmanager_and_from_a_ruler_is_one(senders: dict[str, Source]) -> None:
    sent = json.loads(GOOD)["alerts"][0]
    posted = [{key: sent[key] for key in ("labels", "annotations", "startsAt", "generatorURL")}]
    post("alertmanager", GOOD)
    post("alertmanager", json.dumps(posted).encode(), "/api/v2/alerts")
    work()
    assert Alert.objects.get().identity == sent["fingerprint"]


def test_the_words_of_severities_are_understood() -> None:
    worst = {"P1", "sev1", "emergency", "fatal", "disaster", "page", "Critical"}
    found = {a.labels["severity"]: a.severity for a in parsed("alertmanager", "severity-words.json")}
    assert all(found[word] is Severity.CRITICAL for word in worst) and found["major"] is Severity.HIGH
    assert found["warn"] is found["yellow"] is found["notify"] is Severity.WARNING
    assert found["informational"] is found["ok"] is Severity.INFO


def test_a_declared_word_of_a_severity_and_a_declared_sign_of_life_count() -> None:
    declared = {"severities": {"notify": "high"}, "always_firing": ["Sev-ok"]}
    found = {a.name: a.severity for a in parsed("alertmanager", "severity-words.json", **declared)}
    assert found["Sev-notify"] is Severity.HIGH and "Sev-ok" not in found and len(found) == 12


@pytest.mark.parametrize(
    ("before", "after"), [(b"EtcdLeaderSwitch", b"DeadMansSwitch"), (b'"severity": "critical"', b'"severity": "none"')]
)
def test_a_sign_of_life_opens_no_incident(senders: dict[str, Source], before: bytes, after: bytes) -> None:
    assert before in GOOD
    post("alertmanager", GOOD.replace(before, after))
    work()
    assert Delivery.objects.get().state == "done" and not Incident.objects.exists()


def test_amazons_text_holds_alerts_with_labels_annotations_and_states() -> None:
    first, second, third = parsed("alertmanager", "amazon-prometheus-text.txt")
    assert (first.name, first.title, first.severity) == ("etcdNoLeader", "etcd has no leader", Severity.CRITICAL)
    assert first.annotations["description"] == "The member has no leader.\nIt is alone." and first.started_at == NOW
    assert (second.labels["deployment"], second.state) == ("cart", AlertState.FIRING)
    assert (third.name, third.state, third.annotations) == ("CartDown", AlertState.RESOLVED, {})
    assert first.url.startswith("/graph")


def test_amazons_json_has_times_as_go_prints_them() -> None:
    (alert,) = parsed("alertmanager", "amazon-prometheus-json.json")
    assert alert.started_at == datetime(2026, 11, 30, 20, 40, 0, 437000, UTC)
    assert (alert.state, alert.ended_at) == (AlertState.FIRING, None)


def test_an_alarm_of_cloudwatch_fires_and_ends(senders: dict[str, Source]) -> None:
    for file in ("cloudwatch-alarm.json", "cloudwatch-no-data.json"):
        post("cloudwatch", payload(file), content_type="text/plain; charset=UTF-8")
        work()
    incident = Incident.objects.get()
    assert (incident.title, incident.state, incident.severity) == ("Containers of cart restart", "open", 4)
    (alert,) = parsed("cloudwatch", "cloudwatch-alarm.json")
    assert {
        "cluster": "prod-a",
        "namespace": "shop",
        "deployment": "cart",
        "account": "123456789012",
    }.items() <= alert.labels.items()
    post("cloudwatch", payload("cloudwatch-ok.json"))
    work()
    assert Incident.objects.get().state == "resolved" and not Alert.objects.filter(firing=True).exists()


def test_an_alarm_of_cloudwatch_at_an_alertmanagers_door_is_parked_with_the_remedy(senders: dict[str, Source]) -> None:
    post("alertmanager", payload("cloudwatch-alarm.json"))
    work()
    row = Delivery.objects.get()
    assert row.state == "parked" and "a source of kind cloudwatch" in row.reason


def test_googles_incident_opens_and_closes_one_of_ours(senders: dict[str, Source]) -> None:
    post("google_monitoring", payload("google-open.json"))
    work()
    assert Incident.objects.get().state == "open"
    (alert,) = parsed("google_monitoring", "google-open.json")
    assert (alert.name, alert.severity) == ("Kubernetes container restarted", Severity.HIGH)
    assert {
        "cluster": "prod-a",
        "namespace": "shop",
        "pod": "cart-7d9f8b6c5-x2x4z",
        "deployment": "cart",
    }.items() <= alert.labels.items()
    assert alert.annotations["description"] == "Containers restart." and alert.annotations["observed_value"] == "5.000"
    for _ in range(2):
        post("google_monitoring", payload("google-closed.json"))
        work()
    (row,) = Alert.objects.all()
    assert not row.firing and row.ended_at == datetime.fromtimestamp(1796071500, UTC)
    assert Incident.objects.get().state == "resolved"


@pytest.mark.parametrize(
    "content_type",
    [
        "application/json",
        "application/json; charset=utf-8",
        "application/vnd.alerts+json",
        "text/plain; charset=UTF-8",
        "",
    ],
)
def test_alerts_come_in_whatever_type_their_sender_gives_them(senders: dict[str, Source], content_type: str) -> None:
    assert post("alertmanager", GOOD, content_type=content_type).status_code == 202
    work()
    assert Incident.objects.exists()


@pytest.mark.parametrize(
    "content_type",
    ["text/html", "multipart/form-data; boundary=x", "application/x-www-form-urlencoded", "image/svg+xml"],
)
def test_what_no_sender_of_alerts_sends_is_refused(senders: dict[str, Source], content_type: str) -> None:
    assert post("alertmanager", GOOD, content_type=content_type).status_code == 415


@pytest.mark.parametrize("kind", ["cloudwatch", "google_monitoring"])
@pytest.mark.parametrize(
    "body", [b"{}", b"[]", b"text", b'{"incident": {}}', b'{"incident": {"incident_id": "1", "state": "odd"}}']
)
def test_what_cannot_be_an_alert_is_malformed(kind: str, body: bytes) -> None:
    with pytest.raises(Malformed):
        all_sources()[kind].parse(body, NOW)


def test_a_sender_that_asks_without_credentials_first_is_shown_how_and_never_slowed(senders: dict[str, Source]) -> None:
    for _ in range(40):
        answer = Client().post("/ingest/alertmanager/prod", GOOD, content_type="application/json")
        assert answer.status_code == 401 and answer.headers["WWW-Authenticate"].startswith("Basic ")
    assert not LoginFailure.objects.exists()
