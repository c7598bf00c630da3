"""The product as an own process on SQLite, which a story may stop in the middle and start again."""

import json
import os
import sqlite3
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from config.supervisor import web_argv
from lab.stage.programs import Stage, free_port, wait_until

ROOT = Path(__file__).parents[2]


@dataclass
class Product:
    """Its data folder, its port, and the web server's process while it runs."""

    stage: Stage
    home: Path = field(init=False)
    port: int = field(default_factory=free_port)

    def __post_init__(self) -> None:
        self.home = self.stage.folder / "home"
        self._web: subprocess.Popen[bytes] | None = None

    @property
    def env(self) -> dict[str, str]:
        """No broker is there: what is accepted must not depend on one."""
        return {**os.environ, "INCIDENT_GRAPH_HOME": str(self.home), "PYTHONPATH": str(ROOT),
                "PUBLIC_URL": f"http://127.0.0.1:{self.port}", "DJANGO_SETTINGS_MODULE": "config.settings",
                "REDIS_URL": f"redis://127.0.0.1:{free_port()}/0"}  # fmt: skip

    def verb(self, *args: str) -> str:
        """One `manage.py` call; its standard output."""
        done = subprocess.run([sys.executable, str(ROOT / "manage.py"), *args], env=self.env, cwd=ROOT, text=True,
                              capture_output=True, check=False)  # fmt: skip
        assert done.returncode == 0, done.stderr
        return done.stdout

    def add_source(self, kind: str, name: str) -> tuple[str, str]:
        """URL and token of a new source."""
        source = json.loads(self.verb("source", "add", kind, name, "--json"))
        return source["url"], source["token"]

    def start(self) -> None:
        """Starts the web server; returns when it accepts connections."""
        bind = f"127.0.0.1:{self.port}"
        self._web = self.stage.start("web", web_argv("127.0.0.1", self.port), env=self.env)

        def listens() -> bool:
            try:
                return httpx.get(f"http://{bind}/ingest/alertmanager/nobody", timeout=2).status_code == 405
            except httpx.HTTPError:
                return False

        wait_until(listens, f"the product ({self.stage.log_of('web')})", 40)

    def stop(self) -> None:
        """Stops the web server."""
        assert self._web is not None
        self.stage.end(self._web)

    def drain(self) -> None:
        """Works off all that waits, as a worker would."""
        self.python("from tests.drain import drain; drain()")

    def python(self, code: str) -> str:
        """Runs a few lines within the product's environment; what they print."""
        done = subprocess.run([sys.executable, "-c", f"import django; django.setup()\n{code}"], env=self.env, cwd=ROOT,
                              capture_output=True, text=True, check=False)  # fmt: skip
        assert done.returncode == 0, done.stderr[-3000:]
        return done.stdout.strip()

    def rows(self, query: str) -> list[tuple[object, ...]]:
        """Reads the record's file."""
        with sqlite3.connect(f"file:{self.home / 'record.sqlite3'}?mode=ro", uri=True) as record:
            return record.execute(query).fetchall()

    def bodies(self) -> str:
        """The raw bodies of all deliveries, joined."""
        return "\n".join(bytes(row[0]).decode() for row in self.rows("SELECT body FROM incidents_delivery"))  # type: ignore[call-overload]
