"""The field: two clusters in one Prometheus whose namespaces and workloads share their names."""

from lab.episode import Setting
from lab.faults.pod import filtered
from lab.field import again
from lab.field.declare import Declared
from lab.field.ground import ALERTS, BOTH, Ground
from lab.field.software import REDIS_PORT, WEB, nginx, nginx_that_may_end, node, proxy_to, redis
from lab.field.ware import http, tcp
from lab.stage.programs import wait_until

declared = Declared("two clusters")


@declared("one of two clusters: nginx' upstream is dead", "upstream-dead", "handler-blocked-on-dependency",
          sources=(ALERTS, BOTH), central=True)  # fmt: skip
def one_cluster_upstream_dead(on: Ground) -> Setting:
    """In one cluster the application behind nginx ends; the other cluster's namespace of the same name is well."""
    for side in (on, on.twin()):
        behind = side.run(nginx_that_may_end(), f"{on.app}-api")[0]
        pods = side.run(nginx(proxy_to(behind.address)), replicas=2)
        if side is on:
            first, front = behind, pods[0]
    on.calm()
    on.shell(first, "kill $(cat /tmp/nginx.pid)")
    on.reported()
    on.must_have_event("Readiness probe failed", "502")
    return on.setting(front, "The server behind nginx ended in one cluster; the other has the same names and is well.")


@declared("one of two clusters: the process crashes", "handler-crash", sources=(ALERTS, BOTH), central=True)
def one_cluster_crashes(on: Ground) -> Setting:
    """In one cluster requests end Node again and again; in the other the same deployment is well."""
    other = on.twin().run(node())[0]
    pod = on.run(node())[0]
    for one in (pod, other):
        on.load(one, WEB, rate=0.5)
    on.calm()
    on.load(pod, WEB, "/boom", rate=0.5)
    wait_until(lambda: on.restarts(pod) >= 3, "it crashed three times", 300, 2)
    on.reported(seconds=1700)
    on.must_have_event("Back-off restarting failed container")
    return on.setting(pod, "Requests make Node throw an uncaught error in one cluster; in the other nobody sends them.")


@declared("one of two clusters: packets are dropped, the other restarts", "network-path-drop", "accept-queue-full",
          sources=(ALERTS, BOTH), central=True)  # fmt: skip
def one_cluster_drop(on: Ground) -> Setting:
    """In one cluster packets to a pod vanish; in the other a pod of the same name's deployment is restarted by hand."""
    twin = on.twin()
    other = twin.run(nginx())[0]
    pod = on.run(nginx(readiness=http("/healthz", WEB, timeout=3)))[0]
    on.calm()
    on.make(filtered(on.pid(pod), "-p", "tcp", "-j", "DROP"))
    twin.shell(other, "kill 1")
    on.reported()
    on.must_have_event("Readiness probe failed", "context deadline exceeded")
    return on.setting(pod, "Packets to the pod are dropped; in the other cluster nginx was restarted, and is well.")


@declared("one of two clusters: Redis is killed for memory, the other is slow to start", "memory-exhausted",
          sources=(ALERTS, BOTH), central=True)  # fmt: skip
def one_cluster_memory(on: Ground) -> Setting:
    """In one cluster the kernel kills Redis at its limit; in the other Redis' probe asks a wrong port."""
    on.twin().run(redis(tcp(6380)), ready=False)
    pod = on.run(redis(settings="enable-debug-command yes", memory="48Mi"))[0]
    on.calm()
    on.make(again.asked(pod.address, REDIS_PORT, "DEBUG POPULATE 800000 k 100\r\n", 15))
    wait_until(lambda: on.restarts(pod) >= 2, "the kernel kills it twice", 200, 2)
    on.reported(seconds=1700)
    return on.setting(pod, "Keys are written past the limit of 48 MiB; the other cluster's Redis has a wrong probe.")


EPISODES = declared.episodes()
