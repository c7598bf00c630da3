"""Probes fail because of what the application does: it waits, leaks, runs out, crashes or stalls."""

import os
import random
import signal
from typing import Any

from lab.episode import Episode, Setting
from lab.faults.process import frozen
from lab.stage.namespace import Namespace, Pod, probe, template
from lab.stage.node_pool import NodePool
from lab.stage.programs import StageBroken, wait_until

DEADLINE = "context deadline exceeded"


def _calm(on: Namespace, switches: dict[str, Any], probes: dict[str, Any] | None = None, **more: Any) -> list[Pod]:
    """Two pods under a little load, after a calm time."""
    latency = {"work_latency": f"{on.draw.randint(2, 15)}ms"}
    pods = on.deploy(template(on.draw, latency | switches, probes, **more))
    for pod in pods:
        on.load(pod, rate=on.draw.randint(2, 5))
    on.load(pods[0], "/items", rate=2)
    on.calm()
    return pods


def handler_blocked(pool: NodePool, _: Any, draw: random.Random) -> Setting:
    """A slow dependency holds the lock that the probe's handler and the work share."""
    on = pool.make_namespace(draw)
    pods = _calm(on, {"uses": "lock", "work_uses": "lock", "uses_livez": "none"})
    seconds, rate = draw.randint(70, 100), draw.randint(8, 20)
    on.order(pods[0], "hold", for_=f"{seconds}s")
    on.load(pods[0], rate=rate)
    on.alerted("PodProbeFailing", pods[0].name)
    on.linger()
    on.must_have_event("Readiness probe failed", DEADLINE)
    return on.setting("handler-blocked-on-dependency", pods[0],
                      f"A request held the shared lock for {seconds} s; {rate} others a second waited.")  # fmt: skip


def slow_dependency(pool: NodePool, _: Any, draw: random.Random) -> Setting:
    """The handler of the probe asks another service, which becomes slow."""
    on = pool.make_namespace(draw)
    name = f"{on.app}-db"
    store = on.deploy(template(draw, {"work_latency": "4ms"}), replicas=1, app=name)[0]
    asks = {"dependency": f"http://{store.address}:8080/work", "dependency_name": name}
    pods = _calm(on, asks | {"uses_readyz": "dependency", "uses_healthz": "dependency", "work_uses": "dependency"})
    latency = draw.randint(3500, 6000)
    on.order(store, "set", work_latency=f"{latency}ms")
    on.alerted("PodProbeFailing", pods[0].name)
    on.linger()
    on.must_have_event("Readiness probe failed", DEADLINE)
    return on.setting("handler-blocked-on-dependency", pods[0], f"{name} took {latency} ms for each call.")


def lock_contention(pool: NodePool, _: Any, draw: random.Random) -> Setting:
    """Many workers take the same lock in turn; nobody outside the process is slow."""
    on = pool.make_namespace(draw)
    pods = _calm(on, {"uses": "lock", "work_uses": "lock", "uses_livez": "none"})
    workers, hold = draw.randint(10, 16), draw.randint(180, 300)
    on.order(pods[0], "contend", goroutines=workers, hold=f"{hold}ms")
    on.alerted("PodProbeFailing", pods[0].name)
    on.linger()
    on.must_have_event("Readiness probe failed", DEADLINE)
    on.must_hold("increase(go_sync_mutex_wait_total_seconds_total{$ns}[30s]) > 10")
    return on.setting("lock-contention", pods[0], f"{workers} workers took one lock in turn, {hold} ms each.")


def pool_exhausted(pool: NodePool, _: Any, draw: random.Random) -> Setting:
    """Transactions that are never ended keep every connection of the pool."""
    on = pool.make_namespace(draw)
    size = draw.randint(3, 8)
    pods = _calm(on, {"pool_size": size, "query_latency": "12ms", "uses_readyz": "pool", "uses_healthz": "pool",
                      "work_uses": "pool"})  # fmt: skip
    on.order(pods[0], "leak-connections", count=size)
    on.alerted("PodProbeFailing", pods[0].name)
    on.linger()
    on.must_have_event("Readiness probe failed", DEADLINE)
    on.must_hold("go_sql_in_use_connections{$ns} >= go_sql_max_open_connections{$ns}")
    return on.setting("pool-exhausted", pods[0], f"All {size} connections of the pool were taken and never returned.")


def goroutine_leak(pool: NodePool, _: Any, draw: random.Random) -> Setting:
    """Subscribers are never removed; the handler goes through all of them."""
    on = pool.make_namespace(draw)
    rate = draw.randint(70, 110)
    switches = {"subscriber_cost": "210us", "subscribers": "1", "work_latency": "5ms"}
    pods = on.deploy(template(draw, switches, {"readinessProbe": probe("/readyz")}, memory="192Mi"))
    on.load(pods[0], rate=draw.randint(2, 4))
    on.load(pods[0], "/items", rate=2)
    on.calm(45, 60)
    on.order(pods[0], "leak", rate=rate)
    on.alerted("PodProbeFailing", pods[0].name, 120)
    on.linger()
    on.must_have_event("Readiness probe failed", DEADLINE)
    on.must_hold("go_goroutines{$ns} > 2000")
    return on.setting("goroutine-leak", pods[0], f"{rate} goroutines leaked each second; the handler visits them all.")


def cpu_throttled(pool: NodePool, _: Any, draw: random.Random) -> Setting:
    """A busy loop eats the CPU quota, and the handler waits for its share."""
    on = pool.make_namespace(draw)
    limit, loops = draw.randrange(80, 140, 10), draw.randint(3, 5)
    probes = {"readinessProbe": probe("/readyz", draw.choice((2, 3)))}
    pods = _calm(on, {"probe_cpu": "25ms", "work_cpu": "4ms"}, probes, cpu=f"{limit}m")
    on.order(pods[0], "burn", goroutines=loops)
    on.alerted("PodProbeFailing", pods[0].name)
    on.linger()
    on.must_have_event("Readiness probe failed", DEADLINE)
    on.must_hold("increase(container_cpu_cfs_throttled_periods_total{$ns}[30s]) > 50")
    return on.setting("cpu-throttled", pods[0], f"{loops} busy loops under a CPU limit of {limit} m.")


def gc_pressure(pool: NodePool, _: Any, draw: random.Random) -> Setting:
    """A cache grows past GOMEMLIMIT: the garbage collector never rests, and the handler waits for its share of CPU."""
    on = pool.make_namespace(draw)
    limit, cpu = draw.choice((48, 56, 64)), draw.randrange(110, 140, 10)
    probes = {"readinessProbe": probe("/readyz", draw.choice((2, 3)))}
    switches = {"probe_cpu": "40ms", "work_cpu": "2ms", "work_waste": "1"}
    pods = _calm(on, switches, probes, cpu=f"{cpu}m", memory=f"{limit * 3}Mi", env={"GOMEMLIMIT": f"{limit}MiB"})
    on.must_not_have_event("Readiness probe failed")  # the load is the same later, only the cache is not
    kept = limit + draw.randint(10, 20)
    on.order(pods[0], "keep", mib=kept)
    on.alerted("PodProbeFailing", pods[0].name)
    on.linger()
    on.must_have_event("Readiness probe failed", DEADLINE)
    # At least a quarter of all that the process spends, ten times of what it was under the same load.
    collecting, working = (f"rate(go_cpu_classes_{name}_cpu_seconds_total{{$ns}}[30s]" for name in ("gc_total", "user"))
    on.must_hold(f"{collecting}) > on (pod) {working}) / 3 and on (pod) {collecting}) > 10 * {collecting} offset 90s)")
    note = f"A cache of {kept} MiB under GOMEMLIMIT={limit}MiB and a CPU limit of {cpu} m; the load stayed as it was."
    return on.setting("gc-pressure", pods[0], note)


def memory_exhausted(pool: NodePool, _: Any, draw: random.Random) -> Setting:
    """Memory grows to the limit and the kernel kills the process; and again after its restart."""
    on = pool.make_namespace(draw)
    limit, speed = draw.choice((64, 80, 96)), draw.randint(4, 7)
    pods = _calm(on, {}, memory=f"{limit}Mi")
    on.order(pods[0], "grow", mib=speed)
    wait_until(lambda: on.status(pods[0]).get("restartCount", 0) >= 1, "the kernel ends it", 60, step=1)
    wait_until(lambda: on.is_ready(pods[0].name), "it is back", 40, step=1)
    on.order(pods[0], "grow", mib=speed * 2)
    on.alerted("PodRestarting", pods[0].name)
    on.linger()
    on.must_hold('max_over_time(kube_pod_container_status_last_terminated_reason{$ns,reason="OOMKilled"}[3m]) == 1')
    return on.setting("memory-exhausted", pods[0], f"{speed} MiB/s allocated and kept under a limit of {limit} MiB.")


def crash_loop(pool: NodePool, _: Any, draw: random.Random) -> Setting:
    """The process panics some seconds after each start."""
    on = pool.make_namespace(draw)
    on.calm(25, 35)
    seconds = draw.randint(5, 9)
    pods = on.deploy(template(draw, {"exit_after": f"{seconds}s"}), replicas=draw.choice((1, 2)), ready=False)
    on.alerted("PodRestarting", pods[0].name)
    wait_until(lambda: on.status(pods[0]).get("restartCount", 0) >= 2, "it crashed again", 60, step=1)
    on.linger(12)
    on.must_have_event("Back-off restarting failed container")
    return on.setting("handler-crash", pods[0], f"The process panics {seconds} s after each start.")


def killed_from_outside(pool: NodePool, _: Any, draw: random.Random) -> Setting:
    """Somebody on the node kills the process again and again; neither memory nor a probe nor the program is guilty."""
    on = pool.make_namespace(draw)
    pods = _calm(on, {})
    for number in range(draw.choice((2, 3))):
        wait_until(lambda: on.is_ready(pods[0].name), "it runs", 60, step=1)
        os.kill(on.process(pods[0]), signal.SIGKILL)
        wait_until(lambda n=number: on.status(pods[0]).get("restartCount", 0) > n, "it was killed", 40, step=1)
    on.alerted("PodRestarting", pods[0].name)
    on.linger(10)
    on.must_hold('max_over_time(kube_pod_container_status_last_terminated_reason{$ns,reason="Error"}[3m]) == 1')
    return on.setting("", pods[0], "SIGKILL from the host; the catalogue has no such cause.")


def handler_panics(pool: NodePool, _: Any, draw: random.Random) -> Setting:
    """The handler panics; the server drops the connection without an answer."""
    on = pool.make_namespace(draw)
    everything = draw.choice((True, False))
    pods = _calm(on, {}, {"readinessProbe": probe("/readyz", draw.choice((2, 3)))})
    on.order(pods[0], "set", **{"all_abort" if everything else "abort": 1})
    on.alerted("PodProbeFailing", pods[0].name)
    on.linger()
    on.must_have_event("Readiness probe failed", "EOF")
    which = "every handler" if everything else "the handler of the probe"
    return on.setting("handler-crash", pods[0], f"A panic in {which}; the process lives on.")


def accept_queue_full(pool: NodePool, _: Any, draw: random.Random) -> Setting:
    """The process stops accepting; its short queue fills and the kernel drops what comes."""
    on = pool.make_namespace(draw)
    backlog, rate = draw.randint(1, 4), draw.randint(2, 5)
    pods = _calm(on, {"backlog": backlog}, {"readinessProbe": probe("/readyz", draw.choice((2, 3)))})
    on.order(pods[0], "set", no_accept=1)
    on.load(pods[0], rate=rate, fresh=True)
    on.alerted("PodProbeFailing", pods[0].name)
    on.linger()
    on.must_have_event("Readiness probe failed", DEADLINE)
    on.must_hold("increase(node_netstat_TcpExt_ListenOverflows{$ns}[40s]) > 0")
    return on.setting("accept-queue-full", pods[0], f"The process stopped accepting; its queue holds {backlog}.")


def process_frozen(pool: NodePool, _: Any, draw: random.Random) -> Setting:
    """The process stands still (SIGSTOP) until its queue is full."""
    on = pool.make_namespace(draw)
    backlog = draw.randint(1, 3)
    pods = _calm(on, {"backlog": backlog}, {"readinessProbe": probe("/readyz", 2)})
    on.make(frozen(on.process(pods[0])))
    on.load(pods[0], rate=draw.randint(2, 4), fresh=True)
    on.alerted("PodProbeFailing", pods[0].name)
    on.linger()
    on.must_have_event("Readiness probe failed", DEADLINE)
    on.must_hold("increase(node_netstat_TcpExt_ListenOverflows{$ns}[40s]) > 0")
    return on.setting("accept-queue-full", pods[0], f"SIGSTOP of the process; its queue of {backlog} filled.")


def body_stall(pool: NodePool, _: Any, draw: random.Random) -> Setting:
    """Status 200 comes at once, and the body never ends."""
    on = pool.make_namespace(draw)
    pods = _calm(on, {}, {"readinessProbe": probe("/readyz", draw.choice((2, 3)))})
    on.order(pods[0], "set", body_stall=1)
    on.alerted("ProbeDown", pods[0].name)
    on.linger()
    on.must_hold('probe_http_status_code{$ns,module="http_2xx"} == 200 and on (pod) probe_success{$ns} == 0')
    return on.setting("response-body-stall", pods[0], "The handler writes the beginning of the body and stalls.")


def shared_endpoint(pool: NodePool, _: Any, draw: random.Random) -> Setting:
    """Readiness and liveness ask the same route, which waits for a lock; the kubelet kills the container."""
    on = pool.make_namespace(draw)
    probes = {"readinessProbe": probe("/healthz", 2), "livenessProbe": probe("/healthz", draw.choice((3, 4)), 1, 3)}
    pods = _calm(on, {"uses": "lock", "work_uses": "lock"}, probes)
    on.order(pods[0], "hold", for_="90s")
    on.load(pods[0], rate=draw.randint(6, 15))
    on.alerted("PodRestarting", pods[0].name)
    on.linger()
    on.must_have_event("failed liveness probe, will be restarted")
    if not any("Readiness probe failed" in event for event in on.events()):
        raise StageBroken("readiness did not fail beside liveness")
    return on.setting("shared-probe-endpoint", pods[0], "Both probes ask /healthz, which waited for a held lock.")


def liveness_dependency(pool: NodePool, _: Any, draw: random.Random) -> Setting:
    """Liveness asks a database; its outage restarts every healthy pod."""
    on = pool.make_namespace(draw)
    name = f"{on.app}-db"
    store = on.deploy(template(draw, {}, {}), replicas=1, app=name)[0]
    probes = {"readinessProbe": probe("/readyz", 3), "livenessProbe": probe("/livez", 3, 1, 3)}
    asks = {"dependency": f"http://{store.address}:8080/work", "dependency_name": name, "dependency_timeout": "700ms"}
    pods = on.deploy(template(draw, asks | {"uses_livez": "dependency"}, probes), replicas=3)
    on.load(pods[0], rate=3)
    on.calm()
    on.order(store, "set", **draw.choice(({"all_status": 503}, {"work_latency": "5s"})))
    on.alerted("PodRestarting", seconds=90)
    on.linger(20)
    on.must_have_event("failed liveness probe, will be restarted")
    on.must_hold("count(increase(kube_pod_container_status_restarts_total{$ns}[60s]) > 0) >= 2")
    return on.setting("liveness-checks-dependency", on.workload, f"/livez asks {name}, which failed.")


EPISODES = tuple(
    Episode(f"probe-{name}", title, play, cause, family, node=True)
    for name, title, play, cause, family in (
        ("handler-blocked", "readiness fails because the handler waits for a lock", handler_blocked,
         "handler-blocked-on-dependency", "application"),
        ("slow-dependency", "readiness fails because a dependency is slow", slow_dependency,
         "handler-blocked-on-dependency", "application"),
        ("lock-contention", "readiness fails because many take one lock", lock_contention,
         "lock-contention", "application"),
        ("pool-exhausted", "readiness fails because the connection pool is empty", pool_exhausted,
         "pool-exhausted", "application"),
        ("goroutine-leak", "readiness fails because goroutines leak", goroutine_leak,
         "goroutine-leak", "application"),
        ("cpu-throttled", "readiness fails because the CPU quota is used up", cpu_throttled,
         "cpu-throttled", "resources"),
        ("gc-pressure", "readiness fails because the garbage collector takes the CPU", gc_pressure,
         "gc-pressure", "resources"),
        ("memory-exhausted", "a pod restarts because it ran out of memory", memory_exhausted,
         "memory-exhausted", "resources"),
        ("crash-loop", "a pod crashes soon after each start", crash_loop, "handler-crash", "application"),
        ("killed-from-outside", "a process is killed by somebody on the node", killed_from_outside, "", "unknown"),
        ("handler-panics", "readiness fails because the handler panics", handler_panics,
         "handler-crash", "application"),
        ("accept-queue-full", "readiness fails because nobody accepts", accept_queue_full,
         "accept-queue-full", "application"),
        ("process-stopped", "readiness fails because the process stands still", process_frozen,
         "accept-queue-full", "application"),
        ("body-stall", "a probe fails because the body never ends", body_stall,
         "response-body-stall", "application"),
        ("shared-endpoint", "a blocked route shared by both probes restarts the pod", shared_endpoint,
         "shared-probe-endpoint", "settings"),
        ("liveness-dependency", "a dependency's outage restarts healthy pods", liveness_dependency,
         "liveness-checks-dependency", "settings"),
    )
)  # fmt: skip
