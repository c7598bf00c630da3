"""A real API server's pods and events come in by the shipped role, across its restart and a 410, and not twice."""

import json
import random
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from domain.connections import KubernetesDecl
from evidence.clients.kubernetes_watch import EVENTS, PODS, Expired, Watched
from lab.stage.namespace import ORDERS, template
from lab.stage.node import TOKEN, Node
from lab.stage.programs import Stage, wait_until
from tests.real.kube_api_server import ACCOUNT, ApiServer
from tests.real.node_stage import node_stage
from tests.real.product import ROOT, Product

__all__ = ["node_stage"]
pytestmark = pytest.mark.real
ROLE = (ROOT / "docs" / "kubernetes" / "read-only-role.yaml").read_text()
DEADLINE = 'Readiness probe failed: Get "http://10.0.0.7:8080/readyz?key=s3cret": context deadline exceeded'


def declared(product: Product, url: str, authority: Path, token: str) -> None:
    """The cluster prod-a by its address, the account's token and the authority."""
    folder = product.stage.folder
    (folder / "token").write_text(token)
    (folder / "c.toml").write_text(
        f'[[kubernetes]]\nname = "prod-a"\nurl = "{url}"\nbearer_file = "token"\nca_file = "{authority}"\n'
    )
    product.verb("apply", str(folder / "c.toml"))


def watcher(product: Product, name: str = "watcher") -> Any:
    argv = [sys.executable, "-u", str(ROOT / "manage.py"), "watch_kubernetes"]
    return product.stage.start(name, argv, env=product.env)


def followed(api: ApiServer) -> Watched:
    """The client with the account's own rights."""
    token = str(api.stage.folder / "token")
    return Watched(KubernetesDecl(name="prod-a", url=api.url, bearer_file=token, ca_file=str(api.authority)))


def titles(product: Product) -> list[str]:
    product.drain()
    return [str(row[0]) for row in product.rows("SELECT title FROM incidents_incident ORDER BY number")]


def count(product: Product, table: str) -> int:
    return int(str(product.rows(f"SELECT count(*) FROM incidents_{table}")[0][0]))


@pytest.fixture
def api() -> Iterator[ApiServer]:
    with Stage() as stage:
        made = ApiServer(stage)
        made.start_store()
        made.start()
        yield made


def failing(api: ApiServer, pod: str, uid: str, counts: range) -> None:
    for number in counts:
        api.event("shop", pod, uid, DEADLINE, number)
        time.sleep(3)


def test_a_real_api_server_is_followed_by_the_shipped_role_across_restart_and_410(api: ApiServer) -> None:
    product = Product(api.stage)
    declared(product, api.url, api.authority, ACCOUNT)
    watcher(product)
    wait_until(
        lambda: "`list` on `pods`" in str(product.rows("SELECT error FROM incidents_watchlease")), "the refusal", 60
    )
    doctor = _doctor(product)
    assert "list on pods, watch on pods" in doctor and "read-only-role.yaml" in doctor
    api.apply(ROLE)
    api.call("POST", "api/v1/namespaces", {"metadata": {"name": "shop"}})
    pod = "cart-7d9f8b6c5-aaaaa"
    uid = api.pod("shop", pod, ready=True)
    wait_until(lambda: product.rows("SELECT error FROM incidents_watchlease") == [("",)], "the role is taken", 90)
    assert "it may read everything" in _doctor(product)

    failing(api, pod, uid, range(1, 4))
    api.readiness("shop", pod, ready=False)
    wait_until(lambda: count(product, "delivery") == 1, "the first message", 30)
    assert titles(product) == ["Readiness probe of shop/cart fails: context deadline exceeded"]
    assert "s3cret" not in product.bodies()

    old = {kind.plural: followed(api).listed(kind)[1] for kind in (PODS, EVENTS)}
    api.stop()
    api.compact()
    api.start()
    failing(api, pod, uid, range(4, 7))
    other = "search-5c6f7d8b9-bbbbb"
    failing(api, other, api.pod("shop", other, ready=True), range(1, 4))
    wait_until(lambda: len(titles(product)) == 2, f"the second incident {api.stage.log_of('watcher')}", 60)
    assert count(product, "delivery") == 2 and count(product, "alert") == 2
    for kind in (PODS, EVENTS):  # what a watcher would have been told that was quick enough to go on from there
        with pytest.raises(Expired):
            list(followed(api).followed(kind, old[kind.plural]))
    assert product.rows("SELECT kind, name FROM incidents_source") == [("kubernetes", "prod-a")]


def test_a_second_watcher_takes_over_when_the_first_is_killed_and_reports_nothing_twice(api: ApiServer) -> None:
    api.apply(ROLE)
    api.call("POST", "api/v1/namespaces", {"metadata": {"name": "shop"}})
    pod = "cart-7d9f8b6c5-aaaaa"
    uid = api.pod("shop", pod, ready=True)
    product = Product(api.stage)
    declared(product, api.url, api.authority, ACCOUNT)
    first = watcher(product, "first")
    wait_until(lambda: product.rows("SELECT 1 FROM incidents_watchlease WHERE observed_at IS NOT NULL"), "it leads", 60)
    watcher(product, "second")
    failing(api, pod, uid, range(1, 4))
    wait_until(lambda: count(product, "delivery") == 1, "the message", 30)
    holder = product.rows("SELECT holder FROM incidents_watchlease")
    first.kill()
    wait_until(
        lambda: product.rows("SELECT holder FROM incidents_watchlease") not in ([], holder), "the second leads", 60
    )
    time.sleep(5)
    assert count(product, "delivery") == 1
    other = "search-5c6f7d8b9-bbbbb"
    failing(api, other, api.pod("shop", other, ready=True), range(1, 4))
    wait_until(lambda: count(product, "delivery") == 2, f"the next one {api.stage.log_of('second')}", 30)


def _doctor(product: Product) -> str:
    """What doctor says of the cluster; other engines are not there, so it ends with an error."""
    code = ("import django, json; django.setup()\nfrom config.diagnosis import _connections\n"
            "from incidents.queries import connections\n"
            "print(json.dumps([[d.message, d.remedy] for d in _connections(connections())]))")  # fmt: skip
    return " ".join(" ".join(pair) for pair in json.loads(product.python(code)))


@pytest.fixture
def node(node_stage: Stage) -> Node:
    made = Node(node_stage)
    made.start()
    return made


def test_a_real_kubelets_failing_readiness_is_one_incident_without_any_alertmanager(node: Node) -> None:
    stage, product = node.stage, Product(node.stage)
    declared(product, node.api, stage.folder / "certs" / "apiserver.crt", TOKEN)
    watcher(product)
    node.make_namespace("shop")
    draw = random.Random(7)
    node.deploy("shop", "cart", template(draw, {"uses": "lock", "uses_livez": "none"}), 2)
    pods = wait_until(lambda: _ready(node), "both pods are Ready", 90, 1)
    time.sleep(62)  # their first minute
    assert count(product, "delivery") == 0, product.bodies()
    address = node.pod("shop", pods[0])["status"]["podIP"]
    httpx.get(f"http://{address}:{ORDERS}/hold", params={"for": "90s"}, timeout=10).raise_for_status()
    wait_until(lambda: count(product, "delivery") == 1, f"the message {stage.log_of('watcher')}", 60)
    assert titles(product) == ["Readiness probe of shop/cart fails: context deadline exceeded"]

    server = stage.process("apiserver")
    assert server is not None
    argv = [str(part) for part in server.args]  # type: ignore[union-attr]
    stage.end(server)
    time.sleep(8)
    stage.start("apiserver", argv[argv.index("--") + 1 :])
    stage.ready("apiserver", f"{node.api}/readyz", verify=False, headers={"Authorization": f"Bearer {TOKEN}"})
    time.sleep(30)
    assert count(product, "delivery") == 1 and len(titles(product)) == 1
    seen = {str(row[0]) for row in product.rows("SELECT key FROM incidents_entity WHERE kind IN ('Pod', 'Workload')")}
    assert seen == {f"Pod/prod-a/shop/{pods[0]}", "Workload/prod-a/shop/cart"}
    wait_until(lambda: _reported(product)[-1]["state"] == "resolved", "the end, after five minutes of silence", 480, 2)
    assert len({message["first"] for message in _reported(product)}) == 1
    titles(product)
    assert product.rows("SELECT state FROM incidents_incident") == [("resolved",)]

    node.patch("shop", "cart", {"spec": {"template": {"metadata": {"annotations": {"rollout": "2"}}}}})
    time.sleep(45)
    titles(product)
    assert product.rows("SELECT count(*) FROM incidents_incident WHERE state = 'open'") == [(0,)], product.bodies()


def _ready(node: Node) -> list[str]:
    names = [str(pod["metadata"]["name"]) for pod in node.pods("shop", "cart")]
    return names if len(names) == 2 and all(node.is_ready("shop", name) for name in names) else []


def _reported(product: Product) -> list[dict[str, Any]]:
    rows = product.rows("SELECT body FROM incidents_delivery ORDER BY received_at")
    return [json.loads(bytes(row[0])) for row in rows]  # type: ignore[call-overload]
