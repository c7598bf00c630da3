"""The field: pods that do not come up, or go, because of the cluster: images, volumes, limits, places, gates."""

from lab.episode import Setting
from lab.field import again
from lab.field.declare import Declared
from lab.field.ground import ALERTS, BOTH, EVENTS, Ground
from lab.field.packages import BUSYBOX, Image
from lab.field.software import REDIS_PORT, WEB, busybox, gunicorn, nginx, redis, sidecar
from lab.field.ware import container, http
from lab.stage.programs import wait_until

declared = Declared("cluster")
NOT_READY = ("KubePodNotReady", "KubernetesPodNotHealthy")
MISMATCH = "KubeDeploymentReplicasMismatch"
STUCK = "KubeDeploymentRolloutStuck"


@declared("the image of a new version cannot be pulled", "image-pull-fails", "recent-deploy", "recent-config-change")
def image_missing(on: Ground) -> Setting:
    """A rollout names an image that its registry does not give; the old pods serve on."""
    old = on.run(nginx(), replicas=on.draw.choice((1, 2)))
    on.calm()
    on.roll_out(nginx().but(image=Image("127.0.0.1:5999/shop/web:2.4.1", ())))
    on.reported(*NOT_READY, seconds=1700)
    on.must_have_event("Failed", "ImagePull")
    return on.setting(on.newest(old), "The new version's image is on a registry that does not answer.")


@declared("an init container waits for a database that is not there", "init-container-stuck",
          "dependency-late-at-start", sources=(ALERTS,))  # fmt: skip
def init_waits(on: Ground) -> Setting:
    """An init container waits for a service that never comes, without a word."""
    on.calm(100, 130)
    script = "until nc -z -w 1 10.88.77.251 5432; do echo waiting for database; sleep 2; done"
    made = nginx().but(init=(container("wait-for-db", BUSYBOX, ("sh", "-c", script)),))
    pod = on.run(made, ready=False)[0]
    on.reported(*NOT_READY, seconds=1700)
    return on.setting(pod, "The init container wait-for-db waits for an address that nobody has.")


@declared("an init container fails again and again", "init-container-stuck", "handler-crash", "recent-deploy",
          "recent-config-change", sources=(EVENTS, BOTH, ALERTS))  # fmt: skip
def init_fails(on: Ground) -> Setting:
    """A new version's init container, which migrates a database, ends with an error each time."""
    old = on.run(nginx())
    on.calm()
    script = "echo 'migration 0042: relation orders does not exist' >&2; sleep 2; exit 1"
    made = nginx().but(init=(container("migrate", BUSYBOX, ("sh", "-c", script)),))
    on.roll_out(made)
    on.reported(*NOT_READY, "KubePodCrashLooping", seconds=1700)
    on.must_have_event("Back-off restarting failed container migrate")
    return on.setting(on.newest(old), "The init container migrate of the new version ends with exit code 1.")


@declared("a volume's ConfigMap does not exist", "volume-not-mounted", "recent-deploy", "recent-config-change")
def volume_missing(on: Ground) -> Setting:
    """A rollout mounts a ConfigMap that nobody made."""
    old = on.run(nginx())
    on.calm()
    name = f"{on.app}-extra"
    made = nginx().but(volumes=({"name": "extra", "configMap": {"name": name}},),
                       mounts=({"name": "extra", "mountPath": "/etc/extra"},))  # fmt: skip
    on.roll_out(made)
    on.reported(*NOT_READY, seconds=1700)
    on.must_have_event("FailedMount", name)
    return on.setting(on.newest(old), f"The ConfigMap {name} of the new version's volume does not exist.")


@declared(
    "a Secret that the environment needs does not exist", "settings-missing", "recent-deploy", "recent-config-change"
)
def secret_missing(on: Ground) -> Setting:
    """A rollout takes a password from a Secret that nobody made: CreateContainerConfigError."""
    old = on.run(nginx())
    on.calm()
    env = [{"name": "PASSWORD", "valueFrom": {"secretKeyRef": {"name": "db-credentials", "key": "password"}}}]
    on.roll_out(nginx().but(more={"env": env}))
    on.reported(*NOT_READY, seconds=1700)
    on.must_have_event("secret", "not found")
    return on.setting(on.newest(old), "The Secret db-credentials, which the container's environment needs, is missing.")


@declared("a pod fits on no node", "pod-not-scheduled")
def no_place(on: Ground) -> Setting:
    """A deployment asks for more than any node has, or for a label that none carries."""
    on.calm(100, 130)
    more = on.draw.choice(({"nodeSelector": {"disk": "nvme"}}, {}))
    made = nginx() if more else nginx().but(asks_cpu="48", cpu="64")
    pod = on.run(made, ready=False, more={"nodeName": "", **more})[0]
    on.reported(*NOT_READY, seconds=1700)
    on.must_have_event("FailedScheduling")
    return on.setting(pod, "No node has the label disk=nvme." if more else "The pod asks for 48 CPUs; the node has 2.")


@declared("a pod is evicted as its scratch volume grew too large", "evicted", "disk-full", sources=(EVENTS,))
def evicted(on: Ground) -> Setting:
    """The kubelet evicts a pod whose emptyDir is above its size limit; another one takes its place."""
    volume = {"name": "cache", "emptyDir": {"sizeLimit": "8Mi"}}
    pod = on.run(nginx().but(volumes=(volume,), mounts=({"name": "cache", "mountPath": "/cache"},)))[0]
    on.calm()
    on.shell(pod, "dd if=/dev/zero of=/cache/old.bin bs=1M count=40 2>/dev/null")
    on.reported()
    on.must_have_event("Evicted")
    return on.setting(pod, "40 MiB were written into an emptyDir with a size limit of 8 MiB.")


@declared("a readiness gate is never opened", "readiness-gate-closed", sources=(ALERTS,))
def gate_closed(on: Ground) -> Setting:
    """A pod has a readiness gate, whose condition no controller sets: all its containers are ready and it is not."""
    on.calm(100, 130)
    more = {"readinessGates": [{"conditionType": "target-health.example.net/web"}]}
    pod = on.run(nginx(), ready=False, more=more)[0]
    on.reported(STUCK, MISMATCH, seconds=1700)
    return on.setting(pod, "The condition target-health.example.net/web of the readiness gate is never set.")


@declared("only a container beside the application crashes", "handler-crash", "sidecar-not-ready")
def sidecar_crashes(on: Ground) -> Setting:
    """The log shipper beside nginx begins to end with an error; nginx is well."""
    script = "while [ ! -e /tmp/broken ]; do sleep 1; done; echo 'cannot read position file' >&2; exit 2"
    volume = {"name": "scratch", "emptyDir": {}}
    made = nginx(beside_more=(sidecar(script, "log-shipper", mounts=[{"name": "scratch", "mountPath": "/tmp"}]),))
    pod = on.run(made.but(volumes=(volume,)))[0]
    on.calm()
    on.shell(pod, "touch /tmp/broken", "log-shipper")
    wait_until(lambda: on.restarts(pod) >= 2, "it crashes again", 200, 2)
    on.reported("KubePodCrashLooping", STUCK, MISMATCH, seconds=1700)
    return on.setting(pod, "The container log-shipper ends with exit code 2 at each start; nginx beside it is well.")


@declared("only the readiness of a container beside the application fails", "sidecar-not-ready", "exec-probe-fails")
def sidecar_not_ready(on: Ground) -> Setting:
    """The agent beside nginx says by its exec probe that it has no connection; nginx is well."""
    volume = {"name": "scratch", "emptyDir": {}}
    probe = {"exec": {"command": ["sh", "-c", "test ! -e /tmp/lost || { echo 'agent: upstream lost'; exit 1; }"]},
             "periodSeconds": 5, "failureThreshold": 2}  # fmt: skip
    agent = sidecar("sleep 100000", "agent", mounts=[{"name": "scratch", "mountPath": "/tmp"}], readinessProbe=probe)
    pod = on.run(nginx(beside_more=(agent,)).but(volumes=(volume,)))[0]
    on.calm()
    on.shell(pod, "touch /tmp/lost", "agent")
    on.reported()
    on.must_have_event("Readiness probe failed", "agent: upstream lost")
    return on.setting(pod, "The probe of the container agent fails: 'agent: upstream lost'; nginx beside it is well.")


@declared("Redis is killed at its memory limit", "memory-exhausted")
def redis_killed(on: Ground) -> Setting:
    """Keys are written until the kernel kills Redis at the container's limit, and again after its restart."""
    pod = on.run(redis(settings="enable-debug-command yes", memory="48Mi"))[0]
    on.calm()
    on.make(again.asked(pod.address, REDIS_PORT, f"DEBUG POPULATE {on.draw.randint(60, 90)}0000 k 100\r\n", 15))
    wait_until(lambda: on.restarts(pod) >= 2, "the kernel kills it twice", 200, 2)
    on.reported(seconds=1700)
    return on.setting(pod, "Keys were written past the container's memory limit of 48 MiB.")


@declared("the CPU limit leaves no time for the health route", "cpu-throttled", "workers-busy")
def cpu_limit(on: Ground) -> Setting:
    """Exports compute under a CPU limit of a tenth; the health route, in a thread of its own, waits for its share."""
    limit = on.draw.choice((60, 80))
    made = gunicorn(workers=1, options=("--worker-class", "gthread", "--threads", "16", "--timeout", "300"))
    pod = on.run(made.but(cpu=f"{limit}m", startup=http("/healthz", WEB, period=5, timeout=5, failures=60)))[0]
    on.calm()
    on.load(pod, WEB, "/export?s=600", rate=1, clients=8)
    on.reported()
    on.must_have_event("Readiness probe failed", "context deadline exceeded")
    on.must_hold('increase(container_cpu_cfs_throttled_periods_total{$ns,container="web"}[4m]) > 50')
    return on.setting(pod, f"Eight exports compute under a CPU limit of {limit} m; free threads wait for CPU.")


@declared("a shell script ends with an error each time", "handler-crash")
def script_crashes(on: Ground) -> Setting:
    """A worker without any probe ends with an error some seconds after each start."""
    on.calm(60, 90)
    seconds = on.draw.randint(3, 8)
    script = f"sleep {seconds}; echo 'panic: no brokers available' >&2; exit 3"
    pod = on.run(busybox(script, "worker"), ready=False)[0]
    on.reported("KubePodCrashLooping", "KubernetesPodCrashLooping", seconds=1700)
    on.must_have_event("Back-off restarting failed container")
    return on.setting(pod, f"The worker ends with exit code 3 {seconds} s after each start.")


EPISODES = declared.episodes()
