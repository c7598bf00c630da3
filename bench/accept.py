"""The rate at which the door accepts, as a ratio to a bare Django view on the same server, database and workers."""

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import httpx

from config import engines, supervisor
from lab.stage.programs import answers, free_port, wait_until

SENDERS, REQUESTS, ROUNDS = 4, 200, 5
AIMS = {
    "accept_single_rate": ">= 0.7",
    "accept_batch_of_20_rate": ">= 0.6",
    "accept_single_p99": "<= 2",
    "accept_batch_of_20_p99": "<= 2",
}


def body(alerts: int) -> bytes:
    """An Alertmanager delivery of `alerts` alerts, made up but always the same."""
    one = {"status": "firing", "startsAt": "2026-01-01T00:00:00Z", "endsAt": "0001-01-01T00:00:00Z"}
    listed = [
        {**one, "fingerprint": f"{n:016x}", "labels": {"alertname": "Probe", "pod": f"p-{n}"}, "annotations": {}}
        for n in range(alerts)
    ]
    return json.dumps({"version": "4", "status": "firing", "groupKey": "{}", "alerts": listed}).encode()


@contextmanager
def served(fill: Callable[[Path], None] = lambda home: None) -> Iterator[tuple[str, str]]:
    """URL and token of the web server with a broker, on a folder of its own; all gone afterwards.

    `fill` may put rows into the record before anything is served.
    """
    with tempfile.TemporaryDirectory(prefix="ig-bench-") as name:
        pipe = Path(name) / "redis.sock"
        env = {**os.environ, "INCIDENT_GRAPH_HOME": name, "REDIS_URL": f"unix://{pipe}"}
        env |= {"DJANGO_SETTINGS_MODULE": "bench.settings"}
        subprocess.run([sys.executable, "manage.py", "migrate", "-v0", "--no-input"], env=env, check=True)
        add = [sys.executable, "manage.py", "source", "add", "alertmanager", "bench", "--json"]
        token = json.loads(subprocess.run(add, env=env, check=True, capture_output=True).stdout)["token"]
        fill(Path(name))
        with serving(env, engines.redis_argv(Path(name), pipe)) as url:
            yield url, token


@contextmanager
def serving(env: dict[str, str], *beside: list[str]) -> Iterator[str]:
    """URL of the web server in this environment, with these programs beside it; all gone afterwards."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    programs = (*beside, supervisor.web_argv("127.0.0.1", port))
    running = [subprocess.Popen(engines.owned(argv), env={**env, "PORT": str(port)}) for argv in programs]
    try:
        wait_until(answers(f"{url}/livez", trust_env=False), f"{url}/livez", 30)
        yield url
    finally:
        for process in reversed(running):
            process.terminate()
            process.wait(20)


def round_of(url: str, token: str, content: bytes) -> tuple[float, float]:
    """Requests per second of one round, and the 99th percentile of one request in milliseconds."""
    head = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}

    def send(client: httpx.Client) -> list[float]:
        took = []
        for _ in range(REQUESTS // SENDERS):
            began = time.perf_counter()
            client.post(url, content=content, headers=head).raise_for_status()
            took.append((time.perf_counter() - began) * 1000)
        return took

    clients = [httpx.Client(timeout=30, trust_env=False) for _ in range(SENDERS)]
    began = time.perf_counter()
    with ThreadPoolExecutor(SENDERS) as pool:
        took_ms = [one for many in pool.map(send, clients) for one in many]
    rate = REQUESTS / (time.perf_counter() - began)
    for client in clients:
        client.close()
    return rate, statistics.quantiles(took_ms, n=100)[98]


def measured() -> dict[str, float]:
    """Medians over the interleaved rounds of door against bare view; a rate ratio above 1 means faster."""
    shapes = {"single": body(1), "batch_of_20": body(20)}
    ratios: dict[str, list[float]] = {f"accept_{s}_{w}": [] for s in shapes for w in ("rate", "p99")}
    with served() as (url, token):
        for number in range(ROUNDS + 1):
            for shape, content in shapes.items():
                bare, bare_p99 = round_of(f"{url}/bare/", token, content)
                door, door_p99 = round_of(f"{url}/ingest/alertmanager/bench", token, content)
                if number:  # the first round only warms up
                    ratios[f"accept_{shape}_rate"].append(door / bare)
                    ratios[f"accept_{shape}_p99"].append(door_p99 / bare_p99)
    return {name: round(statistics.median(all_), 3) for name, all_ in ratios.items()}
