"""The field: nginx and HAProxy, whose upstream, limits or configuration make their probes fail."""

from lab.episode import Setting
from lab.faults.process import frozen
from lab.field.declare import Declared
from lab.field.ground import ALERTS, EVENTS, Ground
from lab.field.load import held
from lab.field.software import WEB, haproxy, nginx, nginx_that_may_end, proxy_to
from lab.field.ware import http
from lab.stage.namespace import Pod

declared = Declared("proxy")
DEAD = ("upstream-dead", "handler-blocked-on-dependency")
SLOW = ("upstream-slow", "handler-blocked-on-dependency")
MISMATCH = "KubeDeploymentReplicasMismatch"
STUCK = "KubeDeploymentRolloutStuck"
FAILED = "BlackboxProbeFailed"


def _before(on: Ground, replicas: int = 1, timeout_s: int = 5, **more: object) -> tuple[Pod, list[Pod]]:
    """An application and nginx before it, whose readiness is asked through to the application."""
    behind = on.run(nginx_that_may_end(), f"{on.app}-api")[0]
    front = nginx(proxy_to(behind.address, timeout_s=timeout_s), exporter=on.draw.random() < 0.5, **more)  # type: ignore[arg-type]
    return behind, on.run(front, replicas=replicas)


@declared("nginx answers 502 as nobody listens behind it", *DEAD)
def nginx_dead_upstream(on: Ground) -> Setting:
    """The application behind nginx is gone: its process is not started any more, and nginx answers 502."""
    behind, pods = _before(on, on.draw.choice((1, 2)))
    on.probe_by_blackbox(pods[0], "http://{}:8080/")
    on.calm()
    on.shell(behind, "kill $(cat /tmp/nginx.pid)")
    on.reported()
    on.must_have_event("Readiness probe failed", "502")
    return on.setting(pods[0], "The process of the only server behind nginx ended and nobody starts it: 502.")


@declared("nginx answers 504 as its upstream stands still", *SLOW)
def nginx_stuck_upstream(on: Ground) -> Setting:
    """The application behind nginx stands still (SIGSTOP): nginx answers 504 after its read timeout."""
    wait = on.draw.randint(2, 4)
    behind, pods = _before(on, timeout_s=wait, readiness=http("/healthz", WEB, timeout=wait + 3))
    on.probe_by_blackbox(pods[0], "http://{}:8080/healthz")
    on.calm()
    for process in on.children(behind):
        on.make(frozen(process))
    on.reported()
    on.must_have_event("Readiness probe failed", "504")
    return on.setting(
        pods[0], f"All processes of the server behind nginx were stopped; nginx waits {wait} s, then 504."
    )


@declared("the kubelet's time is over before nginx gives its slow upstream up", *SLOW)
def nginx_slow_upstream(on: Ground) -> Setting:
    """The application behind nginx stands still, and the kubelet's probe does not wait as long as nginx does."""
    behind, pods = _before(on, timeout_s=60, readiness=http("/healthz", WEB, timeout=on.draw.choice((1, 2, 3))))
    on.calm()
    for process in on.children(behind):
        on.make(frozen(process))
    on.reported()
    on.must_have_event("Readiness probe failed", "context deadline exceeded")
    return on.setting(pods[0], "The server behind nginx was stopped; nginx would wait 60 s for it, the probe does not.")


@declared("nginx limits the rate of all clients and the probe gets 503 or 429", "rate-limited")
def nginx_rate_limited(on: Ground) -> Setting:
    """A burst of requests uses the rate limit up, and the probe's requests get 503 or 429 as well."""
    status = on.draw.choice((503, 429))
    zone = f"  limit_req_zone $server_port zone=all:1m rate=2r/s;\n  limit_req_status {status};"
    server = "    location / { limit_req zone=all burst=2 nodelay; root /etc/conf; try_files /ok.txt =404; }"
    made = nginx(server, http("/", WEB, period=5, failures=2), http_part=zone)
    pod = on.run(made.but(files={"ok.txt": "ok\n"}))[0]
    on.probe_by_blackbox(pod, "http://{}:8080/")
    on.calm()
    on.load(pod, WEB, rate=on.draw.randint(20, 30))
    on.reported()
    on.must_have_event("Readiness probe failed", str(status))
    return on.setting(pod, f"20 to 30 requests a second under limit_req of 2 a second; nginx answers {status}.")


@declared("all of nginx' worker_connections are taken", "server-limit-reached", "accept-queue-full", "workers-busy")
def nginx_connections_used_up(on: Ground) -> Setting:
    """Idle clients hold all worker_connections, and nginx closes new connections or leaves them waiting."""
    most = on.draw.choice((24, 32))
    pod = on.run(nginx(connections=most))[0]
    on.probe_by_blackbox(pod, "http://{}:8080/healthz")
    on.calm()
    on.make(held(pod.address, WEB, most + 30, b"GET / HTTP/1.1\r\nHost: a\r\n", every_s=1))
    on.reported()
    on.must_have_event("Readiness probe failed")
    return on.setting(pod, f"{most + 30} clients never end their requests under worker_connections {most}.")


@declared("a new configuration answers 500 on the readiness route", "recent-config-change", "recent-deploy",
          "application-error")  # fmt: skip
def nginx_config_500(on: Ground) -> Setting:
    """A rollout brings a configuration with which nginx answers 500 on the route that readiness asks."""
    before = nginx(exporter=on.draw.random() < 0.5)
    old = on.run(before, replicas=2)
    on.calm()
    broken = nginx(
        "    location = /healthz { root /nowhere; error_page 404 = @gone; }\n    location @gone { return 500; }"
    )
    on.roll_out(broken.but(beside=before.beside))
    on.reported(seconds=1700)
    on.must_have_event("Readiness probe failed", "500")
    new = on.newest(old)
    return on.setting(new, "A ConfigMap change with its rollout; in the new pods /healthz answers 500.")


@declared("a new configuration that nginx refuses to start with", "recent-config-change", "recent-deploy",
          "handler-crash")  # fmt: skip
def nginx_config_refused(on: Ground) -> Setting:
    """A rollout brings a configuration with an unknown directive: nginx says so and ends."""
    old = on.run(nginx(), replicas=on.draw.choice((1, 2)))
    on.calm()
    on.roll_out(nginx("    location = /healthz { retrun 200; }"))
    on.reported("KubePodCrashLooping", "KubernetesPodCrashLooping", seconds=1700)
    new = on.newest(old)
    on.must_have_event("Back-off restarting failed container")
    return on.setting(new, "A typo in nginx.conf (retrun): nginx ends at once with exit code 1.")


@declared(
    "readiness asks a port on which nothing listens", "wrong-probe-target", "recent-deploy", "recent-config-change"
)
def nginx_wrong_port(on: Ground) -> Setting:
    """A rollout changes the port of the readiness probe; nginx listens on another one."""
    liveness = http("/healthz", WEB, failures=6) if on.draw.random() < 0.5 else None
    old = on.run(nginx(liveness=liveness), replicas=1)
    on.calm()
    on.roll_out(nginx(readiness=http("/healthz", 80), liveness=liveness))
    on.reported(STUCK, MISMATCH, seconds=1700)
    on.must_have_event("Readiness probe failed", "connection refused")
    new = on.newest(old)
    return on.setting(new, "The new version's readiness probe asks port 80; nginx listens on 8080.")


@declared("readiness asks a path that nginx does not have", "wrong-probe-target", "recent-deploy",
          "recent-config-change")  # fmt: skip
def nginx_missing_path(on: Ground) -> Setting:
    """A rollout brings a configuration without the route that readiness asks: 404."""
    old = on.run(nginx(), replicas=2)
    on.calm()
    on.roll_out(nginx('    location = /health { return 200 "ok"; }'))
    on.reported(STUCK, MISMATCH, seconds=1700)
    on.must_have_event("Readiness probe failed", "404")
    new = on.newest(old)
    return on.setting(new, "The new configuration serves /health, the probe asks /healthz: 404.")


@declared("nginx asks the probe for a password", "wrong-probe-target", "recent-deploy", "recent-config-change")
def nginx_wants_password(on: Ground) -> Setting:
    """Basic authentication comes to the whole server, the probe's route included: 401."""
    old = on.run(nginx(), replicas=1)
    on.calm()
    locked = nginx('    location / { auth_basic "staff"; auth_basic_user_file /etc/conf/users; root /etc/conf; }')
    on.roll_out(locked.but(files={"users": "ops:$apr1$x$aaaaaaaaaaaaaaaaaaaaaa\n"}))
    on.reported(STUCK, MISMATCH, seconds=1700)
    on.must_have_event("Readiness probe failed", "401")
    new = on.newest(old)
    return on.setting(new, "auth_basic for every location; the probe has no password: 401.")


@declared("the blackbox probe is redirected for ever", "redirect-loop", sources=(ALERTS,))
def nginx_redirect_loop(on: Ground) -> Setting:
    """A reload brings a redirect of a route to itself; who follows redirects gives up."""
    pod = on.run(nginx('    location = /healthz { return 200 "ok"; }\n    location / { return 200 "page"; }'))[0]
    on.probe_by_blackbox(pod, "http://{}:8080/start")
    on.calm()
    on.reload(pod, nginx('    location = /healthz { return 200 "ok"; }\n    location / { return 302 /start; }'))
    on.reported(FAILED)
    on.must_hold("probe_http_redirects{$ns} > 5")
    return on.setting(pod, "After a reload /start redirects to /start.")


@declared("HAProxy has no server left: 503", *DEAD)
def haproxy_no_server(on: Ground) -> Setting:
    """The only server behind HAProxy fails its check, and HAProxy answers 503."""
    behind = on.run(nginx_that_may_end(), f"{on.app}-api")[0]
    pod = on.run(haproxy(behind.address, http("/healthz", WEB)))[0]
    on.probe_by_blackbox(pod, "http://{}:8080/")
    on.calm()
    on.shell(behind, "kill $(cat /tmp/nginx.pid)")
    on.reported()
    on.must_have_event("Readiness probe failed", "503")
    return on.setting(pod, "The only server of the backend is down; HAProxy answers 503.")


@declared("HAProxy's server does not answer: 504", *SLOW)
def haproxy_slow_server(on: Ground) -> Setting:
    """The server behind HAProxy stands still but its port is open: 504 after `timeout server`."""
    behind = on.run(nginx(), f"{on.app}-api")[0]
    wait = on.draw.randint(2, 4)
    made = haproxy(behind.address, http("/healthz", WEB, timeout=wait + 2), server_timeout=f"{wait}s")
    pod = on.run(made)[0]
    on.calm()
    for process in on.children(behind):
        on.make(frozen(process))
    on.reported()
    on.must_have_event("Readiness probe failed", "504")
    return on.setting(pod, f"The server's processes were stopped; HAProxy gives up after {wait} s with 504.")


@declared("HAProxy's maxconn is reached", "server-limit-reached", "accept-queue-full", "workers-busy")
def haproxy_maxconn(on: Ground) -> Setting:
    """Idle clients hold all connections that HAProxy takes at once; others wait in the kernel's queue."""
    behind = on.run(nginx(), f"{on.app}-api")[0]
    most = on.draw.choice((15, 20))
    pod = on.run(haproxy(behind.address, http("/healthz", WEB), maxconn=most))[0]
    on.calm()
    on.make(held(pod.address, WEB, most + 20, b"GET / HTTP/1.1\r\nHost: a\r\n", every_s=1))
    on.reported()
    on.must_have_event("Readiness probe failed", "context deadline exceeded")
    return on.setting(pod, f"{most + 20} clients hold connections under maxconn {most}.")


@declared("the rate limit of HAProxy meets the probe", "rate-limited", sources=(EVENTS, ALERTS))
def haproxy_rate_limited(on: Ground) -> Setting:
    """HAProxy denies with 429 while the rate of all requests is above its limit."""
    behind = on.run(nginx(), f"{on.app}-api")[0]
    rule = "  http-request deny deny_status 429 if { fe_req_rate gt 10 }"
    pod = on.run(haproxy(behind.address, http("/healthz", WEB, period=5, failures=2), frontend=rule))[0]
    on.probe_by_blackbox(pod, "http://{}:8080/healthz")
    on.calm()
    on.load(pod, WEB, "/healthz", rate=on.draw.randint(25, 35))
    on.reported()
    on.must_have_event("Readiness probe failed", "429")
    return on.setting(pod, "25 to 35 requests a second where more than 10 are denied with 429.")


EPISODES = declared.episodes()
