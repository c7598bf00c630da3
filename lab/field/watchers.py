"""Prometheus servers and Alertmanagers as kube-prometheus-stack sets them up: its jobs, labels, rules and waits."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from lab.field.targets import Discovery
from lab.stage.monitoring import Monitoring
from lab.stage.node import TOKEN, Node
from lab.stage.programs import Stage, free_port

CLUSTER, OTHER_CLUSTER, TWIN = "prod", "prod-west", "--west"
BLACKBOX_JOB, TEAM_JOB = "blackbox", "blackbox-team"
RELEASE, HASH = "kps", "6f664bc8c4-5lwq6"
RULES = Path(__file__).parent / "rules"
TOKEN_OVER_TLS = {
    "scheme": "https", "tls_config": {"insecure_skip_verify": True}, "authorization": {"credentials": TOKEN},
}  # fmt: skip
# What the stack's ServiceMonitor drops of cAdvisor's series.
DROPPED = (
    "container_cpu_(cfs_throttled_seconds_total|load_average_10s|system_seconds_total|user_seconds_total)|"
    "container_fs_(io_current|io_time_seconds_total|io_time_weighted_seconds_total|reads_merged_total|"
    "sector_reads_total|sector_writes_total|writes_merged_total)|container_memory_(mapped_file|swap)|"
    "container_(file_descriptors|tasks_state|threads_max)|container_spec.*"
)
FEWER = "apiserver_request_(slo|body|sli).*|apiserver_(admission|watch|storage|response).*|etcd_request.*bucket"


@dataclass(frozen=True)
class Watcher:
    """One Prometheus with its Alertmanager; `name` is the source that it sends as."""

    name: str
    monitoring: Monitoring
    tsdb: Path


def name_of(every_s: int, *, central: bool = False) -> str:
    """The name of the server that scrapes so often, or so often for two clusters."""
    return f"{'central' if central else 'prod'}-{every_s}"


def start(stage: Stage, discovery: Discovery, scraped: list[dict[str, Any]], name: str, sink: str) -> Watcher:
    """Start both; alerts go to `sink` after the stack's own waits. The name ends with the scrape interval."""
    every_s = int(name.rpartition("-")[2])
    alertmanager = _alertmanager(stage, name, sink)
    port, tsdb = free_port(), stage.folder / f"tsdb-{name}"
    config = {
        "global": {"scrape_interval": f"{every_s}s", "scrape_timeout": f"{min(every_s - 1, 10)}s",
                   "evaluation_interval": f"{min(every_s, 30)}s"},
        "rule_files": [str(path) for path in sorted(RULES.glob("*.yaml"))],
        "alerting": {"alertmanagers": [{"static_configs": [{"targets": [alertmanager.removeprefix("http://")]}]}]},
        "scrape_configs": [*scraped, _others(discovery.others_of(name))],
    }  # fmt: skip
    stage.start(f"prometheus-{name}", [
        "prometheus", f"--config.file={stage.write(f'prometheus-{name}.yml', config)}", "--web.enable-lifecycle",
        f"--web.listen-address=127.0.0.1:{port}", f"--storage.tsdb.path={tsdb}",
        "--web.external-url=http://prometheus.example:9090/", "--web.route-prefix=/",
    ])  # fmt: skip
    stage.ready(f"prometheus-{name}", f"http://127.0.0.1:{port}/-/ready")
    return Watcher(name, Monitoring(f"http://127.0.0.1:{port}", alertmanager), tsdb)


def of_two_clusters(scraped: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The jobs as a central server has them: with a `cluster` label, and two clusters that share names.

    The stage has one node. A namespace whose name ends with `TWIN` stands for that without the ending in the other
    cluster; its series get the other cluster's label and the shared name.
    """
    split: list[dict[str, Any]] = [
        {"target_label": "cluster", "replacement": CLUSTER},
        {"source_labels": ["namespace"], "regex": f".+{TWIN}", "target_label": "cluster", "replacement": OTHER_CLUSTER},
        {"source_labels": ["namespace"], "regex": f"(.+){TWIN}", "target_label": "namespace"},
    ]
    return [
        {**job, **{key: [*job.get(key, []), *steps] for key, steps in (
            ("relabel_configs", split), ("metric_relabel_configs", split[1:]),
        )}}
        for job in scraped
    ]  # fmt: skip


def rule_names() -> set[str]:
    """The names of all alerts of the rules."""
    files = [yaml.safe_load(path.read_text()) for path in sorted(RULES.glob("*.yaml"))]
    return {rule["alert"] for file in files for group in file["groups"] for rule in group["rules"]}


def _alertmanager(stage: Stage, name: str, sink: str) -> str:
    port = free_port()
    config = {
        "route": {"receiver": "hook", "group_by": ["namespace", "cluster"], "group_wait": "30s", "group_interval": "5m",
                  "repeat_interval": "12h", "routes": [{"receiver": "null", "matchers": ['alertname = "Watchdog"']}]},
        "receivers": [{"name": "null"}, {"name": "hook", "webhook_configs": [{"url": sink, "send_resolved": True}]}],
    }  # fmt: skip
    stage.start(f"alertmanager-{name}", [
        "prometheus-alertmanager", f"--config.file={stage.write(f'alertmanager-{name}.yml', config)}",
        f"--web.listen-address=127.0.0.1:{port}", "--cluster.listen-address=",
        f"--storage.path={stage.folder / f'am-{name}'}", "--web.external-url=http://alertmanager.example:9093/",
        "--web.route-prefix=/",
    ])  # fmt: skip
    stage.ready(f"alertmanager-{name}", f"http://127.0.0.1:{port}/-/ready")
    return f"http://127.0.0.1:{port}"


def jobs(node: Node, discovery: Discovery, exporter: int) -> list[dict[str, Any]]:
    """What is scraped, with the labels that the stack's ServiceMonitors and Probes give."""
    address = _address_of(node)
    kubelet = {"namespace": "kube-system", "service": f"{RELEASE}-kubelet", "endpoint": "https-metrics",
               "instance": f"{address}:10250", "node": node.name}  # fmt: skip
    state = f"{RELEASE}-kube-state-metrics"
    kube_state = {"namespace": "monitoring", "service": state, "pod": f"{state}-{HASH}", "endpoint": "http",
                  "container": "kube-state-metrics", "instance": "10.42.1.28:8080"}  # fmt: skip
    return [
        *(_job("kubelet", node.kubelet_port, {**kubelet, "metrics_path": path}, metrics_path=path,
               metric_relabel_configs=_dropping(DROPPED))
          for path in ("/metrics", "/metrics/cadvisor", "/metrics/probes")),
        _job("kube-state-metrics", node.metrics_port, kube_state),
        _job("apiserver", int(node.api.rpartition(":")[2]),
             {"namespace": "default", "service": "kubernetes", "endpoint": "https", "instance": f"{address}:6443"},
             metric_relabel_configs=_dropping(FEWER), **TOKEN_OVER_TLS),
        _service_monitors(discovery.monitors), _probes(discovery.probes, exporter),
    ]  # fmt: skip


def _job(name: str, port: int, labels: dict[str, str], **more: Any) -> dict[str, Any]:
    """One job of one target; what an exporter says of others has precedence over its own labels."""
    path = str(more.get("metrics_path", "")).replace("/", "-")
    relabel = [{"target_label": "job", "replacement": name}]
    target = {"targets": [f"127.0.0.1:{port}"], "labels": labels}
    return {"job_name": f"{name}{path}", "honor_labels": True, "static_configs": [target], "relabel_configs": relabel,
            **more}  # fmt: skip


def _dropping(names: str) -> list[dict[str, Any]]:
    return [{"source_labels": ["__name__"], "regex": names, "action": "drop"}]


def _service_monitors(url: str) -> dict[str, Any]:
    """Pods with an exporter, by HTTP discovery, as ServiceMonitors with their labels."""
    return {"job_name": "serviceMonitors", "http_sd_configs": [{"url": url, "refresh_interval": "15s"}],
            "relabel_configs": [{"source_labels": ["service"], "target_label": "job"}]}  # fmt: skip


def _others(url: str) -> dict[str, Any]:
    """Targets with all their labels."""
    return {"job_name": "others", "http_sd_configs": [{"url": url, "refresh_interval": "10s"}]}


def _probes(url: str, exporter: int) -> dict[str, Any]:
    """Probe objects: static targets with the labels that Prometheus' operator gives."""
    return {
        "job_name": "probes", "metrics_path": "/probe", "http_sd_configs": [{"url": url, "refresh_interval": "15s"}],
        "relabel_configs": [
            {"source_labels": ["__address__"], "target_label": "__param_target"},
            {"source_labels": ["__meta_module"], "target_label": "__param_module"},
            {"source_labels": ["__param_target"], "target_label": "instance"},
            {"target_label": "job", "replacement": BLACKBOX_JOB},
            {"target_label": "__address__", "replacement": f"127.0.0.1:{exporter}"},
            {"source_labels": ["__meta_prober"], "regex": "(.+)", "target_label": "__address__",
             "replacement": "127.0.0.1:${1}"},
            {"source_labels": ["__meta_prober"], "regex": ".+", "target_label": "job", "replacement": TEAM_JOB},
        ],
    }  # fmt: skip


def _address_of(node: Node) -> str:
    """The node's internal address, as its kubelet reports it."""
    addresses = node.call("GET", f"/api/v1/nodes/{node.name}")["status"]["addresses"]
    return next(str(one["address"]) for one in addresses if one["type"] == "InternalIP")


def modules(authority: str) -> dict[str, Any]:
    """The exporter's modules, as its chart has them; https targets must show a certificate of `authority`."""
    http = {"preferred_ip_protocol": "ip4", "valid_http_versions": ["HTTP/1.1", "HTTP/2.0"],
            "follow_redirects": True, "tls_config": {"ca_file": authority}}  # fmt: skip
    return {"modules": {
        "http_2xx": {"prober": "http", "timeout": "5s", "http": http},
        "tcp_connect": {"prober": "tcp", "timeout": "5s", "tcp": {"preferred_ip_protocol": "ip4"}},
    }}  # fmt: skip
