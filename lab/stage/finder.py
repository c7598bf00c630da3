"""HTTP service discovery of pods for Prometheus, as Debian's has no Kubernetes discovery."""

import json
from collections.abc import Callable
from typing import Any

from lab.stage import pages

PORTS = {"http": 8080, "metrics": 9102}


def serve(pods: Callable[[], list[dict[str, Any]]]) -> str:
    """Start the server; its URL, to which the name of a port is added. `pods` returns the Kubernetes API's list."""

    def page(path: str) -> str:
        port = PORTS[path.strip("/")]
        return json.dumps([_target(p, port) for p in pods() if _runs(p)])

    return f"http://127.0.0.1:{pages.serve(page, 'application/json')}/"


def _runs(pod: dict[str, Any]) -> bool:
    return bool(pod["status"].get("podIP")) and pod["status"].get("phase") in {"Running", "Pending"}


def _target(pod: dict[str, Any], port: int) -> dict[str, Any]:
    about = pod["metadata"]
    notes = {
        f"__meta_{k.replace('/', '_')}": v for k, v in about.get("annotations", {}).items() if k.startswith("lab/")
    }
    labels = {
        "namespace": about["namespace"], "pod": about["name"], "app": about.get("labels", {}).get("app", ""),
        "node": pod["spec"].get("nodeName", ""),
    }  # fmt: skip
    return {"targets": [f"{pod['status']['podIP']}:{port}"], "labels": labels | notes}
