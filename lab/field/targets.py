"""HTTP service discovery: which pods' exporters are scraped, and which addresses the blackbox exporter probes."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from lab.stage import pages


@dataclass(frozen=True)
class ProbeTarget:
    """A Probe object of a namespace: its target, the exporter's module, and further labels."""

    namespace: str
    url: str
    module: str = "http_2xx"
    labels: dict[str, str] = field(default_factory=dict)


@dataclass
class Discovery:
    """Serves the lists; `pods` gives the Kubernetes API's list, `others` are targets by the Prometheus they are for."""

    pods: Callable[[], list[dict[str, Any]]]
    targets: list[ProbeTarget] = field(default_factory=list)
    others: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    _url: str = ""

    def start(self) -> None:
        """Start the server."""
        self._url = f"http://127.0.0.1:{pages.serve(self._page, 'application/json')}"

    @property
    def monitors(self) -> str:
        """The URL of the pods' exporters."""
        return f"{self._url}/monitors"

    @property
    def probes(self) -> str:
        """The URL of the probes' targets."""
        return f"{self._url}/probes"

    def others_of(self, watcher: str) -> str:
        """The URL of the targets that only one Prometheus scrapes."""
        return f"{self._url}/others/{watcher}"

    def _page(self, path: str) -> str:
        if path.strip("/") == "probes":
            return json.dumps([_probe(t) for t in self.targets])
        if path.startswith("/others/"):
            return json.dumps(self.others.get(path.rpartition("/")[2], []))
        return json.dumps([found for pod in self.pods() for found in _exporters(pod)])


def _probe(target: ProbeTarget) -> dict[str, Any]:
    labels = {"namespace": target.namespace, "__meta_module": target.module, **target.labels}
    return {"targets": [target.url], "labels": labels}


def _exporters(pod: dict[str, Any]) -> list[dict[str, Any]]:
    """One target for each container port named `metrics` of a pod that has an address and has not ended."""
    about, status = pod["metadata"], pod["status"]
    if not status.get("podIP") or status.get("phase") not in {"Running", "Pending"}:
        return []
    app = about.get("labels", {}).get("app", "")
    return [
        {"targets": [f"{status['podIP']}:{port['containerPort']}"],
         "labels": {"namespace": about["namespace"], "pod": about["name"], "container": container["name"],
                    "service": app, "endpoint": "metrics"}}
        for container in pod["spec"]["containers"] for port in container.get("ports", []) if port["name"] == "metrics"
    ]  # fmt: skip
