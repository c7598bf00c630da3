"""A real Zabbix with the product's own media type delivers; the product stops in the middle: nothing is lost."""

from collections.abc import Iterator

import pytest

from domain.connections import Connections, SourceDecl
from evidence.clients.zabbix import Zabbix
from evidence.recording import LiveTransports, ReplayTransports
from lab.stage import zabbix
from lab.stage.etcd import Etcd
from lab.stage.programs import Stage, wait_until
from tests.real.product import Product

pytestmark = pytest.mark.real


@pytest.fixture
def stage() -> Iterator[Stage]:
    with Stage() as made:
        yield made


def test_a_problem_sent_while_the_product_was_stopped_arrives_later(stage: Stage) -> None:
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


CATCH_UP = """
from datetime import timedelta
from django.utils import timezone
from ingest.catch_up import catch_up
from tests.drain import drain
print(len(catch_up(timezone.now() + timedelta(minutes=3))))
drain()
"""
CONNECTIONS = """
[[source]]
kind = "zabbix"
name = "zabbix"
token_file = "{folder}/door.token"
api_url = "{url}"
api_token_file = "{folder}/api.token"
write_back = true
mode = "send"
raise_severity = {{ infrastructure = "disaster", change = "disaster" }}
"""


def test_zabbix_is_commented_on_once_and_what_it_gave_up_sending_is_fetched(stage: Stage) -> None:
    product = Product(stage)
    stage.write("door.token", "a-token-for-the-door-of-zabbix")
    etcd = Etcd(stage)
    etcd.start()
    door = f"http://127.0.0.1:{product.port}/ingest/zabbix/zabbix"
    own = zabbix.watch(stage, zabbix.Host(etcd.members[0].endpoint), door, "a-token-for-the-door-of-zabbix")
    stage.write("api.token", _api_token(own))
    file = stage.write("connections.toml", CONNECTIONS.format(folder=stage.folder, url=own.url))
    product.verb("migrate", "--no-input", "-v0")
    product.verb("apply", str(file))
    product.start()

    etcd.move_leader(etcd.followers()[0])
    wait_until(lambda: product.rows("SELECT 1 FROM incidents_delivery"), "Zabbix delivers", 60)
    product.drain()
    comments = wait_until(lambda: _comments(own), "the comment stands in Zabbix", 30)
    assert len(comments) == 1 and "http://127.0.0.1" in comments[0]["message"] and "[ig:" in comments[0]["message"]
    wait_until(lambda: "[ig:" in product.bodies(), "our own comment comes back as an update", 60)
    product.drain()
    assert _comments(own) == comments

    media = own.call("mediatype.get", filter={"name": "Incident graph"})[0]["mediatypeid"]
    own.call("mediatype.update", mediatypeid=media, maxattempts=1)
    product.stop()
    wait_until(lambda: _given_up(own) >= 1, "Zabbix gives the recovery up", 120)
    etcd.move_leader(etcd.followers()[0])
    wait_until(lambda: _given_up(own) >= 2, "Zabbix gives the next problem up", 60)
    assert product.rows("SELECT count(*), sum(firing) FROM incidents_alert") == [(1, 1)]
    assert product.python(CATCH_UP) == "2"
    assert product.rows("SELECT count(*), sum(firing) FROM incidents_alert") == [(2, 1)]
    assert product.rows("SELECT count(*) FROM incidents_delivery WHERE state != 'done'") == [(0,)]


def test_the_update_interval_of_an_item_comes_from_a_real_frontend_and_no_token_is_recorded(stage: Stage) -> None:
    etcd = Etcd(stage)
    etcd.start()
    own = zabbix.watch(stage, zabbix.Host(etcd.members[0].endpoint), "http://127.0.0.1:1/nobody")
    token = _api_token(own)
    file = str(stage.write("api.token", token))
    declared = SourceDecl(kind="zabbix", name="zabbix", api_url=own.url, api_token_file=file)
    live = LiveTransports(Connections(source=[declared]))
    trigger = own.call("trigger.get", output=["triggerid"], search={"description": "leader changed"})[0]["triggerid"]
    looked = Zabbix(declared, live).looked([trigger])
    items = own.call("item.get", triggerids=[trigger], output=["name", "delay", "type", "master_itemid"])
    masters = {i["itemid"]: i["delay"] for i in own.call("item.get", output=["itemid", "delay"])}
    assert [(x.name, x.written) for x in looked] == [
        (i["name"], masters[i["master_itemid"]] if i["type"] == "18" else i["delay"]) for i in items
    ]
    assert looked[0].every_s and all(token not in f"{answer}" for answer in live.answers())
    assert Zabbix(declared, ReplayTransports(live.answers())).looked([trigger]) == looked


def _api_token(own: zabbix.Zabbix) -> str:
    """A user of its own: Zabbix does not tell an update to the one who made it."""
    group = own.call("usergroup.get", filter={"name": "Zabbix administrators"})[0]["usrgrpid"]
    user = own.call("user.create", username="incident-graph", passwd="a long enough one 1", roleid="3",
                    usrgrps=[{"usrgrpid": group}])["userids"][0]  # fmt: skip
    made = own.call("token.create", name="incident graph", userid=user)["tokenids"][0]
    # token.generate alone takes a bare list.
    return str(own.call("token.generate", [made])[0]["token"])


def _given_up(own: zabbix.Zabbix) -> int:
    return sum(a["status"] == "2" for a in own.call("alert.get", output=["status"]))


def _comments(own: zabbix.Zabbix) -> list[dict[str, str]]:
    events = own.call("event.get", value=1, select_acknowledges="extend", output=["eventid"])
    return [a for event in events for a in event["acknowledges"]]
