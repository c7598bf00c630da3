"""From what a server shows to the draft of a connections file: what is absent is named, nothing is invented. Pure."""

from collections import Counter
from collections.abc import Iterable
from urllib.parse import urlsplit

import msgspec

from connections.discovery import etcd
from connections.discovery.draft import Draft, Line, Table
from connections.discovery.etcd import ABOVE, ANY_NAME, SERVER
from connections.discovery.seen import KubernetesSeen, Sample, Seen, Target, cluster_label, series
from domain.connections import PrometheusDecl
from subjects.view import CLUSTER_LABELS

# Keys of access that are written as they were given.
ACCESS = (
    "bearer_file",
    "basic_user",
    "basic_password_file",
    "ca_file",
    "client_cert_file",
    "client_key_file",
    "headers",
)
PROBE_PATH = "/probe"


def draft(seen: Seen, access: PrometheusDecl, kubernetes: KubernetesSeen | None = None) -> Draft:
    """The tables for one server and, where a kubeconfig was given, its cluster."""
    found = [*_sources(seen), _server(seen, access), *etcd.tables(seen, kubernetes)]
    found += [*_blackboxes(seen), *_kubernetes(seen, kubernetes)]
    return Draft(found, [*_absent(seen, kubernetes), *seen.unanswered])


def _server(seen: Seen, access: PrometheusDecl) -> Table:
    version = f", version {seen.version}" if seen.version else ""
    lines = [Line("name", SERVER, note=ANY_NAME), Line("url", access.url, f"it answered{version}")]
    clusters = sorted({seen.cluster(s.labels) for s in seen.up} - {""})
    bare = [s for s in seen.up if not seen.cluster(s.labels)]
    remarks = []
    if clusters and not bare:
        lines.append(Line("clusters", clusters, _clusters_rest_on(seen)))
    elif clusters:
        jobs = ", ".join(sorted({s.labels.get("job", "") for s in bare})[:5])
        remarks.append(f"`clusters` is left out: series of {', '.join(clusters)} are there, and others without a "
                       f"cluster label (jobs {jobs}), which it answers for too")  # fmt: skip
    else:
        remarks.append(f"no cluster label ({', '.join(CLUSTER_LABELS[:5])} ...) on `up` and in global.external_labels; "
                       "this server answers for everything")  # fmt: skip
    given = msgspec.structs.asdict(access)
    lines += [Line(key, given[key], note="as given on the command line") for key in ACCESS if given[key]]
    return Table("prometheus", lines, remarks)


def _clusters_rest_on(seen: Seen) -> str:
    label = next((cluster_label(s.labels) for s in seen.up if cluster_label(s.labels)), "")
    return f"count by ({label}) (up)" if label else "global.external_labels of /api/v1/status/config"


def _sources(seen: Seen) -> list[Table]:
    """One source for each Alertmanager, by the server's own list or by its own series."""
    addresses = {base_of(url): "/api/v1/alertmanagers" for url in reversed(seen.alertmanagers)}
    for sample in seen.alertmanager_series:
        if (target := seen.target(sample.labels)) and target.url:
            where = series("alertmanager_build_info", sample.labels, "job", "instance")
            addresses.setdefault(base_of(target.url), f"{where}, scrapeUrl {target.url}")
    taken: set[str] = set()
    return [_source(url, addresses, seen, taken) for url in sorted(addresses)]


def _source(url: str, addresses: dict[str, str], seen: Seen, taken: set[str]) -> Table:
    host, where = urlsplit(url).hostname or "", addresses[url]
    name = etcd.unique("alertmanager" if len(addresses) == 1 else f"alertmanager-{host}", taken)
    lines = [
        Line("kind", "alertmanager", where),
        Line("name", name, note=f"{ANY_NAME}; it is part of the address that alerts are sent to"),
        Line("api_url", url, where),
    ]
    if label := _other_label(seen):
        lines.append(Line("cluster_label", label, f"count by ({label}) (up)"))
    remarks = ["`apply` makes its token and prints it once; the sources page shows the receiver for Alertmanager"]
    if len(addresses) > 1:
        remarks.append("replicas of one Alertmanager send by one configuration: keep one of them, leave out the others")
    return Table("source", lines, remarks)


def _other_label(seen: Seen) -> str:
    """The cluster label, where it is another than `cluster`."""
    labels = Counter(cluster_label(s.labels) or cluster_label(seen.external) for s in seen.up)
    labels.pop("", None)
    label = labels.most_common(1)[0][0] if labels else ""
    return label if label != CLUSTER_LABELS[0] and len(labels) == 1 else ""


def base_of(url: str) -> str:
    """The address of an Alertmanager without the path of its API or its metrics, and without credentials."""
    parts = urlsplit(url)
    path = parts.path
    for end in ("/api/v2/alerts", "/api/v1/alerts", "/metrics"):
        path = path.removesuffix(end)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{path.rstrip('/')}"


def _blackboxes(seen: Seen) -> list[Table]:
    """One exporter for each job and cluster with probe results."""
    taken: set[str] = set()
    found = _one_each(seen.probes)
    jobs = Counter(sample.labels.get("job", "") for sample in found)
    return [_blackbox(s, seen, taken, shared=jobs[s.labels.get("job", "")] > 1) for s in found]


def _one_each(samples: Iterable[Sample]) -> list[Sample]:
    """The first sample of each job and cluster, in order."""
    found: dict[tuple[str, str], Sample] = {}
    for sample in sorted(samples, key=lambda s: sorted(s.labels.items())):
        found.setdefault((sample.labels.get("job", ""), sample.labels.get(cluster_label(sample.labels), "")), sample)
    return [found[key] for key in sorted(found)]


def _blackbox(sample: Sample, seen: Seen, taken: set[str], shared: bool) -> Table:
    job, label = sample.labels.get("job", ""), cluster_label(sample.labels)
    selector = ({"job": job} if job else {}) | ({label: sample.labels[label]} if label and shared else {})
    where = series("probe_success", selector)
    name = etcd.unique("-".join(filter(None, (job, seen.cluster(sample.labels)))) or "blackbox", taken)
    lines = [Line("name", name, f"labels of {where}", ANY_NAME), Line("prometheus", SERVER, note=ABOVE)]
    if selector:
        lines.append(Line("selector", selector, f"{where}: {sample.value:.0f} series"))
    exporters = sorted({t.url.removesuffix(PROBE_PATH) for t in _probing(seen, job, selector)})
    remarks = []
    if len(exporters) == 1:
        lines.append(Line("url", exporters[0], "scrapeUrl of /api/v1/targets"))
    elif exporters:
        remarks.append(f"several exporters probe for this job: {', '.join(exporters)}; give the `url` of one")
    else:
        remarks.append("where the exporter is, is not known; with its `url` it is asked for its own words")
    return Table("blackbox", lines, remarks)


def _probing(seen: Seen, job: str, selector: dict[str, str]) -> list[Target]:
    """The job's targets that are scraped through an exporter's /probe."""
    fitting = [t for t in seen.targets or () if all(t.labels.get(k, "") == v for k, v in selector.items())]
    return [t for t in fitting if t.labels.get("job", "") == job and t.url.endswith(PROBE_PATH)]


def _kubernetes(seen: Seen, kubernetes: KubernetesSeen | None) -> list[Table]:
    """One table for each cluster with nodes or kubelets; the kubeconfig goes to the one whose nodes it lists."""
    nodes = _by_cluster(seen, seen.nodes)
    kubelets = _by_cluster(seen, seen.kubelets)
    known = sorted({*nodes, *kubelets})
    own = _cluster_of_file(kubernetes, nodes) if kubernetes else None
    taken: set[str] = set()
    made = []
    for cluster in known:
        remarks = _metrics_remarks(nodes.get(cluster, []), kubelets.get(cluster, []))
        file = kubernetes if cluster == own else None
        made.append(_cluster_table(cluster, file, remarks, taken))
    if kubernetes and own not in known:
        remark = "no node of the kubeconfig is a node of kube_node_info, so `name` is that of the kubeconfig; it must "
        made.append(
            _cluster_table("", kubernetes, [remark + "be the `cluster` label of its alerts: correct it"], taken)
        )
    return made


def _by_cluster(seen: Seen, samples: Iterable[Sample]) -> dict[str, list[Sample]]:
    found: dict[str, list[Sample]] = {}
    for sample in samples:
        found.setdefault(seen.cluster(sample.labels), []).append(sample)
    return found


def _cluster_of_file(kubernetes: KubernetesSeen, nodes: dict[str, list[Sample]]) -> str | None:
    """The cluster with the most nodes of the same name; None without one."""
    names = {node.name for node in kubernetes.nodes}
    shared = {cluster: len(names & {s.labels.get("node", "") for s in rows}) for cluster, rows in nodes.items()}
    best = max(sorted(shared), key=lambda cluster: shared[cluster], default=None)
    return best if best is not None and shared[best] else None


def _metrics_remarks(nodes: list[Sample], kubelets: list[Sample]) -> list[str]:
    remarks = []
    if nodes:
        remarks.append(f"kube-state-metrics: {len(nodes)} nodes, by {series('kube_node_info', nodes[0].labels, 'job')}")
    else:
        remarks.append("no kube-state-metrics: no series kube_node_info")
    jobs = ", ".join(sorted({s.labels.get("job", "") for s in kubelets}))
    remarks.append(
        f"kubelets: job {jobs}, by kubelet_node_name" if kubelets else "no kubelet: no series kubelet_node_name"
    )
    return remarks


def _cluster_table(cluster: str, kubernetes: KubernetesSeen | None, remarks: list[str], taken: set[str]) -> Table:
    wanted = cluster or (kubernetes.cluster if kubernetes else "") or "kubernetes"
    named = next(n for n in (wanted, *(f"{wanted}-{i}" for i in range(2, len(taken) + 3))) if n not in taken)
    taken.add(named)
    why = "the cluster of its series" if cluster else "the kubeconfig" if kubernetes and kubernetes.cluster else ""
    note = "" if cluster else f"no cluster label is known: {ANY_NAME}"
    lines = [Line("name", named, why, note), Line("prometheus", SERVER, note=ABOVE)]
    if kubernetes:
        zones = len({node.zone for node in kubernetes.nodes} - {""})
        lines.insert(1, Line("kubeconfig_file", kubernetes.file,
                             f"its API listed {len(kubernetes.nodes)} nodes in {zones} zones"))  # fmt: skip
        remarks = [*remarks, "its pods and events are watched and become a source of alerts, unless `watch = false`"]
    else:
        remarks = [*remarks, "without an API event texts and probe settings stay unknown; add kubeconfig_file"]
    return Table("kubernetes", lines, remarks)


def _absent(seen: Seen, kubernetes: KubernetesSeen | None) -> list[str]:
    """What was looked for in vain."""
    looked = (
        (seen.etcd, f"no etcd: no series {etcd.LEADER}"),
        (seen.probes, "no blackbox exporter: no series probe_success"),
        (seen.nodes, "no kube-state-metrics: no series kube_node_info"),
        (seen.kubelets, "no kubelet: no series kubelet_node_name"),
        (_sources(seen), "no Alertmanager: none in /api/v1/alertmanagers, no series alertmanager_build_info"),
        (kubernetes, "no Kubernetes API: no --kubeconfig was given"),
    )
    return [sentence for found, sentence in looked if not found]
