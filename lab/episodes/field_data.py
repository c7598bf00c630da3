"""The field: Redis, PostgreSQL and Memcached, which say in a probe's output why they refuse."""

from lab.episode import Setting
from lab.field.declare import Declared
from lab.field.ground import EVENTS, Ground
from lab.field.load import held
from lab.field.packages import POSTGRES_BIN
from lab.field.software import REDIS_PORT, memcached, postgres, redis
from lab.field.ware import command, tcp

declared = Declared("data")
MEMORY_DISK = {"name": "data", "emptyDir": {"medium": "Memory", "sizeLimit": "24Mi"}}
WRITES = command("sh", "-c", "redis-cli -h 127.0.0.1 set probe 1 | grep -q OK || { redis-cli -h 127.0.0.1 set probe 1;"
                 " exit 1; }", timeout=3)  # fmt: skip
SELECT = command(f"{POSTGRES_BIN}/psql", "-h", "127.0.0.1", "-U", "postgres", "-c", "select 1", timeout=5)
REFUSES = ("server-limit-reached", "pool-exhausted", "exec-probe-fails")


@declared("Redis refuses writes since its disk is full", "disk-full", "exec-probe-fails")
def redis_disk_full(on: Ground) -> Setting:
    """Redis cannot write its snapshot and refuses every write; the probe writes."""
    pod = on.run(redis(WRITES, "save 5 1\nstop-writes-on-bgsave-error yes", volumes=(MEMORY_DISK,)))[0]
    on.load(pod, 9121, "/metrics", rate=0.1)
    on.calm()
    on.shell(pod, "dd if=/dev/zero of=/data/other.bin bs=1M count=200 2>/dev/null; redis-cli set a b; true")
    on.reported()
    on.must_have_event("Readiness probe failed", "MISCONF")
    return on.setting(pod, "Somebody else filled the volume; Redis' snapshot fails, and it answers MISCONF to writes.")


@declared("Redis has no memory left for writes", "server-limit-reached", "exec-probe-fails", "memory-exhausted")
def redis_out_of_memory(on: Ground) -> Setting:
    """maxmemory is reached under noeviction: OOM command not allowed."""
    settings = "maxmemory 6mb\nmaxmemory-policy noeviction\nenable-debug-command yes"
    pod = on.run(redis(WRITES, settings))[0]
    on.calm()
    on.shell(pod, "redis-cli debug populate 200000 k 60 >/dev/null")
    on.reported()
    on.must_have_event("Readiness probe failed", "OOM command not allowed")
    return on.setting(pod, "Keys were written until maxmemory (6 MB) was reached; writes get OOM command not allowed.")


@declared("Redis has no free client", "server-limit-reached", "exec-probe-fails", "pool-exhausted")
def redis_max_clients(on: Ground) -> Setting:
    """Idle clients hold all maxclients connections; redis-cli gets an error."""
    most = on.draw.choice((16, 24))
    pod = on.run(redis(settings=f"maxclients {most}"))[0]
    on.calm()
    on.make(held(pod.address, REDIS_PORT, most + 5))
    on.reported()
    on.must_have_event("Readiness probe")
    return on.setting(pod, f"{most + 5} idle clients under maxclients {most}.")


@declared("Redis is stopped and redis-cli waits", "exec-probe-late", "accept-queue-full", "single-thread-busy")
def redis_stands_still(on: Ground) -> Setting:
    """A command keeps Redis' only thread for minutes; the exec probe's time is over."""
    ping = command("redis-cli", "-h", "127.0.0.1", "ping", timeout=2)
    pod = on.run(redis(ping, "enable-debug-command yes"))[0]
    on.calm()
    on.in_background(pod, "redis-cli debug sleep 1500")
    on.reported()
    on.must_have_event("Readiness probe", "timed out")
    return on.setting(pod, "DEBUG SLEEP keeps the only thread; redis-cli ping gets no answer within the probe's 2 s.")


@declared("PostgreSQL has no free connection, psql says so", *REFUSES)
def postgres_too_many_clients(on: Ground) -> Setting:
    """Idle clients hold all connections; the exec probe by psql prints that too many clients are connected."""
    most = on.draw.choice((12, 16))
    pod = on.run(postgres(SELECT, most, exporter=on.draw.random() < 0.7))[0]
    on.calm()
    on.hold_postgres(pod, most + 4)
    on.reported()
    on.must_have_event("Readiness probe failed", "too many clients")
    return on.setting(pod, f"{most + 4} idle clients under max_connections {most}; psql: too many clients already.")


@declared("PostgreSQL refuses and pg_isready only says so", *REFUSES)
def postgres_rejects(on: Ground) -> Setting:
    """As before, but the probe is pg_isready, which says only that connections are rejected, or nothing at all."""
    most = on.draw.choice((10, 14))
    pod = on.run(
        postgres(
            SELECT
            | {
                "exec": {
                    "command": [
                        "sh",
                        "-c",
                        (f"exec {POSTGRES_BIN}/psql -qAt -h 127.0.0.1 -U postgres -c 'select 1' 2>&1"),
                    ]
                }
            },
            most,
        )
    )[0]
    on.calm()
    on.hold_postgres(pod, most + 4)
    on.reported()
    on.must_have_event("Readiness probe failed", "too many clients")
    return on.setting(pod, f"{most + 4} idle clients under max_connections {most}.")


@declared("PostgreSQL starts more slowly than its startup probe allows", "startup-budget-too-short",
          sources=(EVENTS,))  # fmt: skip
def postgres_slow_start(on: Ground) -> Setting:
    """The start takes longer than the startup probe's budget, again and again."""
    on.calm(60, 90)
    ready = command(f"{POSTGRES_BIN}/pg_isready", "-h", "127.0.0.1", "-U", "postgres", period=5, timeout=3, failures=4)
    on.run(postgres(before="sleep 45;", startup=ready), ready=False)
    on.reported()
    on.must_have_event("failed startup probe, will be restarted")
    return on.setting(on.pods()[0], "The start takes at least 45 s; the startup probe allows 20 s.")


@declared("PostgreSQL's data folder is full", "disk-full", "exec-probe-fails", "handler-crash",
          "server-loading")  # fmt: skip
def postgres_disk_full(on: Ground) -> Setting:
    """The volume is full: PostgreSQL cannot write its log of changes and goes down again and again."""
    disk = {"name": "data", "emptyDir": {"medium": "Memory", "sizeLimit": "100Mi"}}
    write = command(f"{POSTGRES_BIN}/psql", "-h", "127.0.0.1", "-U", "postgres", "-c",
                    "create table if not exists probe(t timestamptz); insert into probe values (now())",
                    timeout=5)  # fmt: skip
    pod = on.run(postgres(write, volumes=(disk,), memory="512Mi"))[0]
    on.calm()
    on.shell(pod, "dd if=/dev/zero of=/data/other.bin bs=1M count=300 2>/dev/null; true")
    on.in_background(pod, f"{POSTGRES_BIN}/psql -h 127.0.0.1 -U postgres -c 'create table big as select"
                          " generate_series(1,9000000) n'")  # fmt: skip
    on.reported(seconds=1700)
    on.must_have_event("Readiness probe failed", "psql: error")
    return on.setting(pod, "Somebody else filled the volume; PostgreSQL says: No space left on device.")


@declared("Memcached's queue of connections is full", "accept-queue-full", "server-limit-reached")
def memcached_connections(on: Ground) -> Setting:
    """Memcached stops accepting at its limit, its short queue fills, and the kernel drops what comes."""
    most = on.draw.choice((24, 32))
    pod = on.run(
        memcached(
            tcp(11211, period=5, failures=2), options=("-c", str(most), "-b", "2", "-t", "1", "-o", "no_maxconns_fast")
        )
    )[0]
    on.calm()
    on.make(held(pod.address, 11211, most + 20))
    on.reported()
    on.must_have_event("Readiness probe failed", "timeout")
    return on.setting(pod, f"{most + 20} clients under -c {most} -b 2: connections beyond the queue are dropped.")


EPISODES = declared.episodes()
