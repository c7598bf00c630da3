"""Faults of the whole node or of what lies below it; each has a node for itself."""

import json
import random
import time
from typing import Any

import httpx

from domain.connections import EtcdDecl, EtcdMemberDecl
from lab.episodes.episode import Episode, Setting
from lab.faults.disk import slow_fsync
from lab.faults.process import frozen
from lab.stage.ground import Ground
from lab.stage.plot import Plot, Pod, template
from lab.stage.programs import StageBroken
from lab.stage.watch import CLUSTER


def _calm(on: Plot) -> list[Pod]:
    pods = on.deploy(template(on.draw, {"work_latency": f"{on.draw.randint(2, 12)}ms"}))
    for pod in pods:
        on.load(pod, rate=on.draw.randint(2, 5))
    on.calm(50, 62)
    return pods


def _pid(ground: Ground, name: str) -> int:
    """The program itself; setpriv has replaced itself by it."""
    process = ground.stage.process(name)
    if process is None:
        raise StageBroken(f"{name} does not run")
    return process.pid


def _told(on: Plot, alert: str, seconds: float) -> None:
    """An alert about the node or the cluster, which has no namespace."""
    on.alerted(alert, seconds=seconds, anywhere=True)


def node_frozen(ground: Ground, _: Any, draw: random.Random) -> Setting:
    """The kubelet stands still until the controllers call the node not ready."""
    on = ground.plot(draw)
    _calm(on)
    on.make(frozen(_pid(ground, "kubelet")))
    _told(on, "NodeNotReady", 80)
    on.linger(draw.randint(12, 18))
    return on.setting("node-not-ready", f"Host/{CLUSTER}//{ground.node.name}", "SIGSTOP of the kubelet.")


def slow_store(ground: Ground, _: Any, draw: random.Random) -> Setting:
    """The disk of the API server's etcd is slow; so is the API server, and everything that writes."""
    on = ground.plot(draw)
    _calm(on)
    late = draw.randint(900, 1500)
    with slow_fsync(ground.stage, _pid(ground, "kube-etcd"), late):
        _told(on, "ApiServerSlow", 90)
        on.linger(12)
    member = EtcdMemberDecl(name="etcd-1", endpoint=f"http://127.0.0.1:{ground.node.store}", instance=ground.node.name,
                            host=ground.node.name)  # fmt: skip
    etcd = EtcdDecl(name="kube-etcd", cluster=CLUSTER, prometheus="main", selector={"job": "etcd"}, member=[member])
    on.must_hold("histogram_quantile(0.5, rate(etcd_disk_wal_fsync_duration_seconds_bucket[40s])) > 0.5")
    return on.setting("etcd-slow-disk", f"EtcdMember/{CLUSTER}//etcd-1",
                      f"Each fdatasync of the API server's etcd {late} ms late.", etcd=(etcd,))  # fmt: skip


def scrape_gap(ground: Ground, _: Any, draw: random.Random) -> Setting:
    """Prometheus goes through a proxy that is down: every target looks dead, and nothing is."""
    on = ground.plot(draw)
    _calm(on)
    config = ground.stage.folder / "prometheus.yml"
    usual = config.read_text()
    broken = json.loads(usual)
    for job in broken["scrape_configs"]:
        job["proxy_url"] = "http://127.0.0.1:9"
    _reload(ground, json.dumps(broken))
    on.alerted("TargetDown")
    time.sleep(draw.randint(8, 16))
    _reload(ground, usual)
    on.linger(12)
    return on.setting("no-fault-scrape-gap", f"Cluster/{CLUSTER}//{CLUSTER}",
                      "Prometheus' own way to its targets was broken for half a minute.")  # fmt: skip


def node_short_of_memory(ground: Ground, _: Any, draw: random.Random) -> Setting:
    """A pod without a limit takes so much memory that the node calls itself short of it."""
    on = ground.plot(draw)
    hog = on.deploy(template(draw, {}, {}, memory="9Gi"), replicas=1, app="batch-import")[0]
    _calm(on)
    speed = draw.randint(350, 600)
    on.order(hog, "grow", mib=speed)
    _told(on, "NodePressure", 90)
    on.order(hog, "exit", code=0)
    on.linger()
    return on.setting("node-pressure", f"Host/{CLUSTER}//{ground.node.name}",
                      f"A batch pod took {speed} MiB more each second.")  # fmt: skip


def _reload(ground: Ground, config: str) -> None:
    ground.stage.write("prometheus.yml", config)
    httpx.post(f"{ground.monitoring.prometheus}/-/reload", timeout=20.0).raise_for_status()


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
