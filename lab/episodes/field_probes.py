"""The field: probes that are set wrongly, of a kind that does not fit, or that ask the wrong thing."""

from lab.episode import Setting
from lab.faults.process import frozen
from lab.field.declare import Declared
from lab.field.ground import EVENTS, Ground
from lab.field.software import WEB, gunicorn, nginx, nginx_that_may_end, redis
from lab.field.ware import command, grpc, http, tcp
from lab.stage.programs import wait_until

declared = Declared("probe")
MISMATCH = "KubeDeploymentReplicasMismatch"
STUCK = "KubeDeploymentRolloutStuck"
DEADLINE = "context deadline exceeded"


@declared("the command of an exec probe is not in the image", "exec-probe-fails", "wrong-probe-target",
          "recent-deploy", "recent-config-change")  # fmt: skip
def exec_missing(on: Ground) -> Setting:
    """A rollout changes the probe to a program that the image has not got."""
    old = on.run(redis())
    on.calm()
    on.roll_out(redis(command("curl", "-fs", "http://127.0.0.1:6379/")))
    on.reported(STUCK, MISMATCH, seconds=1700)
    on.must_have_event("curl")
    return on.setting(on.newest(old), "The new version's probe runs curl, which the image has not got.")


@declared("an exec probe fails and says why", "exec-probe-fails")
def exec_failing(on: Ground) -> Setting:
    """A script that checks a lag begins to fail with a sentence of its own."""
    script = "test ! -e /tmp/lag || { echo 'replication lag 412 s is above 60 s'; exit 1; }"
    pod = on.run(nginx(readiness=command("sh", "-c", script, period=5)))[0]
    on.calm()
    on.shell(pod, "touch /tmp/lag")
    on.reported()
    on.must_have_event("Readiness probe failed", "replication lag")
    return on.setting(pod, "The probe's script fails: 'replication lag 412 s is above 60 s'.")


@declared("an exec probe becomes slower than its limit", "exec-probe-late")
def exec_slow(on: Ground) -> Setting:
    """A script that usually takes no time takes longer than the probe's limit."""
    limit = on.draw.choice((1, 2, 3))
    script = "test ! -e /tmp/slow || sleep 8; echo ok"
    pod = on.run(nginx(readiness=command("sh", "-c", script, timeout=limit)))[0]
    on.calm()
    on.shell(pod, "touch /tmp/slow")
    on.reported()
    on.must_have_event("Readiness probe", "timed out")
    return on.setting(pod, f"The probe's script takes 8 s; the limit is {limit} s.")


@declared(
    "a gRPC probe asks a server that speaks HTTP/1.1", "wrong-probe-target", "recent-deploy", "recent-config-change"
)
def grpc_where_none(on: Ground) -> Setting:
    """A rollout changes the probe to gRPC; nginx does not speak it."""
    old = on.run(nginx())
    on.calm()
    on.roll_out(nginx(readiness=grpc(WEB, timeout=2)))
    on.reported(STUCK, MISMATCH, seconds=1700)
    on.must_have_event("Readiness probe")
    return on.setting(on.newest(old), "The new version's probe is gRPC, the port speaks HTTP/1.1.")


@declared(
    "a TCP probe asks a port on which nothing listens", "wrong-probe-target", "recent-deploy", "recent-config-change"
)
def tcp_wrong_port(on: Ground) -> Setting:
    """A rollout changes the TCP probe's port."""
    old = on.run(redis(tcp(6379)))
    on.calm()
    on.roll_out(redis(tcp(6380)))
    on.reported(STUCK, MISMATCH, seconds=1700)
    on.must_have_event("Readiness probe failed", "connection refused")
    return on.setting(on.newest(old), "The new version's TCP probe asks port 6380; Redis listens on 6379.")


@declared("liveness asks a dependency and restarts a healthy pod", "liveness-checks-dependency", "upstream-dead",
          sources=(EVENTS,))  # fmt: skip
def liveness_asks_backend(on: Ground) -> Setting:
    """Liveness goes through to another service; that one's outage restarts healthy containers."""
    behind = on.run(nginx_that_may_end(), f"{on.app}-api")[0]
    env = {"PYTHONDONTWRITEBYTECODE": "1", "BACKEND": f"http://{behind.address}:8080/healthz"}
    made = gunicorn(http("/", WEB), liveness=http("/healthz", WEB, period=5, failures=3)).but(env=env)
    pods = on.run(made, replicas=2)
    on.calm()
    on.shell(behind, "kill $(cat /tmp/nginx.pid)")
    wait_until(lambda: on.restarts(pods[0]) >= 1, "liveness restarts it", 200, 2)
    on.reported()
    on.must_have_event("failed liveness probe, will be restarted")
    return on.setting(on.workload, "/healthz, which liveness asks, goes through to another service, which ended.")


@declared("liveness kills a server before it has started", "liveness-before-start", sources=(EVENTS,))
def liveness_too_early(on: Ground) -> Setting:
    """A new version starts slowly, has no startup probe, and liveness kills it before it listens."""
    old = on.run(nginx())
    on.calm()
    start = f"sleep {on.draw.randint(70, 90)}; exec nginx -c /etc/conf/nginx.conf -g 'daemon off;'"
    liveness = http("/healthz", WEB, failures=3, initialDelaySeconds=10)
    on.roll_out(nginx().but(argv=("sh", "-c", start), liveness=liveness))
    wait_until(lambda: on.restarts(on.newest(old)) >= 1, "liveness restarts it", 300, 2)
    on.reported(seconds=1700)
    on.must_have_event("failed liveness probe, will be restarted")
    return on.setting(on.newest(old), "The new version listens after more than 70 s; liveness kills after about 40 s.")


@declared(
    "a new version listens late", "no-listener-at-start", "recent-deploy", "recent-config-change", sources=(EVENTS,)
)
def listens_late(on: Ground) -> Setting:
    """A new version warms up for minutes before it listens; until then each probe is refused."""
    old = on.run(nginx())
    on.calm()
    seconds = on.draw.randint(240, 280)
    start = f"sleep {seconds}; exec nginx -c /etc/conf/nginx.conf -g 'daemon off;'"
    on.roll_out(nginx().but(argv=("sh", "-c", start)))
    on.reported()
    on.must_have_event("Readiness probe failed", "connection refused")
    return on.setting(on.newest(old), f"The new version listens {seconds} s after its start.")


@declared(
    "a new version's probe waits less than its route takes",
    "probe-timeout-below-latency",
    "recent-deploy",
    "recent-config-change",
)
def timeout_too_short(on: Ground) -> Setting:
    """The health route steadily takes a second and a half; a rollout cuts the probe's limit to one second."""
    env = {"PYTHONDONTWRITEBYTECODE": "1", "HEALTH_S": "1.5"}
    old = on.run(gunicorn(http("/healthz", WEB, timeout=4)).but(env=env))
    on.probe_by_blackbox(old[0], "http://{}:8080/healthz")
    on.calm()
    on.roll_out(gunicorn(http("/healthz", WEB, timeout=1)).but(env=env))
    on.reported(STUCK, MISMATCH, seconds=1700)
    on.must_have_event("Readiness probe failed", DEADLINE)
    return on.setting(on.newest(old), "The route takes 1.5 s as ever; the new version's probe waits 1 s.")


@declared("a process stands still", "unknown", "single-thread-busy", "workers-busy",
          "handler-blocked-on-dependency")  # fmt: skip
def process_stopped(on: Ground) -> Setting:
    """All processes of nginx stand still (SIGSTOP): connections are taken by the kernel, and nobody answers."""
    pod = on.run(nginx(exporter=True))[0]
    on.probe_by_blackbox(pod, "http://{}:8080/")
    on.calm()
    for process in on.children(pod):
        on.make(frozen(process))
    on.reported()
    on.must_have_event("Readiness probe failed", DEADLINE)
    return on.setting(pod, "All processes of nginx were stopped by SIGSTOP.")


@declared("both probes ask one route, which waits", "shared-probe-endpoint", "handler-blocked-on-dependency",
          "upstream-slow", sources=(EVENTS,))  # fmt: skip
def one_route_for_both(on: Ground) -> Setting:
    """Readiness and liveness ask the same route, which waits for another service; liveness restarts the container."""
    behind = on.run(nginx_that_may_end(), f"{on.app}-api")[0]
    env = {"PYTHONDONTWRITEBYTECODE": "1", "BACKEND": f"http://{behind.address}:8080/healthz", "BACKEND_TIMEOUT": "20"}
    both = http("/healthz", WEB, period=5, timeout=2)
    pod = on.run(gunicorn(both, liveness=both).but(env=env))[0]
    on.calm()
    for process in on.children(behind):
        on.make(frozen(process))
    wait_until(lambda: on.restarts(pod) >= 1, "liveness restarts it", 200, 2)
    on.reported()
    on.must_have_event("failed liveness probe, will be restarted")
    return on.setting(pod, "Both probes ask /healthz, which waits for another service, whose processes were stopped.")


EPISODES = declared.episodes()
