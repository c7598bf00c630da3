"""The field: observers that suffer, planned work, innocent rollouts, and two faults at once."""

import time

from lab.episode import Setting
from lab.faults.pod import filtered
from lab.faults.process import frozen
from lab.field import again
from lab.field.declare import Declared
from lab.field.ground import ALERTS, EVENTS, Ground
from lab.field.load import held
from lab.field.software import WEB, gunicorn, nginx, nginx_that_may_end, node, proxy_to, redis
from lab.field.ware import command, http
from lab.stage.names import NAME_ERROR
from lab.stage.namespace import Pod
from lab.stage.programs import free_port, wait_until

declared = Declared("innocent")
FAILED = "BlackboxProbeFailed"
DEADLINE = "context deadline exceeded"
GAP = ("no-fault-scrape-gap", "no-fault", "unknown")
MISSING = ("PrometheusTargetMissing", "TargetDown")


@declared("the path to one job's exporter is cut", *GAP, sources=(ALERTS,), family="observer")
def scrape_path_cut(on: Ground) -> Setting:
    """A policy cuts Prometheus off from one exporter; the server beside it serves as before."""
    pod = on.run(redis(), replicas=1)[0]
    on.calm()
    verdict = on.draw.choice(("DROP", "REJECT"))
    on.make(filtered(on.pid(pod), "-p", "tcp", "--dport", "9121", "!", "-i", "lo", "-j", verdict))
    on.reported(*MISSING)
    return on.setting(on.workload, f"Packets to the exporter's port 9121 meet {verdict}; Redis answers as before.")


@declared("the blackbox exporter of a team stands still", *GAP, sources=(ALERTS,), family="observer")
def exporter_stands_still(on: Ground) -> Setting:
    """The blackbox exporter that asks this target stands still; the target is well."""
    pod = on.run(nginx())[0]
    port = free_port()
    on.pool.blackbox(f"blackbox-{on.namespace}", port)
    on.probe_by_blackbox(pod, "http://{}:8080/", prober=port)
    on.calm()
    process = on.pool.stage.process(f"blackbox-{on.namespace}")
    if process is not None:
        on.make(frozen(process.pid))
    on.reported(*MISSING)
    return on.setting(on.workload, "The blackbox exporter was stopped by SIGSTOP; its target answers everybody else.")


@declared("the blackbox exporter gets too little time", *GAP, sources=(ALERTS,), family="observer")
def exporter_starved(on: Ground) -> Setting:
    """The blackbox exporter runs a moment in every fifteen seconds: its probes time out and say nothing of targets."""
    pod = on.run(nginx())[0]
    port = free_port()
    on.pool.blackbox(f"blackbox-{on.namespace}", port)
    on.probe_by_blackbox(pod, "http://{}:8080/", prober=port)
    on.calm()
    process = on.pool.stage.process(f"blackbox-{on.namespace}")
    if process is not None:
        on.make(again.starved(process.pid, 14, 0.5))
    on.reported(*MISSING, FAILED)
    return on.setting(on.workload, "The exporter was stopped 14 of every 14.5 s; its target answers everybody else.")


@declared("a service is down for announced work", "no-fault-planned-work", "no-fault", sources=(ALERTS,))
def planned_downtime(on: Ground) -> Setting:
    """An operator scales a deployment to zero, as announced, and back later."""
    pod = on.run(nginx())[0]
    on.probe_by_blackbox(pod, "http://{}:8080/")
    on.calm()
    change = on.change("maintenance", f"Planned work on {on.app}: scaled to 0 until the migration is done")
    on.pool.node.patch(on.namespace, on.app, {"spec": {"replicas": 0}})
    on.reported(FAILED)
    return on.setting(on.workload, f"{change.title}.", (change,))


@declared("packets are dropped after a rollout that went well", "network-path-drop", "accept-queue-full")
def rollout_innocent(on: Ground) -> Setting:
    """A rollout went well, and was announced; minutes later packets to one of the new pods are dropped."""
    made = nginx(readiness=http("/healthz", WEB, timeout=2))
    old = {p.name for p in on.run(made, replicas=2)}
    on.calm(60, 90)
    change = on.change("deploy", f"{on.app} 2.{on.draw.randint(1, 40)}.0")
    on.roll_out(made.but(files={"page.txt": "new\n"}))

    def replaced() -> list[Pod]:
        pods = on.pods()
        return pods if len(pods) == 2 and not old & {p.name for p in pods} and all(map(on.is_ready, pods)) else []

    new: list[Pod] = wait_until(replaced, "the rollout is done", 120, 2)
    on.calm()
    on.make(filtered(on.pid(new[0]), "-p", "tcp", "-j", "DROP"))
    on.reported()
    on.must_have_event("Readiness probe failed", DEADLINE)
    return on.setting(new[0], f"{change.title} ran well; then packets to one pod were dropped.", (change,))


@declared("an announced rollout breaks the new pods", "recent-deploy", "recent-config-change",
          "application-error")  # fmt: skip
def rollout_harmful(on: Ground) -> Setting:
    """An announced rollout brings pods that answer 500, while the old ones serve on."""
    old = on.run(gunicorn(), replicas=2)
    on.calm()
    change = on.change("deploy", f"{on.app} 3.{on.draw.randint(0, 9)}.1")
    on.roll_out(gunicorn().but(env={"PYTHONDONTWRITEBYTECODE": "1", "BROKEN": "500"}))
    on.reported(seconds=1700)
    on.must_have_event("Readiness probe failed", "500")
    new = on.newest(old)
    return on.setting(new, f"{change.title}: the new pods answer 500 on the readiness route.", (change,))


@declared("a new version fails and nobody announced it", "recent-deploy", "recent-config-change", "handler-crash")
def rollout_crashes(on: Ground) -> Setting:
    """A rollout that nobody announced brings pods that end at once; the old ones serve on."""
    old = on.run(node(), replicas=2)
    on.calm()
    on.roll_out(node().but(files={"server.js": "require('express-session');\n"}))
    on.reported("KubePodCrashLooping", "KubernetesPodCrashLooping", "KubeDeploymentReplicasMismatch", seconds=1700)
    new = on.newest(old)
    on.must_have_event("Back-off restarting failed container")
    return on.setting(new, "The new version needs a module that the image has not got: exit code 1 at once.")


@declared("two faults: the upstream is dead, and an exporter crashes", "upstream-dead",
          "handler-blocked-on-dependency", "handler-crash", family="two faults")  # fmt: skip
def two_upstream_and_sidecar(on: Ground) -> Setting:
    """The application behind nginx ends, and the exporter beside nginx is killed again and again."""
    behind = on.run(nginx_that_may_end(), f"{on.app}-api")[0]
    pod = on.run(nginx(proxy_to(behind.address), exporter=True))[0]
    on.calm()
    on.shell(behind, "kill $(cat /tmp/nginx.pid)")
    on.make(again.killed(lambda: on.pid(pod, "exporter"), 20))
    on.reported()
    on.must_have_event("Readiness probe failed", "502")
    return on.setting(pod, "The server behind nginx ended: 502. The exporter beside nginx was killed every 20 s.")


@declared("two faults: a name fails, and another pod's path is cut", "dns-failure", "network-path-drop",
          sources=(ALERTS,), family="two faults")  # fmt: skip
def two_name_and_path(on: Ground) -> Setting:
    """The name of one target does not resolve any more, and packets to the other target's pod vanish."""
    one, other = on.run(nginx())[0], on.run(nginx(), f"{on.app}-admin")[0]
    host = on.probe_by_blackbox(one, "http://{}:8080/")
    on.probe_by_blackbox(other, "http://{}:8080/", name=f"{on.app}-admin.{on.namespace}.svc.cluster.local")
    on.calm()
    on.pool.names.broken[host] = NAME_ERROR
    on.make(filtered(on.pid(other), "-p", "tcp", "-j", "DROP"))
    on.reported(FAILED)
    return on.setting(on.workload, "One target's name does not exist any more; packets to the other's pod are dropped.")


@declared("two faults: a rollout with a wrong port while all clients are used up", "wrong-probe-target",
          "server-limit-reached", "exec-probe-fails", "recent-deploy", "recent-config-change",
          family="two faults")  # fmt: skip
def two_port_and_limit(on: Ground) -> Setting:
    """Redis' clients are used up, and a rollout brings a probe that asks another port."""
    old = on.run(redis(settings="maxclients 16"))
    on.calm()
    on.make(held(old[0].address, 6379, 24))
    time.sleep(on.draw.uniform(30, 60))
    probe = command("sh", "-c", "redis-cli -h 127.0.0.1 -p 6380 ping | grep -q PONG", timeout=2)
    on.roll_out(redis(probe, settings="maxclients 16"))
    on.reported()
    return on.setting(on.workload, "24 idle clients under maxclients 16, and a new pod whose probe asks port 6380.")


@declared("two faults: the only thread computes under a CPU limit", "single-thread-busy", "cpu-throttled",
          family="two faults", sources=(EVENTS, ALERTS))  # fmt: skip
def two_thread_and_limit(on: Ground) -> Setting:
    """Node's only thread computes, and a small CPU limit makes it take ten times as long."""
    pod = on.run(node(cpu="100m").but(startup=http("/healthz", WEB, period=5, timeout=5, failures=60)))[0]
    on.load(pod, WEB, rate=0.5)
    on.calm()
    on.load(pod, WEB, "/report?s=60", rate=1, clients=2)
    on.reported()
    on.must_have_event("Readiness probe failed", DEADLINE)
    return on.setting(pod, "Two clients ask for a page that computes on the only thread, under a CPU limit of 100 m.")


EPISODES = declared.episodes()
