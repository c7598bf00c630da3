"""Probes fail at the beginning or at the end of a pod's life."""

import random
from typing import Any

from lab.episode import Episode, Setting
from lab.stage.namespace import Namespace, Pod, probe, template
from lab.stage.node_pool import NodePool
from lab.stage.programs import wait_until

READY = {"readinessProbe": probe("/readyz", 2)}


def refused_at_start(pool: NodePool, _: Any, draw: random.Random) -> Setting:
    """A new pod listens long after its start; until then each probe is refused."""
    on = pool.make_namespace(draw)
    on.calm(25, 35)
    seconds = draw.randint(28, 45)
    pods = on.deploy(template(draw, {"listen_after": f"{seconds}s"}, READY), replicas=1, ready=False)
    on.alerted("PodProbeFailing", pods[0].name)
    wait_until(lambda: on.is_ready(pods[0].name), "the pod is ready at last", 70, step=1)
    on.linger()
    on.must_have_event("Readiness probe failed", "connection refused")
    return on.setting("no-listener-at-start", pods[0], f"The process listened {seconds} s after its start.")


def startup_budget(pool: NodePool, _: Any, draw: random.Random) -> Setting:
    """The startup probe gives up before the cold start is over, again and again."""
    on = pool.make_namespace(draw)
    on.calm(20, 30)
    failures = draw.randint(5, 8)
    seconds = failures * 2 + draw.randint(10, 25)
    probes = READY | {"startupProbe": probe("/startupz", 2, 1, failures), "livenessProbe": probe("/livez", 5, 1, 3)}
    pods = on.deploy(template(draw, {"listen_after": f"{seconds}s"}, probes), replicas=1, ready=False)
    on.alerted("PodRestarting", pods[0].name, 90)
    wait_until(lambda: on.status(pods[0]).get("restartCount", 0) >= 2, "it is killed again", 70, step=1)
    on.linger(10)
    on.must_have_event("failed startup probe, will be restarted")
    return on.setting("startup-budget-too-short", pods[0],
                      f"The start takes {seconds} s; the startup probe allows {failures * 2} s.")  # fmt: skip


def liveness_before_start(pool: NodePool, _: Any, draw: random.Random) -> Setting:
    """There is no startup probe, and liveness kills the pod before it listens."""
    on = pool.make_namespace(draw)
    on.calm(20, 30)
    delay, seconds = draw.randint(2, 5), draw.randint(25, 40)
    probes = READY | {"livenessProbe": probe("/livez", 3, 1, 3, initialDelaySeconds=delay)}
    pods = on.deploy(template(draw, {"listen_after": f"{seconds}s"}, probes), replicas=1, ready=False)
    on.alerted("PodRestarting", pods[0].name, 90)
    wait_until(lambda: on.status(pods[0]).get("restartCount", 0) >= 2, "it is killed again", 70, step=1)
    on.linger(10)
    on.must_have_event("failed liveness probe, will be restarted")
    note = f"The start takes {seconds} s; liveness begins after {delay} s and kills after 3 failures."
    return on.setting("liveness-before-start", pods[0], note)


def dependency_late(pool: NodePool, _: Any, draw: random.Random) -> Setting:
    """The pods are there before what they need; they become ready with it."""
    on = pool.make_namespace(draw)
    on.calm(25, 35)
    name, seconds = f"{on.app}-config", draw.randint(30, 45)
    late = on.deploy(template(draw, {"listen_after": f"{seconds}s"}, {}), replicas=1, app=name, ready=False)[0]
    needs = {"needs": f"http://{late.address}:8080/work", "dependency_name": name}
    pods = on.deploy(template(draw, needs, READY), ready=False)
    on.alerted("PodProbeFailing", pods[0].name)
    wait_until(lambda: on.is_ready(pods[0].name), "the pod is ready at last", 70, step=1)
    on.linger()
    on.must_have_event("Readiness probe failed", "statuscode: 503")
    return on.setting("dependency-late-at-start", pods[0], f"{name} listened {seconds} s after its start.")


def _draining(on: Namespace, replicas: int, **more: Any) -> list[Pod]:
    seconds = on.draw.randint(24, 34)
    switches = {"drain": f"{seconds}s", "work_latency": "5ms"} | more
    made = template(on.draw, switches, READY, spec={"terminationGracePeriodSeconds": seconds + 5})
    pods = on.deploy(made, replicas=replicas)
    for pod in pods:
        on.load(pod, rate=on.draw.randint(2, 4))
    on.calm()
    return pods


def _delete(on: Namespace, pod: Pod) -> None:
    on.pool.node.call("DELETE", f"/api/v1/namespaces/{on.namespace}/pods/{pod.name}")


def deleted_while_draining(pool: NodePool, _: Any, draw: random.Random) -> Setting:
    """A pod is deleted and says that it is not ready while it drains, as it should."""
    on = pool.make_namespace(draw)
    pods = _draining(on, 2)
    _delete(on, pods[0])
    on.alerted("PodProbeFailing", pods[0].name)
    on.linger()
    on.must_have_event("Readiness probe failed", "statuscode: 503")
    return on.setting("graceful-shutdown-noise", pods[0], "The pod was deleted and drained within its grace period.")


def rollout_noise(pool: NodePool, _: Any, draw: random.Random) -> Setting:
    """A rollout replaces healthy pods one by one; those that go drain first."""
    on = pool.make_namespace(draw)
    pods = _draining(on, draw.choice((2, 3)))
    version = f"1.{draw.randint(2, 40)}.{draw.randint(0, 9)}"
    change = on.change("deploy", f"{on.app} {version}")
    pool.node.patch(on.namespace, on.app, {"spec": {"template": {"metadata": {"annotations": {"version": version}}}}})
    on.alerted("PodProbeFailing")
    on.linger(20)
    on.must_have_event("Readiness probe failed", "statuscode: 503")
    return on.setting("graceful-shutdown-noise", pods[0], f"Rollout of {version}; the old pods drained.",
                      changes=(change,))  # fmt: skip


def door_closed_early(pool: NodePool, _: Any, draw: random.Random) -> Setting:
    """On its end signal the process closes its listener at once, while others still send to it."""
    on = pool.make_namespace(draw)
    pods = _draining(on, 2, close_early="1")
    on.load(pods[0], rate=10, fresh=True)
    _delete(on, pods[0])
    on.alerted("ProbeDown", pods[0].name)
    on.linger()
    on.must_have_event("Readiness probe failed", "connection refused")
    note = "The listener closed at the end signal, without a preStop delay; users were refused."
    return on.setting("drain-shorter-than-endpoint-removal", pods[0], note)


EPISODES = tuple(
    Episode(f"probe-{name}", title, play, cause, family, node=True)
    for name, title, play, cause, family in (
        ("refused-at-start", "readiness is refused while the pod warms up", refused_at_start,
         "no-listener-at-start", "start"),
        ("startup-budget", "the startup probe gives up before the start is over", startup_budget,
         "startup-budget-too-short", "start"),
        ("liveness-before-start", "liveness kills a pod that still starts", liveness_before_start,
         "liveness-before-start", "start"),
        ("dependency-late", "pods wait for a dependency that starts late", dependency_late,
         "dependency-late-at-start", "start"),
        ("deleted-while-draining", "readiness fails on a pod that is being deleted", deleted_while_draining,
         "graceful-shutdown-noise", "shutdown"),
        ("rollout-noise", "readiness fails on pods that a rollout replaces", rollout_noise,
         "graceful-shutdown-noise", "shutdown"),
        ("door-closed-early", "users are refused by a pod that shuts down", door_closed_early,
         "drain-shorter-than-endpoint-removal", "shutdown"),
    )
)  # fmt: skip
