"""The whole service as users start it, with `manage.py up`, and a sender that does not give up."""

import json
import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import psutil

from lab.stage.programs import Stage, free_port, wait_until

ROOT = Path(__file__).parents[2]


@dataclass
class Whole:
    """One data folder, one port, and the supervisor's process while it runs. `more` is environment on top."""

    stage: Stage
    more: dict[str, str] = field(default_factory=dict)
    home: Path = field(init=False)
    port: int = field(default_factory=free_port)

    def __post_init__(self) -> None:
        self.home = self.stage.folder / "home"
        self.up: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def env(self) -> dict[str, str]:
        return {**os.environ, "INCIDENT_GRAPH_HOME": str(self.home), "PORT": str(self.port), "PYTHONPATH": str(ROOT),
                "DJANGO_SETTINGS_MODULE": "config.settings", **self.more}  # fmt: skip

    def start(self) -> None:
        """Returns when the service says that it is ready."""
        before = self.stage.log_of("up", 10**7).count("\nready ")
        argv = [sys.executable, "-u", str(ROOT / "manage.py"), "up", "--port", str(self.port)]
        self.up = self.stage.start("up", argv, env=self.env)
        wait_until(lambda: self._ready(before), "the service is ready", 120)

    def _ready(self, before: int) -> bool:
        """Whether it said so once more; a service that ended instead is told with its last words."""
        assert self.up is not None
        assert self.up.poll() is None, self.stage.log_of("up", 3000)
        return self.stage.log_of("up", 10**7).count("\nready ") > before

    def stop(self) -> None:
        """As Ctrl-C does."""
        assert self.up is not None
        self.stage.end(self.up, 60)

    def child(self, *words: str) -> psutil.Process:
        """The supervised process whose command line holds all these words, not the wrapper around it."""

        def find() -> psutil.Process | None:
            assert self.up is not None
            for process in psutil.Process(self.up.pid).children(recursive=True):
                try:
                    line = " ".join(process.cmdline())
                except psutil.Error:
                    continue
                if all(word in line for word in words) and "child.py" not in line:
                    return process
            return None

        found = wait_until(find, f"a child with {words}", 60)
        assert isinstance(found, psutil.Process)
        return found

    def python(self, code: str) -> str:
        """Runs a few lines within the service's environment; their standard output."""
        line = f"import django; django.setup()\n{code}"
        done = subprocess.run([sys.executable, "-c", line], env=self.env, cwd=ROOT, capture_output=True, text=True,
                              check=False)  # fmt: skip
        assert done.returncode == 0, done.stderr[-3000:]
        return done.stdout.strip()

    def door(self) -> "Sender":
        """A new Alertmanager source and who sends to it."""
        made = subprocess.run([sys.executable, str(ROOT / "manage.py"), "source", "add", "alertmanager", "prod", "--json"],
                              env=self.env, cwd=ROOT, capture_output=True, text=True, check=True)  # fmt: skip
        return Sender(f"{self.url}/ingest/alertmanager/prod", json.loads(made.stdout)["token"])

    def waiting(self) -> dict[str, int]:
        """What is not done yet."""
        return dict(json.loads(self.python(
            "import json\nfrom incidents.models import Delivery, GraphQueue, Investigation\n"
            "print(json.dumps({'deliveries': Delivery.objects.exclude(state='done').count(),"
            "'looks': Investigation.objects.filter(state__in=['asked','running']).count(),"
            "'graph': GraphQueue.objects.count()}))"
        )))  # fmt: skip

    def all_done(self, seconds: float = 240.0) -> None:
        """Until nothing waits any more."""
        wait_until(lambda: not any(self.waiting().values()), f"all is done, still {self.waiting()}", seconds, 2.0)


@dataclass
class Sender:
    """Sends as Alertmanager does: whatever is not answered 2xx is sent again."""

    url: str
    token: str

    def send(self, number: int) -> str:
        """One alert; the id of its delivery. Twenty-five pods share all numbers."""
        pod = f"cart-{number % 25}"
        alert = {"status": "firing", "startsAt": "2026-03-01T10:00:00Z", "endsAt": "0001-01-01T00:00:00Z",
                 "fingerprint": f"{number:016x}", "annotations": {"summary": f"alert {number}"},
                 "labels": {"alertname": f"Probe{number}", "cluster": "prod", "namespace": "shop", "pod": pod}}  # fmt: skip
        body = {"version": "4", "status": "firing", "groupKey": f"{{}}:{number}", "alerts": [alert]}
        for _ in range(120):
            try:
                answer = httpx.post(self.url, json=body, headers={"Authorization": f"Bearer {self.token}"}, timeout=20)
                if answer.status_code // 100 == 2:
                    return str(answer.json()["id"])
            except httpx.HTTPError:
                pass
            time.sleep(0.5)
        raise AssertionError(f"alert {number} was never accepted")

    def many(self, numbers: range) -> list[str]:
        """All of them, four at a time."""
        with ThreadPoolExecutor(4) as pool:
            return list(pool.map(self.send, numbers))
