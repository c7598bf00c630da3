"""A real Zabbix with the product's own media type delivers; the product stops in the middle: nothing is lost."""

from collections.abc import Iterator

import pytest

from lab.stage import zabbix
from lab.stage.etcd import Etcd
from lab.stage.programs import Stage, wait_until
from tests.real.product import Product

pytestmark = pytest.mark.real


@pytest.fixture
def stage() -> Iterator[Stage]:
    with Stage() as made:
        yield made


def test_a_problem_told_while_the_product_was_stopped_arrives_later(stage: Stage) -> None:
    product = Product(stage)
    url, token = product.add_source("zabbix", "zabbix")
    etcd = Etcd(stage)
    etcd.start()
    zabbix.watch(stage, zabbix.Host(etcd.members[0].endpoint), url, token)
    etcd.move_leader(etcd.followers()[0])
    wait_until(lambda: "failed" in stage.log_of("zabbix-server", 20_000), "Zabbix finds nobody", 30)
    product.start()
    wait_until(lambda: product.rows("SELECT 1 FROM incidents_delivery"), "Zabbix delivers", 120)
    product.drain()
    assert product.rows("SELECT count(*) FROM incidents_alert WHERE name LIKE '%leader changed%'") == [(1,)]
    wait_until(lambda: _recovered(product), "the recovery is delivered", 150)
    product.drain()
    assert product.rows("SELECT count(*) FROM incidents_alert") == [(1,)]
    assert product.rows("SELECT count(*) FROM incidents_delivery WHERE state != 'done'") == [(0,)]


def _recovered(product: Product) -> bool:
    return '"event_value":"0"' in product.bodies()
