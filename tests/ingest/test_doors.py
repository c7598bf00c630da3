"""Captured payloads of real senders through the real doors."""

import base64
import itertools
import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.core.cache import cache
from django.db import connections, transaction
from django.test import Client

from incidents import burst, deliveries, sources
from incidents.models import Alert, Connection, Delivery, Entity, Incident, Source
from ingest import parse, receive

PAYLOADS = Path(__file__).parent.parent / "payloads"
TOKEN = "a-token-of-the-tests"


def bodies(kind: str, pattern: str = "*.json") -> list[bytes]:
    """Every body that the real sender sent with POST, in the order of the captures."""
    found: list[bytes] = []
    for path in sorted((PAYLOADS / kind).glob(pattern)):
        captured: Any = json.loads(path.read_text())
        for request in captured if isinstance(captured, list) else [captured]:
            if isinstance(request, dict) and request.get("method") == "POST" and request.get("body"):
                found.append(json.dumps(request["body"]).encode())
    return found


@pytest.fixture
def senders(db: None) -> Iterator[dict[str, Source]]:
    cache.clear()
    yield {kind: sources.make_source(kind, "prod", TOKEN)[0] for kind in ("alertmanager", "zabbix")}
    cache.clear()


def post(kind: str, body: bytes, **headers: str) -> Any:
    headers = {"Authorization": f"Bearer {TOKEN}", **headers}
    return Client().post(f"/ingest/{kind}/prod", body, content_type="application/json", headers=headers)


def work() -> None:
    for waiting in deliveries.waiting_deliveries():
        parse.ingest(waiting)


def facts() -> list[tuple[Any, ...]]:
    """What the record holds of alerts, without row numbers and times of arrival."""
    rows = Alert.objects.order_by("source__kind", "identity", "started_at")
    return [(a.source.kind, a.identity, a.firing, a.started_at, a.severity, a.title) for a in rows]


@pytest.mark.parametrize("kind", ["alertmanager", "zabbix"])
def test_every_captured_payload_is_accepted_and_understood(senders: dict[str, Source], kind: str) -> None:
    sent = bodies(kind)
    assert len(sent) > 9
    for body in sent:
        answer = post(kind, body)
        assert answer.status_code == 202 and set(answer.json()) == {"id", "url"}
    work()
    assert set(Delivery.objects.values_list("state", flat=True)) == {"done"}
    assert Incident.objects.exists()


@pytest.mark.parametrize("kind", ["alertmanager", "zabbix"])
def test_payloads_sent_twice_change_nothing(senders: dict[str, Source], kind: str) -> None:
    for body in bodies(kind):
        post(kind, body)
    work()
    once, incidents = facts(), Incident.objects.count()
    for body in bodies(kind):
        post(kind, body)
    work()
    assert facts() == once and Incident.objects.count() == incidents


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
def test_problem_update_and_recovery_in_any_order_give_the_same_record(
    senders: dict[str, Source], order: tuple[int, ...]
) -> None:
    three = bodies("zabbix", "01-*.json")[:3]
    for index in order:
        post("zabbix", three[index])
        work()
    (row,) = Alert.objects.all()
    assert (row.identity, row.firing, row.severity) == ("19", False, 4)
    assert row.title == "etcd leader switch on etcd prod 1 (az-a) (seen 2)"
    assert Incident.objects.get().state == "resolved"


def test_the_captured_group_sent_in_reverse_ends_in_the_same_states(senders: dict[str, Source]) -> None:
    sent = [b for name in ("03-*", "04-*", "07-*") for b in bodies("alertmanager", name)]
    for body in sent:
        post("alertmanager", body)
        work()
    forward = [(identity, firing) for _, identity, firing, *_ in facts()]
    Alert.objects.all().delete()
    Incident.objects.all().delete()
    for body in reversed(sent):
        post("alertmanager", body)
        work()
    assert [(identity, firing) for _, identity, firing, *_ in facts()] == forward
    assert not Alert.objects.filter(firing=True).exists()


def test_the_same_fingerprint_firing_again_is_a_new_occurrence_of_the_same_incident(
    senders: dict[str, Source],
) -> None:
    for name in ("01-*", "05-*", "06-*"):
        for body in bodies("alertmanager", name):
            post("alertmanager", body)
            work()
    assert [a.firing for a in Alert.objects.order_by("started_at")] == [False, True]
    incident = Incident.objects.get()
    assert (incident.state, incident.reopened) == ("open", 1)


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
def test_firing_resolved_and_firing_again_in_any_order_leave_the_last_one_open(
    senders: dict[str, Source], order: tuple[int, ...]
) -> None:
    three = [bodies("alertmanager", name)[0] for name in ("01-*", "05-*", "06-*")]
    for index in order:
        post("alertmanager", three[index])
        work()
    first, second = Alert.objects.order_by("started_at")
    assert (first.firing, second.firing) == (False, True)
    assert first.ended_at is not None and first.ended_at.isoformat() == "2026-11-23T06:36:42.623623+00:00"
    assert Incident.objects.get().state == "open"


def test_a_resolve_with_an_earlier_start_ends_the_open_episode_also_after_a_merge(senders: dict[str, Source]) -> None:
    earlier, end = b"2026-11-23T06:35:00.000000Z", b"2026-11-23T06:40:00Z"
    merged = GOOD.replace(b"2026-11-23T06:35:37.598267Z", earlier)
    resolved = merged.replace(b'"status": "firing"', b'"status": "resolved"').replace(b"0001-01-01T00:00:00Z", end)
    for body in (GOOD, merged, resolved, GOOD):
        post("alertmanager", body)
        work()
    assert not Alert.objects.filter(firing=True).exists()
    assert Incident.objects.get().state == "resolved"


def test_members_and_peers_of_one_undeclared_etcd_are_one_incident(senders: dict[str, Source]) -> None:
    for body in bodies("alertmanager", "14-*")[:3]:
        post("alertmanager", body)
        work()
    assert Incident.objects.count() == 1
    assert Entity.objects.filter(kind="EtcdMember", alerts__isnull=False).distinct().count() == 3


@pytest.mark.parametrize("first", ["alertmanager", "zabbix"])
def test_an_undeclared_member_and_its_machine_are_known_by_address_whoever_speaks_first(
    senders: dict[str, Source], first: str
) -> None:
    messages = {
        "alertmanager": GOOD.replace(b"10.0.0.1:2379", b"10.1.2.3:2379").replace(b"06:35:37", b"06:51:30"),
        "zabbix": bodies("zabbix", "02-*")[0],
    }
    for kind in sorted(messages, key=lambda k: k != first):
        post(kind, messages[kind])
        work()
    assert Entity.objects.filter(kind="EtcdMember").count() == 1 and Incident.objects.count() == 1


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (b"2026-11-23T06:35:37.598267Z", b"0001-01-01T00:00:00Z"),
        (b"2026-11-23T06:35:37.598267Z", b"9999-12-31T23:59:59Z"),
        (b'"plain"', b'"nul \\u0000 character"'),
        (b'"truncatedAlerts": 0', b'"truncatedAlerts": 99999999999'),
        (b'"96b07faa17782a8c"', b'"' + b"f" * 900 + b'"'),
    ],
)
def test_odd_but_well_formed_values_are_recorded_and_never_stop_the_work(
    senders: dict[str, Source], before: bytes, after: bytes
) -> None:
    assert before in GOOD
    for _ in range(2):
        post("alertmanager", GOOD.replace(before, after))
        work()
    assert set(Delivery.objects.values_list("state", flat=True)) == {"done"}
    assert Alert.objects.filter(firing=True).count() == 1


@pytest.mark.parametrize("name", ["nul%00", "x" * 300, "%E2%80%AE", "../prod"])
def test_an_impossible_source_name_is_an_unknown_source(senders: dict[str, Source], name: str) -> None:
    headers = {"Authorization": f"Bearer {TOKEN}"}
    answer = Client().post(f"/ingest/alertmanager/{name}", GOOD, content_type="application/json", headers=headers)
    assert answer.status_code in {401, 404}


def test_a_delivery_that_no_worker_survives_ends_dead_and_visible(senders: dict[str, Source]) -> None:
    post("alertmanager", GOOD)
    row = Delivery.objects.get()
    for _ in range(deliveries.MAX_ATTEMPTS):
        assert deliveries.claim_deliveries([str(row.pk)])
        Delivery.objects.update(claimed_until=None)
    assert not deliveries.claim_deliveries([str(row.pk)])
    assert deliveries.stuck_deliveries().get().state == "dead"


def test_both_tokens_of_a_rotation_open_the_door_until_the_old_one_is_ended(senders: dict[str, Source]) -> None:
    source = senders["alertmanager"]
    new = sources.rotate_source(source, end_old=False)
    cache.clear()
    assert [post("alertmanager", GOOD, Authorization=f"Bearer {t}").status_code for t in (TOKEN, new)] == [202, 202]
    sources.rotate_source(source, end_old=True)
    cache.clear()
    assert [post("alertmanager", GOOD, Authorization=f"Bearer {t}").status_code for t in (TOKEN, new)] == [401, 202]


def test_a_truncated_group_counts_its_missing_alerts(senders: dict[str, Source]) -> None:
    (body,) = bodies("alertmanager", "10-*")
    post("alertmanager", body)
    work()
    assert Delivery.objects.get().missing == 3


@pytest.mark.django_db(transaction=True)
def test_eight_at_a_time_give_no_error_and_no_second_incident(senders: dict[str, Source]) -> None:
    sent = bodies("alertmanager", "0[1-6]*") * 4
    answers: list[int] = []
    lock = threading.Lock()

    def send(part: list[bytes]) -> None:
        for body in part:
            code = post("alertmanager", body).status_code
            for waiting in deliveries.waiting_deliveries():
                parse.ingest(waiting)
            with lock:
                answers.append(code)
        connections.close_all()

    threads = [threading.Thread(target=send, args=(sent[n::8],)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    work()
    assert answers == [202] * len(sent)
    assert set(Delivery.objects.values_list("state", flat=True)) == {"done"}
    occurrences = Alert.objects.values_list("source", "identity", "occurrence")
    assert len(occurrences) == len(set(occurrences))
    # One of the etcd member, one of the workload that all the pods belong to by their names.
    assert Incident.objects.filter(merged_into=None).count() == 2


GOOD = bodies("alertmanager", "01-*")[0]


@pytest.mark.parametrize("path", ["/ingest/alertmanager/prod", "/ingest/alertmanager/prod/"])
def test_the_door_is_open_with_and_without_a_slash_and_never_redirects(senders: dict[str, Source], path: str) -> None:
    headers = {"Authorization": f"Bearer {TOKEN}"}
    answer = Client().post(path, GOOD, content_type="application/json", headers=headers)
    assert answer.status_code == 202


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Authorization": ""}, 401),
        ({"Authorization": "Bearer wrong"}, 401),
        ({"Authorization": "Basic !!!"}, 401),
        ({"Authorization": "Basic " + base64.b64encode(f"any:{TOKEN}".encode()).decode()}, 202),
        ({"Content-Encoding": "gzip"}, 415),
    ],
)
def test_who_may_come_in(senders: dict[str, Source], headers: dict[str, str], status: int) -> None:
    assert post("alertmanager", GOOD, **headers).status_code == status


def test_an_unknown_source_is_refused_like_a_wrong_token(senders: dict[str, Source]) -> None:
    unknown = Client().post("/ingest/alertmanager/nobody", GOOD, content_type="application/json")
    wrong = post("alertmanager", GOOD, Authorization="Bearer wrong")
    assert (unknown.status_code, unknown.content) == (wrong.status_code, wrong.content)


def test_a_get_an_empty_body_another_type_and_too_much_are_refused_without_a_row(senders: dict[str, Source]) -> None:
    headers = {"Authorization": f"Bearer {TOKEN}"}
    path = "/ingest/zabbix/prod"
    assert Client().get(path, headers=headers).status_code == 405
    assert Client().post(path, b"", content_type="application/json", headers=headers).status_code == 415
    assert Client().post(path, b"a=b", content_type="text/html", headers=headers).status_code == 415
    big = b" " * (receive.LIMIT + 1)
    assert Client().post(path, big, content_type="application/json", headers=headers).status_code == 413
    assert not Delivery.objects.exists()


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"{not json", "malformed"),
        (b"[1]", "object"),
        (b'{"alerts": [{"status": "odd", "startsAt": "2026-01-01T00:00:00Z", "labels": {}}]}', "status"),
        (b'{"alerts": [{"status": "firing", "startsAt": "yesterday", "labels": {}}]}', "startsAt"),
        (b'{"alerts": "many"}', "alerts"),
        (b"\xff\xfe\x00", ""),
    ],
)
def test_a_body_that_cannot_be_understood_is_kept_with_the_reason(
    senders: dict[str, Source], body: bytes, reason: str
) -> None:
    assert post("alertmanager", body).status_code == 202
    work()
    row = Delivery.objects.get()
    assert row.state == "parked" and bytes(row.body) == body and reason in row.reason and row.reason


def test_a_parked_delivery_can_be_replayed(senders: dict[str, Source]) -> None:
    post("alertmanager", b"{}")
    work()
    row = Delivery.objects.get()
    Delivery.objects.filter(pk=row.pk).update(body=GOOD)
    deliveries.replay_delivery(row, "somebody")
    work()
    assert Delivery.objects.get().state == "done"


def test_watchdog_is_a_heartbeat_and_never_an_incident(senders: dict[str, Source]) -> None:
    post("alertmanager", GOOD.replace(b"EtcdLeaderSwitch", b"Watchdog"))
    work()
    assert Delivery.objects.get().state == "done" and not Incident.objects.exists()


def test_the_same_etcd_member_of_both_systems_is_one_entity_and_one_incident(senders: dict[str, Source]) -> None:
    declare_etcd()
    post("alertmanager", GOOD.replace(b"10.0.0.1:2379", b"10.1.2.3:2379").replace(b"06:35:37", b"06:51:30"))
    post("zabbix", bodies("zabbix", "02-*")[0])
    work()
    assert Incident.objects.count() == 1
    assert Entity.objects.filter(kind="EtcdMember", alerts__isnull=False).distinct().get().name == "etcd1"


def declare_etcd() -> None:
    member = {"name": "etcd1", "endpoint": "http://10.1.2.3:2379", "instance": "10.1.2.3:2379",
              "zone": "az-a", "host": ["etcd-prod-1"]}  # fmt: skip
    Connection.objects.create(
        kind="etcd", name="main", config={"name": "main", "cluster": "prod-a", "member": [member]}
    )


@pytest.mark.parametrize("table", ["incidents_delivery", "incidents_source"])
def test_a_record_that_cannot_be_written_or_read_is_answered_with_503_so_that_the_sender_retries(
    senders: dict[str, Source], table: str
) -> None:
    with connections["default"].cursor() as cursor:
        cursor.execute(f"ALTER TABLE {table} RENAME TO out_of_reach")
    answer = post("alertmanager", GOOD)
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")
    assert "out_of_reach" not in answer.content.decode() and answer.json()["title"] == "Try again"


@pytest.mark.django_db(transaction=True)
def test_a_rolled_back_accept_leaves_no_row(senders: dict[str, Source]) -> None:
    with pytest.raises(RuntimeError), transaction.atomic():
        post("alertmanager", GOOD)
        raise RuntimeError
    assert not Delivery.objects.exists()


def test_one_delivery_of_a_burst_that_cannot_be_placed_does_not_hold_up_the_others(
    senders: dict[str, Source], monkeypatch: pytest.MonkeyPatch
) -> None:
    for pattern in ("01-*.json", "03-*.json"):
        post("alertmanager", bodies("alertmanager", pattern)[0])
    place = burst.place_alert

    def fails(delivery: Any, alert: Any, connections: Any) -> Any:
        if alert.identity == bad:
            raise ValueError("cannot be placed")
        return place(delivery, alert, connections)

    rows = list(Delivery.objects.order_by("received_at"))
    bad = json.loads(bytes(rows[0].body))["alerts"][0]["fingerprint"]
    monkeypatch.setattr(burst, "place_alert", fails)
    work()
    assert [row.state for row in Delivery.objects.order_by("received_at")] == ["new", "done"]
    monkeypatch.undo()
    Delivery.objects.update(claimed_until=None)
    assert [len(ids) for ids in deliveries.waiting_deliveries()] == [1]
    work()
    assert set(Delivery.objects.values_list("state", flat=True)) == {"done"}


def test_a_full_inbox_is_answered_with_503_and_nothing_is_stored(senders: dict[str, Source], settings: Any) -> None:
    settings.INBOX_LIMIT = 2
    codes = []
    for _ in range(4):
        cache.clear()
        codes.append(post("alertmanager", bodies("alertmanager")[0]).status_code)
    assert codes == [202, 202, 202, 503] and Delivery.objects.count() == 3
    work()
    cache.clear()
    assert post("alertmanager", bodies("alertmanager")[0]).status_code == 202
