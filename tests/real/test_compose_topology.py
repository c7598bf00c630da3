"""The production shape: the compose file's own commands and settings on real PostgreSQL, Redis and Neo4j servers."""

import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from graph.engine import GraphAddress
from lab.stage.programs import Stage, free_port, wait_until
from tests.real.neo4j_server import neo4j_address
from tests.real.postgresql import running_postgresql

__all__ = ["neo4j_address"]
pytestmark = pytest.mark.real
ROOT = Path(__file__).parents[2]
PROCESSES = ("web", "worker", "look-worker", "notify-worker", "graph-worker", "beat", "watcher")
PAYLOAD = ROOT / "tests" / "payloads" / "alertmanager" / "14-from-real-prometheus.json"


@dataclass
class Production:
    """The services of docker-compose.yml without Docker: same commands, same variables, other host names."""

    stage: Stage
    port: int
    secrets: dict[str, str]
    hosts: dict[str, str]

    @property
    def services(self) -> dict[str, Any]:
        return dict(yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"])

    @property
    def env(self) -> dict[str, str]:
        return {name: self._here(str(value)) for name, value in self.services["web"]["environment"].items()}

    def _here(self, value: str) -> str:
        """The value with the containers' names and folders replaced by what stands on this machine."""
        for name, place in {**self.hosts, "/run/secrets": str(self.stage.folder / "secrets"),
                            "${PUBLIC_URL:-": "",
                            "${ALLOWED_HOSTS:-": "", "/tmp/beat": str(self.stage.folder / "beat")}.items():  # fmt: skip
            value = value.replace(name, place)
        return str(self.stage.folder / "data") if value == "/data" else value.removesuffix("}")

    def command(self, name: str) -> list[str]:
        given = [self._here(part) for part in self.services[name]["command"]]
        here = {"python": sys.executable, "8000": str(self.port)}
        return [here.get(part, part) for part in given]

    def start(self) -> None:
        for name, content in self.secrets.items():
            self.stage.write(f"secrets/{name}", content)
        shell = self.command("migrate")[-1].replace("python manage.py", f"{sys.executable} manage.py")
        clean = {"PATH": "/usr/bin:/bin", **self.env}
        done = subprocess.run(["sh", "-c", shell], cwd=ROOT, env=clean, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr[-3000:]
        for name in PROCESSES:
            argv = ["env", "-C", str(ROOT), *self.command(name)]
            self.stage.start(name, argv, env={**self.env, "PYTHONPATH": str(ROOT)})
        self.stage.ready("web", f"http://127.0.0.1:{self.port}/livez")

    def verb(self, *args: str) -> str:
        done = subprocess.run([sys.executable, "manage.py", *args], cwd=ROOT, env={"PATH": "/usr/bin:/bin", **self.env},
                              capture_output=True, text=True, check=False)  # fmt: skip
        assert done.returncode == 0, done.stderr[-3000:]
        return done.stdout


@pytest.fixture(scope="module")
def production(neo4j_address: GraphAddress) -> Iterator[Production]:
    with running_postgresql() as database, Stage() as stage:
        redis, port = free_port(), free_port()
        stage.start("redis", ["redis-server", "--bind", "127.0.0.1", "--port", str(redis), "--appendonly", "yes",
                              "--maxmemory-policy", "noeviction", "--dir", str(stage.folder)])  # fmt: skip
        secrets = {"secret-key": "k" * 50, "database-url": database, "neo4j": neo4j_address.password}
        hosts = {"redis:6379": f"127.0.0.1:{redis}", "bolt://neo4j:7687": neo4j_address.uri,
                 "0.0.0.0": "127.0.0.1", "http://127.0.0.1:8000": f"http://127.0.0.1:{port}"}  # fmt: skip
        made = Production(stage, port, secrets, hosts)
        made.start()
        yield made


def test_a_delivery_becomes_a_verdict_that_the_api_returns_and_the_graph_stores(production: Production) -> None:
    source = json.loads(production.verb("source", "add", "alertmanager", "prod", "--json"))
    door = f"http://127.0.0.1:{production.port}/ingest/alertmanager/prod"
    sent = json.loads(PAYLOAD.read_text())[0]["body"]
    answer = httpx.post(door, json=sent, headers={"Authorization": f"Bearer {source['token']}"}, timeout=20)
    assert answer.status_code == 202, answer.text
    token = production.verb("token", "add", "test", "--scope", "read").strip().split()[-1]

    def verdict() -> dict[str, Any] | None:
        api = httpx.get(f"http://127.0.0.1:{production.port}/api/v1/incidents/1/verdict/", timeout=10,
                        headers={"Authorization": f"Bearer {token}"})  # fmt: skip
        return dict(api.json()) if api.status_code == 200 else None

    stands = wait_until(verdict, f"the verdict ({production.stage.log_of('worker')})", 60)
    assert stands["revision"] >= 1 and stands["input_hash"].startswith("sha256:")
    health = httpx.get(f"http://127.0.0.1:{production.port}/readyz?verbose", timeout=10)
    assert health.status_code == 200 and "degraded" not in health.text, health.text
    wait_until(lambda: "ok" in _graph_holds(production), "the graph remembers it", 60)


def _graph_holds(production: Production) -> str:
    code = ("import django; django.setup()\nfrom investigate.similar import graph\n"
            "print('ok' if graph().counts()['Incident'] == 1 else 'behind')")  # fmt: skip
    env = {
        "PATH": "/usr/bin:/bin",
        "PYTHONPATH": str(ROOT),
        "DJANGO_SETTINGS_MODULE": "config.settings",
        **production.env,
    }
    return subprocess.run(
        [sys.executable, "-c", code], env=env, cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout


def test_the_servers_are_those_that_the_compose_file_names(production: Production) -> None:
    services = production.services
    assert services["postgres"]["image"] == "postgres:15"
    assert services["neo4j"]["image"].startswith("neo4j:5.26") and services["redis"]["image"] == "redis:7"
    asked = "from django.db import connection as c; c.ensure_connection(); print('server', c.pg_version // 10000)"
    assert "server 15" in production.verb("shell", "-c", asked)
    assert set(PROCESSES) | {"migrate", "postgres", "redis", "neo4j"} == set(services)
