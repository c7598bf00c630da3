"""The field: gunicorn, Node, Java and PHP, whose workers, threads or memory make their probes fail."""

from lab.episode import Setting
from lab.faults.process import frozen
from lab.field.declare import Declared
from lab.field.ground import EVENTS, Ground
from lab.field.software import WEB, gunicorn, java, nginx_that_may_end, node, php
from lab.field.ware import http
from lab.stage.programs import wait_until

declared = Declared("server")
DEADLINE = "context deadline exceeded"
BUSY = ("workers-busy", "server-limit-reached", "handler-blocked-on-dependency")


@declared("all synchronous workers of gunicorn are busy", *BUSY)
def gunicorn_workers_busy(on: Ground) -> Setting:
    """A slow page takes every synchronous worker, and the health route waits in the queue."""
    workers = on.draw.choice((2, 3))
    pod = on.run(gunicorn(workers=workers, options=("--timeout", "120")))[0]
    on.load(pod, WEB, rate=1)
    on.calm()
    on.load(pod, WEB, "/report?s=25", rate=2, clients=workers + 2)
    on.reported()
    on.must_have_event("Readiness probe failed", DEADLINE)
    return on.setting(pod, f"{workers + 2} clients ask for a page of 25 s; gunicorn has {workers} synchronous workers.")


@declared("gunicorn's health route asks a backend that stands still", "handler-blocked-on-dependency", "upstream-slow")
def gunicorn_backend_slow(on: Ground) -> Setting:
    """The health route of a Flask application asks another service, which stands still."""
    behind = on.run(nginx_that_may_end(), f"{on.app}-api")[0]
    env = {"PYTHONDONTWRITEBYTECODE": "1", "BACKEND": f"http://{behind.address}:8080/healthz", "BACKEND_TIMEOUT": "20"}
    pod = on.run(gunicorn(http("/healthz", WEB, timeout=2), workers=3).but(env=env))[0]
    on.calm()
    for process in on.children(behind):
        on.make(frozen(process))
    on.reported()
    on.must_have_event("Readiness probe failed", DEADLINE)
    return on.setting(pod, "/healthz asks another service, whose processes were stopped; it waits 20 s for it.")


@declared("gunicorn's workers are killed for want of memory", "memory-exhausted")
def gunicorn_memory(on: Ground) -> Setting:
    """Uploads are kept in memory until the kernel kills a worker or the container."""
    limit = on.draw.choice((96, 112))
    pod = on.run(gunicorn(workers=1, liveness=http("/healthz", WEB, failures=3), memory=f"{limit}Mi"))[0]
    on.load(pod, WEB, rate=1)
    on.calm()
    on.load(pod, WEB, "/upload?mib=4", rate=2)
    wait_until(lambda: on.killed_for_memory(pod) >= 2, "the kernel kills for memory", 300, 2)
    on.reported(seconds=1700)
    return on.setting(pod, f"2 x 4 MiB a second are kept under a memory limit of {limit} MiB.")


@declared("Node's only thread computes", "single-thread-busy", "cpu-throttled", "workers-busy",
          sources=(EVENTS,))  # fmt: skip
def node_thread_blocked(on: Ground) -> Setting:
    """A page computes on Node's only thread for half a minute at a time."""
    pod = on.run(node(cpu="1"))[0]
    on.load(pod, WEB, rate=1)
    on.calm()
    seconds = on.draw.randint(20, 35)
    on.load(pod, WEB, f"/report?s={seconds}", rate=2, clients=2)
    on.reported()
    on.must_have_event("Readiness probe failed", DEADLINE)
    return on.setting(pod, f"Two clients ask for a page that computes {seconds} s on the only thread.")


@declared("Node's only thread computes and liveness restarts it", "single-thread-busy", "shared-probe-endpoint",
          "cpu-throttled", sources=(EVENTS,))  # fmt: skip
def node_blocked_and_restarted(on: Ground) -> Setting:
    """A page computes on Node's only thread until liveness has the container restarted, again and again."""
    pod = on.run(node(liveness=http("/healthz", WEB, period=5, failures=4), cpu="1"))[0]
    on.load(pod, WEB, rate=1)
    on.calm()
    on.load(pod, WEB, "/report?s=60", rate=2, clients=2)
    wait_until(lambda: on.restarts(pod) >= 1, "liveness restarts it", 240, 2)
    on.reported()
    on.must_have_event("failed liveness probe, will be restarted")
    return on.setting(pod, "Two clients ask for a page that computes 60 s on the only thread; liveness kills it.")


@declared("an uncaught exception ends Node again and again", "handler-crash")
def node_crashes(on: Ground) -> Setting:
    """A request makes Node throw outside any handler; the process ends with exit code 1, and again when restarted."""
    pod = on.run(node())[0]
    on.load(pod, WEB, rate=1)
    on.calm()
    on.load(pod, WEB, "/boom", rate=0.5)
    wait_until(lambda: on.restarts(pod) >= 3, "it crashed three times", 300, 2)
    on.reported(seconds=1700)
    on.must_have_event("Back-off restarting failed container")
    return on.setting(pod, "A request every other second makes Node throw an uncaught error: exit code 1.")


@declared("Java's fixed pool of threads is used up", *BUSY, "lock-contention")
def java_threads_used_up(on: Ground) -> Setting:
    """All threads of the pool sleep in a slow page, and the health route waits in the pool's queue."""
    threads = on.draw.choice((3, 4))
    pod = on.run(java(threads=threads, readiness=http("/healthz", WEB, timeout=2)))[0]
    on.load(pod, WEB, rate=1)
    on.calm()
    on.load(pod, WEB, "/report?n=40", rate=2, clients=threads + 2)
    on.reported()
    on.must_have_event("Readiness probe failed", DEADLINE)
    return on.setting(pod, f"{threads + 2} clients ask for a page of 40 s; the pool has {threads} threads.")


@declared("a lock is held and all Java threads wait for it", "handler-blocked-on-dependency", "lock-contention",
          "workers-busy")  # fmt: skip
def java_lock_held(on: Ground) -> Setting:
    """A page holds the lock that the probed route takes too."""
    pod = on.run(java(threads=8, readiness=http("/cart", WEB, timeout=2)))[0]
    on.calm()
    on.load(pod, WEB, "/locked?n=30", rate=2, clients=2)
    on.reported()
    on.must_have_event("Readiness probe failed", DEADLINE)
    return on.setting(
        pod, "Two clients ask for a page that holds a lock for 30 s; the probed route takes the same lock."
    )


@declared("Java's heap is full", "gc-pressure", "memory-exhausted", "handler-crash", sources=(EVENTS,))
def java_heap_full(on: Ground) -> Setting:
    """Uploads are kept until the heap is full: the collector never rests, and handlers die of OutOfMemoryError."""
    pod = on.run(java(heap=40, readiness=http("/healthz", WEB)))[0]
    on.load(pod, WEB, rate=2)
    on.calm()
    on.load(pod, WEB, "/upload?n=1", rate=3)
    on.reported()
    on.must_have_event("Readiness probe failed")
    return on.setting(pod, "3 MiB a second are kept under -Xmx40m; the container's own limit is never reached.")


@declared("all children of php-fpm are busy", *BUSY, "upstream-slow")
def php_children_busy(on: Ground) -> Setting:
    """A slow page takes all children of php-fpm; nginx in the same pod waits for it and so does the probe."""
    children = on.draw.choice((2, 3))
    pod = on.run(php(children))[0]
    on.load(pod, WEB, "/index.php", rate=1)
    on.calm()
    on.load(pod, WEB, "/index.php?s=30", rate=2, clients=children + 3)
    on.reported()
    on.must_have_event("Readiness probe failed", DEADLINE)
    return on.setting(pod, f"{children + 3} clients ask for a page of 30 s; php-fpm has {children} children.")


EPISODES = declared.episodes()
