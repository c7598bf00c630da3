"""Probes fail because of how they are set: path, port, scheme, rights, time limit, redirects."""

import random
from typing import Any

from lab.episode import Episode, Setting
from lab.stage.namespace import Namespace, Pod, probe, template
from lab.stage.node_pool import NodePool
from lab.stage.programs import wait_until

KEEP_OLD = {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": 0, "maxSurge": 1}}


def patched(on: Namespace, change: dict[str, Any]) -> Pod:
    """Changes the container of the Deployment; the pod of the new version, as soon as it has an address."""
    before = {p.name for p in on.pods()}
    change = {"name": "app", **change}
    on.pool.node.patch(on.namespace, on.app, {"spec": {"template": {"spec": {"containers": [change]}}}})

    def new() -> Pod | None:
        return next((p for p in on.pods() if p.name not in before and p.address), None)

    found: Pod = wait_until(new, f"{on.namespace}: a pod of the new version", 60, step=1)
    return found


def _calm(on: Namespace) -> list[Pod]:
    switches = {"work_latency": f"{on.draw.randint(2, 12)}ms"}
    pods = on.deploy(template(on.draw, switches, {"readinessProbe": probe("/readyz", 2)}, strategy=KEEP_OLD))
    for pod in pods:
        on.load(pod, rate=on.draw.randint(2, 5))
    on.calm()
    return pods


def _wrong(on: Namespace, message: str, **target: Any) -> Pod:
    """Roll out a version whose readiness probe is set wrongly; a pod of that version."""
    _calm(on)
    pod = patched(on, {"readinessProbe": probe(target.pop("path", "/readyz"), 2, **target)})
    on.alerted("PodProbeFailing", pod.name)
    on.linger()
    on.must_have_event("Readiness probe failed", message)
    return pod


def wrong_path(pool: NodePool, _: Any, draw: random.Random) -> Setting:
    """The new version's probe asks for a path that does not exist."""
    on = pool.make_namespace(draw)
    path = draw.choice(("/health", "/ready", "/status/live", "/actuator/health"))
    pod = _wrong(on, "statuscode: 404", path=path)
    return on.setting("wrong-probe-target", pod, f"The probe asks for {path}, which does not exist.",
                      changes=(on.change("deploy", f"{on.app}: probe moved to {path}", ago_s=30),))  # fmt: skip


def wrong_port(pool: NodePool, _: Any, draw: random.Random) -> Setting:
    """The new version's probe asks a port on which nobody listens."""
    on = pool.make_namespace(draw)
    port = draw.choice((8081, 9000, 3000))
    pod = _wrong(on, "connection refused", port=port)
    return on.setting("wrong-probe-target", pod, f"The probe asks port {port}; the process listens on 8080.")


def wrong_scheme(pool: NodePool, _: Any, draw: random.Random) -> Setting:
    """The new version's probe speaks TLS to a plain port."""
    on = pool.make_namespace(draw)
    pod = _wrong(on, "HTTP response to HTTPS client", scheme="HTTPS")
    return on.setting("tls-trust-or-scheme", pod, "The probe speaks https, the port http.")


def auth_required(pool: NodePool, _: Any, draw: random.Random) -> Setting:
    """The probe's route suddenly wants a login."""
    on = pool.make_namespace(draw)
    code = draw.choice((401, 403))
    pods = _calm(on)
    for pod in pods:
        on.order(pod, "set", status=code)
    on.alerted("PodProbeFailing", pods[0].name)
    on.linger()
    on.must_have_event("Readiness probe failed", f"statuscode: {code}")
    return on.setting("wrong-probe-target", pods[0], f"The route of the probe answers {code} without a login.")


def redirect_loop(pool: NodePool, _: Any, draw: random.Random) -> Setting:
    """The probe's route redirects to itself."""
    on = pool.make_namespace(draw)
    pods = _calm(on)
    for pod in pods[: draw.choice((1, 2))]:
        on.order(pod, "set", redirect=1)
    on.alerted("PodProbeFailing", pods[0].name)
    on.linger()
    on.must_have_event("Readiness probe failed", "stopped after 10 redirects")
    return on.setting("redirect-loop", pods[0], "The route answers 302 to itself.")


def timeout_below_latency(pool: NodePool, _: Any, draw: random.Random) -> Setting:
    """The endpoint takes about as long as the probe waits, since there is more for it to look at."""
    on = pool.make_namespace(draw)
    latency = draw.randint(880, 980)
    probes = {"readinessProbe": probe("/readyz", draw.choice((2, 3)), 1, 2)}
    pods = on.deploy(template(draw, {"probe_latency": f"{draw.randint(380, 480)}ms"}, probes))
    on.load(pods[0], rate=3)
    on.calm()
    for pod in pods:
        on.order(pod, "set", probe_latency=f"{latency}ms")
    on.alerted("PodProbeFailing", seconds=90)
    on.linger()
    on.must_have_event("Readiness probe failed", "context deadline exceeded")
    on.must_hold('prober_probe_total{$ns,probe_type="Readiness",result="successful"} > 2')
    return on.setting("probe-timeout-below-latency", pods[0],
                      f"The endpoint takes {latency} ms, give or take a quarter; the probe waits 1 s.")  # fmt: skip


EPISODES = tuple(
    Episode(f"probe-{name}", title, play, cause, "settings", node=True)
    for name, title, play, cause in (
        ("wrong-path", "a new version's probe asks for a wrong path", wrong_path, "wrong-probe-target"),
        ("wrong-port", "a new version's probe asks a wrong port", wrong_port, "wrong-probe-target"),
        ("wrong-scheme", "a new version's probe speaks TLS to a plain port", wrong_scheme, "tls-trust-or-scheme"),
        ("auth-required", "the probe's route wants a login", auth_required, "wrong-probe-target"),
        ("redirect-loop", "the probe is redirected in a circle", redirect_loop, "redirect-loop"),
        ("timeout-below-latency", "the probe waits less long than the endpoint takes", timeout_below_latency,
         "probe-timeout-below-latency"),
    )
)  # fmt: skip
