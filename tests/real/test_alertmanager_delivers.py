"""A real Alertmanager delivers, the product stops in the middle and comes back: nothing is lost."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from lab.stage import monitoring
from lab.stage.monitoring import Monitoring
from lab.stage.programs import Stage, wait_until
from tests.real.product import Product

pytestmark = pytest.mark.real


@pytest.fixture
def stage() -> Iterator[Stage]:
    with Stage() as made:
        yield made


@pytest.fixture
def product(stage: Stage) -> Product:
    return Product(stage)


def fire(watch: Monitoring, names: list[str], *, ended: bool = False) -> None:
    """Tells Alertmanager of these alerts, each of a pod of its own."""
    now = datetime.now(UTC)
    end = now if ended else now + timedelta(hours=1)
    body = [
        {"labels": {"alertname": name, "cluster": f"c-{name}", "namespace": "shop", "pod": f"pod-{name}"},
         "startsAt": (now - timedelta(minutes=1)).isoformat(), "endsAt": end.isoformat()}
        for name in names
    ]  # fmt: skip
    httpx.post(f"{watch.alertmanager}/api/v2/alerts", json=body, timeout=10).raise_for_status()


def test_nothing_is_lost_when_the_product_stops_in_the_middle(stage: Stage, product: Product) -> None:
    url, token = product.add_source("alertmanager", "prod")
    product.start()
    watch = monitoring.start(stage, [], [], sink=url, token=token)
    before, during = [f"before{n}" for n in range(10)], [f"during{n}" for n in range(10)]

    fire(watch, before)
    wait_until(lambda: all(f'"{n}"' in product.bodies() for n in before), "the first ten are delivered", 40)
    product.stop()
    fire(watch, during)
    fire(watch, before[:3], ended=True)
    with pytest.raises(Exception, match="not within"):
        wait_until(lambda: '"during0"' in product.bodies(), "delivered to a stopped product", 8)
    product.start()
    wait_until(lambda: all(f'"{n}"' in product.bodies() for n in during), "the other ten are delivered", 90)
    wait_until(lambda: product.bodies().count('"status":"resolved","labels"') >= 3, "three are resolved", 90)
    product.drain()

    assert product.rows("SELECT count(DISTINCT identity), count(*) FROM incidents_alert") == [(20, 20)]
    assert product.rows("SELECT count(*) FROM incidents_alert WHERE ended_at IS NOT NULL") == [(3,)]
    assert product.rows("SELECT count(*) FROM incidents_delivery WHERE state != 'done'") == [(0,)]


def test_a_wrong_token_is_refused_and_nothing_is_stored(stage: Stage, product: Product) -> None:
    url, _ = product.add_source("alertmanager", "prod")
    product.start()
    watch = monitoring.start(stage, [], [], sink=url, token="wrong")
    fire(watch, ["lost"])
    wait_until(lambda: "401" in stage.log_of("alertmanager"), "Alertmanager tells of the refusal", 40)
    assert product.rows("SELECT count(*) FROM incidents_delivery") == [(0,)]
