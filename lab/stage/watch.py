"""Scrape jobs and alerting rules of a monitored node: everything that a check may ask for afterwards."""

from typing import Any

from lab.stage.monitoring import rule
from lab.stage.node import TOKEN, Node

CLUSTER = "prod-a"
PROBE_TIMEOUT_S = 3
PODS = "namespace, pod"
RULES = [
    rule("PodProbeFailing",
         'sum by (cluster, namespace, pod, probe_type) (increase(prober_probe_total{result="failed"}[20s])) > 1.2',
         "the kubelet's {{ $labels.probe_type }} probe of {{ $labels.namespace }}/{{ $labels.pod }} fails"),
    rule("ProbeDown", 'max by (cluster, namespace, pod) (probe_success{module="http_2xx"} == bool 0) > 0',
         "{{ $labels.namespace }}/{{ $labels.pod }} does not answer the blackbox probe", hold="5s"),
    rule("PodRestarting",
         "sum by (cluster, namespace, pod) (increase(kube_pod_container_status_restarts_total[40s])) > 0.9",
         "{{ $labels.namespace }}/{{ $labels.pod }} restarted"),
    rule("TargetDown", 'max by (cluster, namespace, pod) (up{job="pods"} == bool 0) > 0',
         "{{ $labels.namespace }}/{{ $labels.pod }} cannot be scraped", hold="8s"),
    rule("RequestsSlow",
         "sum by (cluster, namespace, pod) (rate(http_request_duration_seconds_sum[20s]))"
         " / sum by (cluster, namespace, pod) (rate(http_request_duration_seconds_count[20s])) > 0.5",
         "requests to {{ $labels.namespace }}/{{ $labels.pod }} take more than 0.5 s on average", hold="6s"),
    rule("TrafficHigh",
         'sum by (cluster, namespace, pod) (rate(http_requests_total{route="/work"}[20s])) > 60',
         "{{ $labels.namespace }}/{{ $labels.pod }} gets more than 60 requests a second", hold="6s"),
    rule("ProbeSlow", 'max by (cluster, namespace, pod) (probe_duration_seconds{strict="yes"}) > 0.015',
         "the probe of {{ $labels.namespace }}/{{ $labels.pod }} took more than 15 ms"),
    rule("NodeNotReady", 'max by (cluster, node) (kube_node_status_condition{condition="Ready",status="true"}) == 0',
         "node {{ $labels.node }} is not ready", hold="3s", severity="critical"),
    rule("NodePressure",
         'max by (cluster, node, condition) (kube_node_status_condition{condition=~".*Pressure",status="true"}) == 1',
         "node {{ $labels.node }} has {{ $labels.condition }}", hold="3s"),
    rule("ApiServerSlow",
         "histogram_quantile(0.9, sum by (cluster, node, le) (rate(apiserver_request_duration_seconds_bucket"
         '{verb!~"WATCH|CONNECT",subresource!="proxy"}[30s]))) > 0.8',
         "the API server on {{ $labels.node }}: P90 is above 0.8 s", hold="5s"),
    rule("ApiServerErrors",
         'sum by (cluster, node) (rate(apiserver_request_total{code=~"429|5.."}[20s]))'
         " / sum by (cluster, node) (rate(apiserver_request_total[20s])) > 0.1",
         "more than a tenth of the API server's answers are errors", hold="5s"),
]  # fmt: skip
API_SERVER = (
    "apiserver_request_(total|duration_seconds_.*|terminations_total)|apiserver_current_inflight_requests|"
    "apiserver_flowcontrol_rejected_requests_total|etcd_request_(duration_seconds_.*|errors_total)|"
    "process_(start_time_seconds|cpu_seconds_total)|go_goroutines|up"
)
CADVISOR = (
    "container_(cpu_.*|memory_(working_set_bytes|usage_bytes|rss|failcnt|max_usage_bytes)|spec_.*|oom_events_total|"
    "start_time_seconds|network_.*_(errors|packets_dropped)_total|processes|threads)|machine_.*"
)
STORE = "etcd_(server|disk|network|mvcc_db|debugging_mvcc_db).*|grpc_server_handled_total|process_.*|up"


def jobs(node: Node, finder: str, exporter: int, counters: int) -> list[dict[str, Any]]:
    """Scrape jobs of the whole node; pods and probe targets come from the finder."""
    kubelet = {"port": node.kubelet_port, "node": node.name}
    return [
        _job("kubelet", **kubelet, every="8s"),
        _job("kubelet-probes", **kubelet, every="2s", metrics_path="/metrics/probes"),
        _job("cadvisor", **kubelet, every="3s", keep=CADVISOR, metrics_path="/metrics/cadvisor"),
        _job("kube-state-metrics", node.metrics_port, node.name, every="2s"),
        _job("node", counters, node.name, every="3s"),
        _job("apiserver", int(node.api.rpartition(":")[2]), node.name, every="4s", keep=API_SERVER, scheme="https",
             authorization={"credentials": TOKEN}, tls_config={"insecure_skip_verify": True}),
        _job("etcd", node.store, node.name, every="4s", keep=STORE),
        _pods(finder), _blackbox(finder, exporter, "http_2xx"), _blackbox(finder, exporter, "tcp_connect"),
    ]  # fmt: skip


def _job(name: str, port: int, node: str, *, every: str, keep: str = "", **more: Any) -> dict[str, Any]:
    target = {"targets": [f"127.0.0.1:{port}"], "labels": {"cluster": CLUSTER, "instance": node, "node": node}}
    kept = [{"source_labels": ["__name__"], "regex": keep, "action": "keep"}] if keep else []
    return {"job_name": name, "honor_labels": True, "static_configs": [target], "scrape_interval": every,
            "scrape_timeout": "1900ms", "metric_relabel_configs": kept, **more}  # fmt: skip


def _found(finder: str, port_name: str) -> dict[str, Any]:
    """Discovery of pods by the finder, with the labels that the checks use."""
    return {
        "http_sd_configs": [{"url": f"{finder}{port_name}", "refresh_interval": "2s"}],
        "relabel_configs": [
            {"target_label": "cluster", "replacement": CLUSTER},
            {"source_labels": ["__meta_lab_strict"], "target_label": "strict"},
        ],
    }


def _pods(finder: str) -> dict[str, Any]:
    return {"job_name": "pods", "scrape_interval": "2s", "scrape_timeout": "1900ms", **_found(finder, "metrics")}


def _blackbox(finder: str, exporter: int, module: str) -> dict[str, Any]:
    """One module for all pods that are annotated with what to probe."""
    found = _found(finder, "http")
    whole = module == "http_2xx"
    path = ["__meta_lab_scheme", "__address__", "__meta_lab_path"] if whole else ["__address__"]
    target = {"regex": "(.+);(.+);(.+)", "replacement": "${1}://${2}${3}"} if whole else {}
    found["relabel_configs"] += [
        {"source_labels": ["__meta_lab_host"], "regex": "(.+)", "target_label": "__address__"},
        {"source_labels": path, "target_label": "__param_target", **target},
        {"target_label": "__param_module", "replacement": module},
        {"target_label": "module", "replacement": module},
        {"target_label": "job", "replacement": "blackbox"},
        {"source_labels": ["__param_target"], "target_label": "instance"},
        {"target_label": "__address__", "replacement": f"127.0.0.1:{exporter}"},
    ]
    return {"job_name": f"blackbox-{module}", "metrics_path": "/probe", "scrape_interval": "4s",
            "scrape_timeout": "3900ms", **found}  # fmt: skip


def modules(authority: str) -> dict[str, Any]:
    """The exporter's modules; https targets must show a certificate of the lab's own authority."""
    trust = {"ca_file": authority, "server_name": "service.lab.example"}
    http = {"preferred_ip_protocol": "ip4", "tls_config": trust}
    timeout = f"{PROBE_TIMEOUT_S}s"
    return {"modules": {
        "http_2xx": {"prober": "http", "timeout": timeout, "http": http},
        "tcp_connect": {"prober": "tcp", "timeout": timeout, "tcp": {"preferred_ip_protocol": "ip4"}},
    }}  # fmt: skip
