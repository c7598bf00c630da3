"""Episodes with changes: some cause the fault, others are made before an unrelated fault. And some without a fault."""

import random
import time
from typing import Any

from lab.episode import Episode, Setting
from lab.episodes.probe_settings import patched
from lab.faults.pod import filtered
from lab.stage.namespace import Namespace, Pod, probe, template
from lab.stage.node_pool import NodePool
from lab.stage.programs import StageBroken, wait_until

READY = {"readinessProbe": probe("/readyz", 2)}


def _calm(on: Namespace, switches: dict[str, Any] | None = None, **more: Any) -> list[Pod]:
    all_switches = {"work_latency": f"{on.draw.randint(2, 12)}ms"} | (switches or {})
    pods = on.deploy(template(on.draw, all_switches, READY, **more))
    for pod in pods:
        on.load(pod, rate=on.draw.randint(2, 5))
    on.calm()
    return pods


def _version(draw: random.Random) -> str:
    return f"{draw.randint(1, 4)}.{draw.randint(0, 30)}.{draw.randint(0, 9)}"


def faulty_deploy(pool: NodePool, _: Any, draw: random.Random) -> Setting:
    """The new version's handler answers with an error; the old pods are well."""
    on = pool.make_namespace(draw)
    _calm(on)
    code, version = draw.choice((500, 502)), _version(draw)
    change = on.change("deploy", f"{on.app} {version}")
    pod = patched(on, {"env": [{"name": "SW_ALL_STATUS", "value": str(code)}]})
    on.alerted("PodProbeFailing", pod.name)
    on.linger()
    on.must_have_event("Readiness probe failed", f"statuscode: {code}")
    return on.setting("recent-deploy", pod, f"Version {version} answers {code} on every route.", changes=(change,))


def faulty_configuration(pool: NodePool, _: Any, draw: random.Random) -> Setting:
    """A setting pushed to all pods makes them answer 503 a moment later."""
    on = pool.make_namespace(draw)
    pods = _calm(on)
    before, after = draw.choice((("1024", "10240"), ("64", "6"), ("300s", "3s")))
    change = on.change("config", f"{on.app}: max_connections {before} -> {after}")
    time.sleep(draw.uniform(3, 9))
    for pod in pods:
        on.order(pod, "set", all_status=503)
    on.alerted("PodProbeFailing", pods[0].name)
    on.linger()
    on.must_have_event("Readiness probe failed", "statuscode: 503")
    return on.setting("recent-config-change", on.workload, f"{change.title}; every pod answers 503.", changes=(change,))


def innocent_deploy_elsewhere(pool: NodePool, _: Any, draw: random.Random) -> Setting:
    """Another service of the namespace was deployed; then a lock is held in this one."""
    on = pool.make_namespace(draw)
    other = f"{on.app}-admin"
    on.deploy(template(draw, {}), replicas=1, app=other)
    pods = _calm(on, {"uses": "lock", "work_uses": "lock"})
    change = on.change("deploy", f"{other} {_version(draw)}", other)
    note = {"spec": {"template": {"metadata": {"annotations": {"version": change.title}}}}}
    pool.node.patch(on.namespace, other, note)
    time.sleep(draw.uniform(20, 30))
    on.order(pods[0], "hold", for_="90s")
    on.load(pods[0], rate=draw.randint(8, 16))
    on.alerted("PodProbeFailing", pods[0].name)
    on.linger()
    on.must_have_event("Readiness probe failed", "context deadline exceeded")
    return on.setting("handler-blocked-on-dependency", pods[0], f"{change.title} was innocent; a lock was held.",
                      changes=(change,))  # fmt: skip


def innocent_deploy_before(pool: NodePool, _: Any, draw: random.Random) -> Setting:
    """This service was deployed and ran well; then packets to one of its pods are dropped."""
    on = pool.make_namespace(draw)
    on.deploy(template(draw, {"work_latency": f"{draw.randint(2, 12)}ms"}, READY))
    on.calm(15, 25)
    change = on.change("deploy", f"{on.app} {_version(draw)}")
    old = {p.name for p in on.pods()}
    pool.node.patch(on.namespace, on.app, {"spec": {"template": {"metadata": {"annotations": {"version": "2"}}}}})

    def replaced() -> list[Pod]:
        pods = on.pods()
        return pods if not old & {p.name for p in pods} and all(on.is_ready(p.name) for p in pods) else []

    pods: list[Pod] = wait_until(replaced, "the rollout is done", 60, step=1)
    on.calm()
    on.make(filtered(on.process(pods[0]), "-p", "tcp", "-j", "DROP"))
    on.alerted("PodProbeFailing", pods[0].name)
    on.linger()
    on.must_have_event("Readiness probe failed", "context deadline exceeded")
    return on.setting("network-path-drop", pods[0], f"{change.title} ran well; then packets were dropped.",
                      changes=(change,))  # fmt: skip


def planned_work(pool: NodePool, _: Any, draw: random.Random) -> Setting:
    """An operator restarts the pods one after the other, as announced."""
    on = pool.make_namespace(draw)
    pods = _calm(on)
    change = on.change("maintenance", f"Planned restart of {on.app} by the on-call engineer")
    time.sleep(draw.uniform(3, 6))
    for pod in pods:
        on.order(pod, "exit", code=0)
        time.sleep(draw.uniform(4, 7))
    on.alerted("PodRestarting")
    on.linger()
    return on.setting("no-fault-planned-work", on.workload, f"{change.title}; every pod came back.", changes=(change,))


def load_surge(pool: NodePool, _: Any, draw: random.Random) -> Setting:
    """More users than usual; everything answers."""
    on = pool.make_namespace(draw)
    pods = _calm(on)
    rate = draw.randint(80, 120)
    on.load(pods[0], rate=rate)
    on.alerted("TrafficHigh", pods[0].name)
    on.linger(18)
    if pool.monitoring.query(f'prober_probe_total{{namespace="{on.namespace}",result="failed"}} > 1'):
        raise StageBroken("probes failed under the surge")
    return on.setting("no-fault-load-surge", pods[0], f"{rate} requests a second, all answered.")


def rule_made_up(pool: NodePool, _: Any, draw: random.Random) -> Setting:
    """The alert's limit lies within the usual spread of the probe's duration."""
    on = pool.make_namespace(draw)
    latency = draw.randint(11, 13)
    pods = on.deploy(template(draw, {"probe_latency": "6ms"}, READY, strict="yes"))
    on.load(pods[0], rate=3)
    on.calm()
    for pod in pods:
        on.order(pod, "set", probe_latency=f"{latency}ms")
    on.alerted("ProbeSlow", seconds=60)
    on.linger()
    note = f"The probe takes about {latency} ms, give or take a quarter; the rule's limit is 15 ms."
    return on.setting("no-fault", on.workload, note)


EPISODES = tuple(
    Episode(f"probe-{name}", title, play, cause, family, node=True)
    for name, title, play, cause, family in (
        ("guilty-deploy", "a new version answers with errors", faulty_deploy, "recent-deploy", "change"),
        ("guilty-configuration", "a pushed setting makes every pod answer 503", faulty_configuration,
         "recent-config-change", "change"),
        ("innocent-deploy-elsewhere", "a lock is held after another service was deployed",
         innocent_deploy_elsewhere, "handler-blocked-on-dependency", "change"),
        ("innocent-deploy-before", "packets are dropped after a deploy that went well", innocent_deploy_before,
         "network-path-drop", "change"),
        ("planned-work", "an operator restarts pods as announced", planned_work,
         "no-fault-planned-work", "no-fault"),
        ("load-surge", "many users, and every one is answered", load_surge, "no-fault-load-surge", "no-fault"),
        ("rule-made-up", "an alert whose limit lies in the usual spread", rule_made_up, "no-fault", "no-fault"),
    )
)  # fmt: skip
