"""A real Prometheus and a real Alertmanager that monitor the programs of a stage."""

from dataclasses import dataclass
from typing import Any

import httpx

from lab.stage.programs import Stage, free_port
from lab.stage.releases import Watchers, located


@dataclass(frozen=True)
class Monitoring:
    """The URLs of the two."""

    prometheus: str
    alertmanager: str

    def query(self, promql: str) -> list[dict[str, Any]]:
        """The result vector of an instant query."""
        answer = httpx.get(f"{self.prometheus}/api/v1/query", params={"query": promql}, timeout=5.0).json()
        return list(answer["data"]["result"])


def rule(alert: str, expr: str, summary: str, *, hold: str = "0s", severity: str = "warning") -> dict[str, Any]:
    """One alerting rule."""
    return {"alert": alert, "expr": expr, "for": hold, "labels": {"severity": severity},
            "annotations": {"summary": summary}}  # fmt: skip


def start(
    stage: Stage, jobs: list[dict[str, Any]], rules: list[dict[str, Any]], *, sink: str, token: str = "",
    watchers: Watchers | None = None,
) -> Monitoring:  # fmt: skip
    """Starts both, ready; alerts go to `sink` one second after they fire."""
    watchers = watchers or Watchers()
    alertmanager = _alertmanager(stage, watchers.release.alertmanager, sink, token)
    port = free_port()
    own = {"name": "lab", "interval": "1s", "rules": rules}
    config = {
        "global": {"scrape_interval": f"{watchers.scrape_s}s", "scrape_timeout": "900ms", "evaluation_interval": "1s"},
        "rule_files": [str(stage.write("rules.yml", {"groups": [own, *watchers.groups]}))],
        "alerting": {"alertmanagers": [{"static_configs": [{"targets": [alertmanager.removeprefix("http://")]}]}]},
        "scrape_configs": jobs,
    }
    stage.start("prometheus", [
        located(watchers.release.prometheus), f"--config.file={stage.write('prometheus.yml', config)}",
        "--web.enable-lifecycle", f"--web.listen-address=127.0.0.1:{port}",
        f"--storage.tsdb.path={stage.folder / 'tsdb'}",
        "--web.external-url=http://prometheus.example:9090/", "--web.route-prefix=/",
    ])  # fmt: skip
    stage.ready("prometheus", f"http://127.0.0.1:{port}/-/ready")
    return Monitoring(f"http://127.0.0.1:{port}", alertmanager)


def _alertmanager(stage: Stage, name: str, sink: str, token: str) -> str:
    port = free_port()
    hook: dict[str, Any] = {"url": sink, "send_resolved": True}
    if token:
        hook["http_config"] = {"authorization": {"type": "Bearer", "credentials": token}}
    config = {
        "route": {"receiver": "hook", "group_by": ["alertname", "cluster", "namespace"], "group_wait": "1s",
                  "group_interval": "5s", "repeat_interval": "1h"},
        "receivers": [{"name": "hook", "webhook_configs": [hook]}],
    }  # fmt: skip
    stage.start("alertmanager", [
        located(name), f"--config.file={stage.write('alertmanager.yml', config)}",
        f"--web.listen-address=127.0.0.1:{port}", "--cluster.listen-address=",
        f"--storage.path={stage.folder / 'am'}", "--web.external-url=http://alertmanager.example:9093/",
        "--web.route-prefix=/",
    ])  # fmt: skip
    stage.ready("alertmanager", f"http://127.0.0.1:{port}/-/ready")
    return f"http://127.0.0.1:{port}"


def reopen(stage: Stage) -> str:
    """Serve an earlier store in the stage's folder without scraping anything; its URL."""
    port = free_port()
    config = stage.write("prometheus.yml", {"global": {"scrape_interval": "1m"}})
    stage.start("prometheus", [
        "prometheus", f"--config.file={config}", f"--web.listen-address=127.0.0.1:{port}",
        f"--storage.tsdb.path={stage.folder / 'tsdb'}", "--storage.tsdb.retention.time=3650d",
    ])  # fmt: skip
    stage.ready("prometheus", f"http://127.0.0.1:{port}/-/ready")
    return f"http://127.0.0.1:{port}"
