"""A message with very many alerts is placed whole, and leaves the doors room to write meanwhile."""

import json
import threading
import time
from datetime import UTC, datetime
from typing import Any

import pytest
from django.db import connections

from domain.alerts import AlertState, ParsedAlert, ParsedDelivery, Severity
from domain.connections import Connections
from incidents import burst, deliveries, sources
from incidents.models import Alert, Delivery, Incident
from ingest import parse

BEGAN = datetime(2026, 7, 1, 6, 0, tzinfo=UTC)


def alerts(number: int) -> tuple[ParsedAlert, ...]:
    return tuple(
        ParsedAlert(f"f{n}", "1", AlertState.FIRING, "Storm", "storm", Severity.HIGH, BEGAN) for n in range(number)
    )


def placed(delivery: Delivery, parsed: ParsedDelivery) -> None:
    burst.apply_burst([(delivery, parsed)], Connections())


@pytest.fixture
def delivery(db: Any) -> Delivery:
    return deliveries.accept(sources.make_source("alertmanager", "prod")[0], b"{}", {}, BEGAN)


@pytest.mark.django_db(transaction=True)
def test_others_write_while_a_long_message_is_placed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(burst, "HOLD_S", 0.05)
    source, _ = sources.make_source("alertmanager", "prod")
    long = deliveries.accept(source, b"{}", {}, BEGAN)
    waits: list[float] = []

    def place() -> None:
        placed(long, ParsedDelivery(alerts(300)))
        connections.close_all()

    placing = threading.Thread(target=place)
    placing.start()
    while placing.is_alive():
        began = time.monotonic()
        deliveries.accept(source, b"{}", {}, BEGAN)
        waits.append(time.monotonic() - began)
        time.sleep(0.05)
    placing.join()
    long.refresh_from_db()
    assert long.state == "done" and Alert.objects.count() == 300
    assert len(waits) > 5, "others could write only at the end"


def test_what_a_broken_attempt_placed_is_not_doubled(delivery: Delivery, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(burst, "HOLD_S", 0.0)
    place, calls = burst.place_alert, iter(range(1000))

    def breaks(*given: Any) -> Incident:
        if next(calls) == 45:
            raise RuntimeError("the worker is ended here")
        return place(*given)

    monkeypatch.setattr(burst, "place_alert", breaks)
    with pytest.raises(RuntimeError):
        placed(delivery, ParsedDelivery(alerts(70)))
    delivery.refresh_from_db()
    assert delivery.state == "new" and Alert.objects.count() == 40
    placed(delivery, ParsedDelivery(alerts(70)))
    delivery.refresh_from_db()
    assert delivery.state == "done" and Alert.objects.count() == 70
    assert not Alert.objects.filter(incident=None).exists()


def test_the_claim_lasts_as_long_as_the_placing(delivery: Delivery, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(burst, "HOLD_S", 0.0)
    seen: list[datetime | None] = []
    monkeypatch.setattr(burst.time, "sleep", lambda _: seen.append(Delivery.objects.get().claimed_until))
    placed(delivery, ParsedDelivery(alerts(70)))
    assert len(seen) == 3 and None not in seen and Delivery.objects.get().claimed_until is None


def test_a_message_without_alerts_is_done_too(delivery: Delivery) -> None:
    placed(delivery, ParsedDelivery(()))
    assert Delivery.objects.get().state == "done" and not Alert.objects.exists()


def test_more_alerts_than_one_worker_can_place_count_as_cut_off(delivery: Delivery, monkeypatch: Any) -> None:
    monkeypatch.setattr(parse, "MOST_ALERTS", 3)
    one = {"status": "firing", "labels": {"alertname": "A"}, "startsAt": BEGAN.isoformat()}
    sent = [{**one, "fingerprint": f"a{n}"} for n in range(5)]
    Delivery.objects.update(body=json.dumps({"alerts": sent, "truncatedAlerts": 4}).encode())
    parse.ingest([str(delivery.pk)])
    assert Alert.objects.count() == 3
    assert Delivery.objects.values_list("state", "missing").get() == ("done", 6)
