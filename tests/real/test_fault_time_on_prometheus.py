"""What a real server keeps of an alert, and its rule's own value before it, are found and taken by it."""

from dataclasses import replace
from datetime import UTC, datetime
from urllib.parse import parse_qs

import httpx
import pytest

from domain.connections import Connections, PrometheusDecl
from evidence.fault_time import with_fault_time
from evidence.recording import LiveTransports
from lab.stage.programs import Stage, free_port, wait_until
from tests.evidence.scene import scope

pytestmark = pytest.mark.real
NAME = "ManyRequests"
RULES = {"groups": [{"name": "own", "interval": "1s", "rules": [
    {"alert": NAME, "expr": 'sum by (job, code) (rate(prometheus_http_requests_total[30s])) >= 0', "for": "2s",
     "labels": {"severity": "warning"}}]}]}  # fmt: skip


def firing(url: str) -> list[dict[str, str]]:
    found = httpx.get(f"{url}/api/v1/alerts").json()["data"]["alerts"]
    return [alert for alert in found if alert["state"] == "firing"]


def test_a_real_server_tells_since_when_the_condition_held_and_takes_its_rules_own_value() -> None:
    with Stage() as stage:
        port = free_port()
        url = f"http://127.0.0.1:{port}"
        config = {
            "global": {"scrape_interval": "1s", "evaluation_interval": "1s"},
            "rule_files": [str(stage.write("rules.yml", RULES))],
            "scrape_configs": [{"job_name": 'p"$1', "static_configs": [{"targets": [f"127.0.0.1:{port}"]}]}],
        }
        stage.start("prometheus", ["prometheus", f"--config.file={stage.write('p.yml', config)}",
                                   f"--web.listen-address=127.0.0.1:{port}",
                                   f"--storage.tsdb.path={stage.folder / 'tsdb'}"])  # fmt: skip
        stage.ready("prometheus", f"{url}/-/ready")
        alert = wait_until(lambda: firing(url), "the rule fires", 60, 1)[0]
        active = datetime.fromisoformat(alert["activeAt"])
        started = replace(scope().alerts[0], name=NAME, labels=alert["labels"], started_at=datetime.now(UTC))
        declared = Connections(prometheus=[PrometheusDecl(name="main", url=url)])
        about = scope(alerts=(started,), started_at=started.started_at, as_of=datetime.now(UTC), connections=declared)
        live = LiveTransports(declared)
        fault = with_fault_time(about, live).fault
        asked = [a for a in live.answers() if "vector" in a.body]
        # The server is seconds old, and the range has a step of a minute: the same question as of now.
        query = {"query": parse_qs(asked[0].body)["query"][0]}
        found = httpx.get(f"{url}/api/v1/query", params=query).json()["data"]["result"]
    assert fault is not None and "ALERTS_FOR_STATE" in fault.query
    assert abs((fault.began - active).total_seconds()) < 1
    own = {name: alert["labels"][name] for name in ("job", "code")}
    assert asked[0].status == 200 and [series["metric"] for series in found] == [own]
