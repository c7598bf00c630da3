"""Faults on a node that is monitored as kube-prometheus does it: incidents about what is broken, by its names."""

import json
import random
import subprocess
from typing import Any, NamedTuple

import pytest

from lab.stage import monitoring
from lab.stage.monitoring import Monitoring
from lab.stage.namespace import probe, template
from lab.stage.node import Node
from lab.stage.programs import Stage, wait_until
from lab.stage.releases import Watchers
from tests.real.kube_prometheus import address_of, jobs, rule_groups, start_node_exporter
from tests.real.node_stage import node_stage
from tests.real.product import Product

__all__ = ["node_stage"]
pytestmark = pytest.mark.real
STATE, EXPORTER = "kube-state-metrics", "node-exporter"
# How long alerts are held: longer than until Prometheus has scraped everything once.
HOLD = "15s"
# What the stage has not got, and what public rules find missing.
LEFT_OUT = {"Workload//kube-system/kube-scheduler", "Workload//kube-system/kube-proxy"}
SEEN = """
import json
from incidents.models import Entity, Incident
incidents = [
    [[a.name, a.subject.key if a.subject else "", a.family, json.loads(bytes(a.parsed)).get("reporter", ""),
      json.loads(bytes(a.parsed))["labels"]] for a in i.alerts.select_related("subject").order_by("name", "pk")]
    for i in Incident.objects.filter(merged_into=None).order_by("number")
]
print(json.dumps({"incidents": incidents, "entities": list(Entity.objects.values_list("key", flat=True))}))
"""


class Seen(NamedTuple):
    """What the record holds of one alert."""

    name: str
    subject: str
    family: str
    reporter: str


def seen(product: Product) -> dict[str, Any]:
    """Of each incident its alerts: name, subject, family, reporter and labels; and every entity's key."""
    product.drain()
    return dict(json.loads(product.python(SEEN)))


def crash(node: Node) -> str:
    """A Deployment whose only container ends by itself a second after each start; its pod."""
    node.make_namespace("shop")
    node.deploy("shop", "cart", template(random.Random(1), {"exit_after": "1s"}, {}), 1)
    pods = wait_until(lambda: node.pods("shop", "cart"), "the pod is made")
    return str(pods[0]["metadata"]["name"])


def never_ready(node: Node) -> None:
    """A Deployment whose readiness probe asks for a page that is not there."""
    node.make_namespace("billing")
    node.deploy("billing", "orders", template(random.Random(2), {}, {"readinessProbe": probe("/no-such-page")}), 1)


def failed_job(node: Node) -> None:
    """A Job whose only pod ends with an error."""
    node.make_namespace("reports")
    spec = template(random.Random(3), {"exit_after": "1s"}, {})["spec"]
    pod = {**spec, "nodeName": node.name, "restartPolicy": "Never", "automountServiceAccountToken": False,
           "enableServiceLinks": False, "dnsPolicy": "Default"}  # fmt: skip
    node.call("POST", "/apis/batch/v1/namespaces/reports/jobs", {
        "metadata": {"name": "nightly-29340001"}, "spec": {"backoffLimit": 0, "template": {"spec": pod}}})  # fmt: skip


def full_disk(node: Node) -> None:
    """A small file system that is full; the stage unmounts what is mounted in its folder."""
    mount = node.stage.folder / "data"
    mount.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=2m", "lab-data", str(mount)], check=True)
    (mount / "log").write_bytes(bytes(2 << 20))


def watched(node: Node, product: Product, groups: list[dict[str, Any]]) -> Monitoring:
    """Prometheus, which evaluates these groups of rules, and Alertmanager, which sends to the product."""
    url, token = product.add_source("alertmanager", "prod")
    product.start()
    scraped = jobs(node, address_of(node), start_node_exporter(node))
    return monitoring.start(node.stage, scraped, [], sink=url, token=token, watchers=Watchers(groups=groups))


def test_four_faults_under_public_rules_are_four_incidents_about_the_right_entities(node_stage: Stage) -> None:
    node, product, groups = Node(node_stage), Product(node_stage), rule_groups(HOLD)
    node.start()
    pod, host = crash(node), f"Host///{address_of(node)}"
    never_ready(node)
    failed_job(node)
    full_disk(node)
    watched(node, product, groups)
    known = {rule.get("alert") for group in groups for rule in group["rules"]}
    expected = {alert for alert in alerts_of(pod, host) if alert.name in known}
    found = wait_until(lambda: all_there(seen(product), expected), "all alerts", 150, 5)
    _assert_four(found, "/shop/cart", "/billing/orders", "/reports/nightly-", host)


def test_a_node_that_two_exporters_name_differently_is_one_host_where_its_prometheus_is_declared(
    node_stage: Stage,
) -> None:
    node, product = Node(node_stage, grace_s=16), Product(node_stage)
    node.start()
    full_disk(node)
    learn_names(product, watched(node, product, rule_groups(HOLD)).prometheus)
    kubelet, host = node_stage.process("kubelet"), f"Host/prod-a//{node.name}"
    assert kubelet is not None
    node_stage.end(kubelet)
    expected = {
        Seen("NodeFilesystemAlmostOutOfSpace", host, "node", EXPORTER), Seen("KubeNodeNotReady", host, "node", STATE),
    }  # fmt: skip
    found = wait_until(lambda: all_there(seen(product), expected), "both alerts", 120, 5)
    about = [{alert[1] for alert in incident} for incident in found["incidents"]]
    assert [subjects for subjects in about if any("Host/" in subject for subject in subjects)] == [{host}], found


def learn_names(product: Product, prometheus: str) -> None:
    """Declares the server, and asks it for its machines as the service does every five minutes."""
    declared = f'[[prometheus]]\nname = "main"\nurl = "{prometheus}"\nclusters = ["prod-a"]\n'
    product.verb("apply", str(product.stage.write("connections.toml", declared)))
    code = "from ingest.inventory import learn_names; print(learn_names())"
    wait_until(lambda: int(product.python(code)), "a node's names", 60)


def alerts_of(pod: str, host: str) -> set[Seen]:
    """The alerts that the faults have to raise where there are rules for them."""
    return {
        Seen("KubePodCrashLooping", f"Pod//shop/{pod}", "pod", STATE),
        Seen("KubeDeploymentReplicasMismatch", "Workload//shop/cart", "workload", STATE),
        Seen("KubeDeploymentReplicasMismatch", "Workload//billing/orders", "workload", STATE),
        Seen("KubeDeploymentRolloutStuck", "Workload//billing/orders", "workload", STATE),
        Seen("KubeJobFailed", "Workload//reports/nightly-29340001", "workload", STATE),
        Seen("NodeFilesystemAlmostOutOfSpace", host, "node", EXPORTER),
    }


def all_there(found: dict[str, Any], expected: set[Seen]) -> dict[str, Any]:
    """What was found once every expected alert is in it, else nothing."""
    alerts = {Seen(*alert[:4]) for incident in found["incidents"] for alert in incident}
    return found if expected <= alerts else {}


def _assert_four(found: dict[str, Any], *faults: str) -> None:
    """Each incident is about one fault, and no entity is one that only reports."""
    about = [{alert[1] for alert in incident} for incident in found["incidents"]]
    made = [subjects for subjects in about if not subjects <= LEFT_OUT]
    assert len(made) == len(faults), found
    for fault in faults:
        assert [subjects for subjects in made if all(fault in subject for subject in subjects)], (fault, found)
    strange = [key for key in found["entities"] if any(name in key for name in (STATE, EXPORTER, "monitoring", "kps-"))]
    assert strange == []
