"""Episodes with a fault of the whole node or of its infrastructure; none of them shares its node."""

import json
import random
import time
from typing import Any

import httpx

from domain.connections import EtcdDecl, EtcdMemberDecl
from lab.episode import Episode, Setting
from lab.faults.disk import slow_fsync
from lab.faults.process import frozen
from lab.stage.namespace import Namespace, Pod, template
from lab.stage.node_pool import NodePool
from lab.stage.programs import StageBroken
from lab.stage.watch import CLUSTER


def _calm(on: Namespace) -> list[Pod]:
    pods = on.deploy(template(on.draw, {"work_latency": f"{on.draw.randint(2, 12)}ms"}))
    for pod in pods:
        on.load(pod, rate=on.draw.randint(2, 5))
    on.calm(50, 62)
    return pods


def _pid(pool: NodePool, name: str) -> int:
    """The process id of a program of the stage. Raises StageBroken if it does not run."""
    process = pool.stage.process(name)
    if process is None:
        raise StageBroken(f"{name} does not run")
    return process.pid


def _await_alert(on: Namespace, alert: str, seconds: float) -> None:
    """Wait for an alert about the node or the cluster, which has no namespace."""
    on.alerted(alert, seconds=seconds, anywhere=True)


def node_frozen(pool: NodePool, _: Any, draw: random.Random) -> Setting:
    """The kubelet stands still until the controllers call the node not ready."""
    on = pool.make_namespace(draw)
    _calm(on)
    on.make(frozen(_pid(pool, "kubelet")))
    _await_alert(on, "NodeNotReady", 80)
    on.linger(draw.randint(12, 18))
    return on.setting("node-not-ready", f"Host/{CLUSTER}//{pool.node.name}", "SIGSTOP of the kubelet.")


def slow_store(pool: NodePool, _: Any, draw: random.Random) -> Setting:
    """The disk of the API server's etcd is slow; so is the API server, and everything that writes."""
    on = pool.make_namespace(draw)
    _calm(on)
    late = draw.randint(900, 1500)
    with slow_fsync(pool.stage, _pid(pool, "kube-etcd"), late):
        _await_alert(on, "ApiServerSlow", 90)
        on.linger(12)
    member = EtcdMemberDecl(name="etcd-1", endpoint=f"http://127.0.0.1:{pool.node.store}", instance=pool.node.name,
                            host=pool.node.name)  # fmt: skip
    etcd = EtcdDecl(name="kube-etcd", cluster=CLUSTER, prometheus="main", selector={"job": "etcd"}, member=[member])
    on.must_hold("histogram_quantile(0.5, rate(etcd_disk_wal_fsync_duration_seconds_bucket[40s])) > 0.5")
    return on.setting("etcd-slow-disk", f"EtcdMember/{CLUSTER}//etcd-1",
                      f"Each fdatasync of the API server's etcd {late} ms late.", etcd=(etcd,))  # fmt: skip


def scrape_gap(pool: NodePool, _: Any, draw: random.Random) -> Setting:
    """Prometheus goes through a proxy that is down: every target looks dead, and nothing is."""
    on = pool.make_namespace(draw)
    _calm(on)
    config = pool.stage.folder / "prometheus.yml"
    usual = config.read_text()
    broken = json.loads(usual)
    for job in broken["scrape_configs"]:
        job["proxy_url"] = "http://127.0.0.1:9"
    _reload(pool, json.dumps(broken))
    on.alerted("TargetDown")
    time.sleep(draw.randint(8, 16))
    _reload(pool, usual)
    on.linger(12)
    return on.setting("no-fault-scrape-gap", f"Cluster/{CLUSTER}//{CLUSTER}",
                      "Prometheus' own way to its targets was broken for half a minute.")  # fmt: skip


def node_short_of_memory(pool: NodePool, _: Any, draw: random.Random) -> Setting:
    """A pod without a limit takes so much memory that the node calls itself short of it."""
    on = pool.make_namespace(draw)
    hog = on.deploy(template(draw, {}, {}, memory="9Gi"), replicas=1, app="batch-import")[0]
    _calm(on)
    speed = draw.randint(350, 600)
    on.order(hog, "grow", mib=speed)
    _await_alert(on, "NodePressure", 90)
    on.order(hog, "exit", code=0)
    on.linger()
    return on.setting("node-pressure", f"Host/{CLUSTER}//{pool.node.name}",
                      f"A batch pod took {speed} MiB more each second.")  # fmt: skip


def _reload(pool: NodePool, config: str) -> None:
    pool.stage.write("prometheus.yml", config)
    httpx.post(f"{pool.monitoring.prometheus}/-/reload", timeout=20.0).raise_for_status()


EPISODES = (
    Episode("probe-node-frozen", "a node is not ready because its kubelet stands still", node_frozen,
            "node-not-ready", "infrastructure", node=True, alone=True, wishes={"grace_s": 16}),
    Episode("probe-slow-store", "the API server is slow because its etcd's disk is", slow_store,
            "etcd-slow-disk", "infrastructure", node=True, alone=True),
    Episode("probe-node-short-of-memory", "a node is short of memory", node_short_of_memory,
            "node-pressure", "infrastructure", node=True, alone=True, wishes={"spare_mib": 2500}),
    Episode("probe-scrape-gap", "every target looks dead because the scraping is broken", scrape_gap,
            "no-fault-scrape-gap", "no-fault", node=True, alone=True),
)  # fmt: skip
