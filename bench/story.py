"""From a POST to ranked causes in record and graph, beside the Prometheus query of the same run; start and memory."""

import json
import math
import sqlite3
import statistics
import subprocess
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime

import httpx
import psutil

from lab.stage import monitoring
from lab.stage.programs import Stage
from tests.real.whole import Whole

Count = Callable[[str], int]
ROUNDS, CLUSTERS, MEMBERS = 12, 14, 3
STEP_S, HISTORY_S = 15, 7200
BURST, BURST_S = 200, 2.0
RTT = "etcd_network_peer_round_trip_time_seconds"
P99 = f"histogram_quantile(0.99, sum by (instance, To, le) (rate({RTT}_bucket[5m])))"
GAUGES: dict[str, Callable[[int], float]] = {
    "up": lambda member: 1, "etcd_server_has_leader": lambda member: 1,
    "etcd_server_is_leader": lambda member: float(member == 0),
    "process_start_time_seconds": lambda member: 1_700_000_000, "etcd_server_id": lambda member: 1,
}  # fmt: skip
AIMS = {
    "post_to_causes_p50": "<= 2.5", "post_to_causes_p95": "<= 5", "burst_investigations": "<= 3",
    "burst_causes_after_last_s": "<= 2", "up_to_first_page_s": "<= 15", "resident_gib": "<= 1.2",
}  # fmt: skip


def measured() -> dict[str, float]:
    """POST to causes as ratios to the P99 query of two hours; the burst; the start; memory of all processes."""
    with Stage(on_disk=True) as stage:
        url = history(stage)
        whole = Whole(stage)
        figures = {"up_to_first_page_s": _started(whole)}
        _declare(whole, url)
        door = whole.door()
        head = {"Authorization": f"Bearer {door.token}"}
        with httpx.Client(timeout=30, headers=head, trust_env=False) as client, _record(whole) as ask:
            rows = [_round(client, door.url, url, ask, number) for number in range(ROUNDS)][2:]
            figures |= _ratios(rows) | _burst(client, door.url, ask)
        figures["resident_gib"] = _resident_gib(whole)
        whole.stop()
    return {name: round(value, 3) for name, value in figures.items()}


def history(stage: Stage) -> str:
    """A real Prometheus that holds two hours of a calm three-member cluster; its URL."""
    text = stage.write("history.om", "\n".join([*_lines(), "# EOF", ""]))
    subprocess.run(["promtool", "tsdb", "create-blocks-from", "openmetrics", str(text), str(stage.folder / "tsdb")],
                   check=True, capture_output=True)  # fmt: skip
    return monitoring.reopen(stage)


def _lines() -> Iterator[str]:
    end = int(time.time()) // STEP_S * STEP_S
    times = range(end - HISTORY_S, end, STEP_S)
    for name, value in GAUGES.items():
        yield f"# TYPE {name} gauge"
        for member in range(MEMBERS):
            yield from (f'{name}{{job="etcd",instance="m{member}:2379"}} {value(member)} {at}' for at in times)
    for metric in (RTT, "etcd_disk_wal_fsync_duration_seconds", "etcd_disk_backend_commit_duration_seconds"):
        yield f"# TYPE {metric} histogram"
        for member in range(MEMBERS):
            for peer in _peer_labels(member) if metric == RTT else [""]:
                yield from _histogram(metric, f'job="etcd",instance="m{member}:2379"{peer}', times)


def _peer_labels(member: int) -> list[str]:
    return [f',To="{peer:x}"' for peer in range(MEMBERS) if peer != member]


def _histogram(metric: str, labels: str, times: range) -> Iterator[str]:
    """One observation of 2 ms at each time, as cumulative buckets."""
    limits = [0.0001 * 2**n for n in range(16)] + [math.inf]
    for count, at in enumerate(times, 1):
        for limit in limits:
            le = "+Inf" if limit == math.inf else f"{limit:g}"
            yield f'{metric}_bucket{{{labels},le="{le}"}} {count if limit > 0.002 else 0} {at}'
        yield f"{metric}_count{{{labels}}} {count} {at}"
        yield f"{metric}_sum{{{labels}}} {count * 0.002:.4f} {at}"


def _started(whole: Whole) -> float:
    whole.start()
    whole.stop()
    began = time.perf_counter()
    whole.start()
    httpx.get(f"{whole.url}/sign-in/", timeout=20, trust_env=False).raise_for_status()
    return time.perf_counter() - began


def _declare(whole: Whole, prometheus: str) -> None:
    tables = [f'[[prometheus]]\nname = "main"\nurl = "{prometheus}"']
    for cluster in range(CLUSTERS):
        tables.append(f'[[etcd]]\nname = "etcd-{cluster}"\ncluster = "c-{cluster}"\nprometheus = "main"\n'
                      'selector = { job = "etcd" }')  # fmt: skip
    path = whole.stage.write("connections.toml", "\n".join(tables))
    whole.python(f"from django.core.management import call_command\ncall_command('apply', {str(path)!r})")


@contextmanager
def _record(whole: Whole) -> Iterator[Count]:
    """Asks the record for one number."""
    with sqlite3.connect(f"file:{whole.home / 'record.sqlite3'}?mode=ro", uri=True, check_same_thread=False) as record:
        yield lambda query: int(record.execute(query).fetchone()[0] or 0)


def _body(cluster: int, number: int) -> bytes:
    alert = {"status": "firing", "startsAt": datetime.now(UTC).isoformat(), "endsAt": "0001-01-01T00:00:00Z",
             "fingerprint": f"{cluster * 1000 + number:016x}", "annotations": {"summary": "etcd leader changed"},
             "labels": {"alertname": f"EtcdLeader{number}", "job": "etcd", "cluster": f"c-{cluster}"}}  # fmt: skip
    return json.dumps({"version": "4", "status": "firing", "groupKey": f"{{}}:{cluster}/{number}",
                       "alerts": [alert]}).encode()  # fmt: skip


def _post(client: httpx.Client, url: str, body: bytes) -> None:
    client.post(url, content=body, headers={"Content-Type": "application/json"}).raise_for_status()


def _until(true: Callable[[], bool], limit_s: float = 30.0) -> None:
    end = time.perf_counter() + limit_s
    while not true():
        if time.perf_counter() > end:
            raise SystemExit("no verdict in time; the story is not measured")
        time.sleep(0.002)


def _round(client: httpx.Client, door: str, prometheus: str, ask: Count, number: int) -> tuple[float, float]:
    """Seconds of the bare query and of POST until verdict and graph are both done."""
    now = time.time()
    began = time.perf_counter()
    form = {"query": P99, "start": str(now - HISTORY_S), "end": str(now), "step": str(STEP_S)}
    httpx.post(f"{prometheus}/api/v1/query_range", data=form, timeout=60, trust_env=False).raise_for_status()
    query_s = time.perf_counter() - began
    verdicts = ask("SELECT count(*) FROM incidents_verdictrow")
    began = time.perf_counter()
    _post(client, door, _body(number, 0))
    _until(lambda: ask("SELECT count(*) FROM incidents_verdictrow") > verdicts)
    _until(lambda: not ask("SELECT count(*) FROM incidents_graphqueue"))
    took = time.perf_counter() - began
    time.sleep(0.5)
    return query_s, took


def _ratios(rows: list[tuple[float, float]]) -> dict[str, float]:
    query = statistics.median(q for q, _ in rows)
    took = sorted(t for _, t in rows)
    return {
        "prometheus_query_ms": query * 1000,
        "post_to_causes_p50_ms": statistics.median(took) * 1000,
        "post_to_causes_p50": statistics.median(took) / query,
        "post_to_causes_p95": took[min(len(took) - 1, int(0.95 * len(took)))] / query,
    }


def _burst(client: httpx.Client, door: str, ask: Count) -> dict[str, float]:
    """200 alerts of one incident within two seconds, four senders."""
    cluster = CLUSTERS - 1

    def send(number: int) -> None:
        time.sleep(max(0.0, began + number * BURST_S / BURST - time.perf_counter()))
        _post(client, door, _body(cluster, number))

    before = ask("SELECT count(*) FROM incidents_investigation WHERE state = 'done'")
    began = time.perf_counter()
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(send, range(1, BURST + 1)))
    last = time.perf_counter()
    due = ("SELECT count(*) FROM incidents_investigation WHERE state IN ('asked', 'running')"
           " AND not_before < datetime('now', '+30 seconds')")  # fmt: skip
    _until(lambda: ask("SELECT count(*) FROM incidents_delivery WHERE state = 'new'") == 0 and ask(due) == 0)
    return {
        "burst_investigations": ask("SELECT count(*) FROM incidents_investigation WHERE state = 'done'") - before,
        "burst_causes_after_last_s": time.perf_counter() - last,
    }


def _resident_gib(whole: Whole) -> float:
    """Proportional set size in GiB, which counts shared pages of forked workers once."""
    assert whole.up is not None
    parent = psutil.Process(whole.up.pid)
    total = 0
    for process in (parent, *parent.children(recursive=True)):
        total += getattr(process.memory_full_info(), "pss", process.memory_info().rss)
    return total / 2**30
