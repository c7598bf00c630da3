"""What a Zabbix gave up sending is fetched from its own list, once, and nothing that it never meant to send."""

import json
from datetime import timedelta
from pathlib import Path

import pytest
from django.utils import timezone

from incidents import deliveries, sources
from incidents.models import Alert, Connection, Delivery, Source
from ingest import catch_up, parse
from tests.fakes.server import error
from tests.fakes.zabbix import TOKEN, Zabbix

VERSIONS = ["6.0.14", "7.0.5", "7.4.1"]


@pytest.fixture
def zabbix(request: pytest.FixtureRequest, db: None, tmp_path: Path):
    with Zabbix(getattr(request, "param", "6.0.14")) as fake:
        (tmp_path / "token").write_text(TOKEN)
        source, _ = sources.make_source("zabbix", "prod")
        Source.objects.filter(pk=source.pk).update(created_at=timezone.now() - timedelta(hours=2))
        Connection.objects.create(kind="source", name="prod", config={
            "kind": "zabbix", "name": "prod", "api_url": fake.url, "api_token_file": str(tmp_path / "token")})  # fmt: skip
        yield fake


def compared(minutes: float = 0) -> int:
    made = catch_up.catch_up(timezone.now() + timedelta(minutes=minutes))
    for burst in deliveries.waiting_deliveries():
        parse.ingest(burst)
    return len(made)


def alerts() -> dict[str, bool]:
    return {a.identity: a.firing for a in Alert.objects.all()}


@pytest.mark.parametrize("zabbix", VERSIONS, indirect=True)
def test_a_missed_problem_and_a_missed_recovery_come_in_once(zabbix: Zabbix) -> None:
    zabbix.event(37)
    zabbix.event(40, ended=41)
    assert compared() == 3
    assert alerts() == {"37": True, "40": False}
    assert compared(2) == 0
    zabbix.event(37, ended=50)
    assert compared(4) == 1
    assert alerts() == {"37": False, "40": False}
    assert set(Delivery.objects.values_list("state", flat=True)) == {"done"}


def test_what_its_actions_never_sent_is_left_alone_unless_all_is_wanted(zabbix: Zabbix) -> None:
    zabbix.event(37, sent=False)
    assert compared() == 0
    row = Connection.objects.get(kind="source")
    row.config["catch_up"] = "all"
    row.save()
    Source.objects.update(compared_to="")
    assert compared(2) == 1


def test_what_was_delivered_is_not_fetched_again_and_a_young_event_is_left_to_its_delivery(zabbix: Zabbix) -> None:
    zabbix.event(37)
    compared()
    Source.objects.update(compared_to="")
    zabbix.event(38, clock=timezone.now().timestamp())
    assert compared(1.5) == 0
    assert compared(5) == 1


def test_a_thousand_missed_events_come_page_by_page(zabbix: Zabbix) -> None:
    for number in range(1000, 1350):
        zabbix.event(number, host=f"db-{number}")
    assert len(catch_up.catch_up(timezone.now())) == 350
    assert Source.objects.get().compared_to == "1349"
    pages = [c for c in zabbix.calls if c.json["method"] == "event.get" and c.json["params"].get("value") == 1]
    assert len(pages) == 4


def test_an_outage_in_the_middle_goes_on_where_it_stopped(zabbix: Zabbix) -> None:
    for number in range(1000, 1150):
        zabbix.event(number, host=f"db-{number}")
    zabbix.rule(error(500), lambda call: call.json["params"].get("eventid_from") == "1100")
    assert compared() == 100 or Delivery.objects.count() == 100
    zabbix.heal()
    compared(2)
    assert len(alerts()) == 150 and Delivery.objects.count() == 150


def test_two_workers_compare_once(zabbix: Zabbix) -> None:
    zabbix.event(37)
    now = timezone.now()
    assert len(catch_up.catch_up(now)) == 1 and not catch_up.catch_up(now)


def test_our_own_comment_that_comes_back_as_an_update_is_nothing_new(zabbix: Zabbix) -> None:
    zabbix.event(37)
    compared()
    body = catch_up.problem(zabbix.events["37"], timezone.now())
    own = {**body, "event_update_status": "1", "event_update_message": "etcd1: slow disk http://x [ig:0123456789ab]"}
    before = Alert.objects.get().last_seen_at
    deliveries.accept(Source.objects.get(), json.dumps(own).encode(), {}, timezone.now())
    for burst in deliveries.waiting_deliveries():
        parse.ingest(burst)
    assert Alert.objects.get().last_seen_at == before
