"""The table of probe outcomes through a real blackbox exporter and a real Prometheus: each defect in its class."""

import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from domain.connections import BlackboxDecl, Connections, PrometheusDecl
from domain.entities import EntityKind, EntityRef
from domain.findings import Finding
from evidence.check import Ask, run
from evidence.checks.blackbox_phases import CHECK as PHASES
from evidence.checks.live_probe import CHECK as LIVE
from evidence.recording import LiveTransports
from lab.stage.programs import Stage, free_port
from tests.evidence.faults import Faults, faults
from tests.evidence.scene import scope, seen

pytestmark = pytest.mark.real

MODULES = {"modules": {
    "http": {"prober": "http", "timeout": "2s", "http": {"preferred_ip_protocol": "ip4"}},
    "regex": {"prober": "http", "timeout": "2s", "http": {"preferred_ip_protocol": "ip4",
                                                         "fail_if_body_not_matches_regexp": ["never"]}},
    "tcp": {"prober": "tcp", "timeout": "2s", "tcp": {"preferred_ip_protocol": "ip4"}},
}}  # fmt: skip
# Name: module, scheme, what the series tell, what the exporter's own words and the second look add.
CASES = {
    "fast": ("http", "http", "", "live-probe-passes"),
    "slow": ("http", "http", "probe-slow-success", "live-probe-passes"),
    "too slow": ("http", "http", "probe-app-silent", "live-tcp-connects live-app-silent"),
    "silent": ("http", "http", "probe-app-silent", "live-tcp-connects live-app-silent"),
    "never accepted": ("http", "http", "probe-app-silent", "live-tcp-connects live-app-silent"),
    "full queue": ("http", "http", "probe-transport-timeout", "live-dial-timeout"),
    "refused": ("http", "http", "probe-refused", "live-refused"),
    "reset": ("http", "http", "probe-dropped-by-app", "live-tcp-connects"),
    "eof": ("http", "http", "probe-dropped-by-app", "live-tcp-connects"),
    "slow body": ("http", "http", "probe-body-stall", "live-tcp-connects"),
    "503": ("http", "http", "probe-status-error probe-status-unavailable", "live-tcp-connects live-status-error"),
    "404": ("http", "http", "probe-status-error probe-status-missing", "live-tcp-connects live-status-error"),
    "401": ("http", "http", "probe-status-error probe-status-auth", "live-tcp-connects live-status-error"),
    "loop": ("http", "http", "probe-redirect-loop", "live-tcp-connects live-status-error"),
    "tls": ("http", "https", "probe-https probe-refused",
            "live-tcp-connects live-tls-fails live-tls-untrusted live-cert-unknown-authority"),
    "tls stall": ("http", "https", "probe-https probe-transport-timeout", "live-tcp-connects live-tls-fails"),
    "regex": ("regex", "http", "probe-content-mismatch", "live-tcp-connects"),
    "dns": ("http", "http", "probe-dns-absent", ""),
    # A process that never accepts passes a tcp probe: the kernel ends the handshake.
    "tcp": ("tcp", "tcp", "", "live-probe-passes"),
}  # fmt: skip


def target(name: str, broken: Faults) -> str:
    if name == "dns":
        return "http://no-such-host.invalid:80/"
    if name == "tcp":
        return f"127.0.0.1:{broken.ports['never accepted']}"
    return broken.url({"tls stall": "silent", "regex": "fast"}.get(name, name), CASES[name][1])


@dataclass(frozen=True)
class Watched:
    """Where the two programs are, since when they watch, and what is broken."""

    exporter: str
    prometheus: str
    since: datetime
    broken: Faults

    def look(self, name: str) -> tuple[dict[str, Finding], dict[str, Finding]]:
        """What the series tell of one case, and what a second look adds."""
        until = datetime.now(UTC).replace(microsecond=0)
        service = EntityRef(EntityKind.SERVICE, target(name, self.broken), "", "")
        declared = Connections(
            prometheus=[PrometheusDecl(name="main", url=self.prometheus)],
            blackbox=[BlackboxDecl(name="probes", prometheus="main", url=self.exporter,
                                   selector={"job": "blackbox", "case": name})],
        )  # fmt: skip
        alerts = tuple(replace(a, started_at=self.since) for a in scope().alerts)
        about = replace(
            scope(), entities=(service,), connections=declared, started_at=self.since, as_of=until, alerts=alerts
        )
        live = LiveTransports(declared)
        series, words = ({f.measure: f for f in run(check, Ask(about, live))} for check in (PHASES, LIVE))
        return series, words


@pytest.fixture(scope="module")
def watched(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Watched]:
    folder: Path = tmp_path_factory.mktemp("faults")
    with faults(folder) as broken, Stage() as stage:
        exporter, port = free_port(), free_port()
        stage.start("blackbox", ["prometheus-blackbox-exporter", f"--config.file={stage.write('bb.yml', MODULES)}",
                                 f"--web.listen-address=127.0.0.1:{exporter}"])  # fmt: skip
        stage.ready("blackbox", f"http://127.0.0.1:{exporter}/-/healthy")
        probes = [{"targets": [target(name, broken)], "labels": {"case": name, "module": module, "shown": target(name, broken)}}
                  for name, (module, *_) in CASES.items()]  # fmt: skip
        job = {"job_name": "blackbox", "metrics_path": "/probe", "scrape_interval": "4s", "scrape_timeout": "3500ms",
               "static_configs": probes, "relabel_configs": [
                   {"source_labels": ["__address__"], "target_label": "__param_target"},
                   {"source_labels": ["module"], "target_label": "__param_module"},
                   {"source_labels": ["shown"], "target_label": "instance"},
                   {"regex": "shown", "action": "labeldrop"},
                   {"target_label": "__address__", "replacement": f"127.0.0.1:{exporter}"}]}  # fmt: skip
        since = datetime.now(UTC).replace(microsecond=0)
        stage.start("prometheus", ["prometheus", f"--config.file={stage.write('p.yml', {'scrape_configs': [job]})}",
                                   f"--web.listen-address=127.0.0.1:{port}",
                                   f"--storage.tsdb.path={stage.folder / 'tsdb'}"])  # fmt: skip
        stage.ready("prometheus", f"http://127.0.0.1:{port}/-/ready")
        time.sleep(16)
        yield Watched(f"http://127.0.0.1:{exporter}", f"http://127.0.0.1:{port}", since, broken)


@pytest.mark.parametrize("name", CASES)
def test_a_defect_falls_into_its_class_and_the_exporters_log_adds_more(watched: Watched, name: str) -> None:
    series, words = watched.look(name)
    _, _, measures, added = CASES[name]
    assert seen(series) - {"probe-tcp-passes"} == set(measures.split()), [f.sentence for f in series.values()]
    assert seen(words) == set(added.split()), [f.sentence for f in words.values()]
