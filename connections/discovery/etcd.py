"""The etcd clusters that a server shows, with each member's address, zone and host as far as they are known. Pure."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from ipaddress import ip_address
from urllib.parse import urlsplit

from connections.discovery.draft import Line, Table
from connections.discovery.seen import KubernetesSeen, Sample, Seen, cluster_label, host_of, same_target, series

LEADER = "etcd_server_has_leader"
CLIENT_PORT = 2379
SERVER, ABOVE, ANY_NAME = "main", "the server above", "any name will do"
MEMBER_LABELS = ("member", "name", "etcd_member")
ZONE_LABELS = ("zone", "topology_kubernetes_io_zone", "availability_zone", "az", "failure_domain")
NODE_LABELS = ("node", "node_name", "nodename", "kubernetes_node")
# What service discovery knows before relabelling.
FOUND_ZONE = (
    "__meta_kubernetes_endpointslice_endpoint_zone", "__meta_kubernetes_node_label_topology_kubernetes_io_zone",
    "__meta_ec2_availability_zone", "__meta_gce_zone", "__meta_openstack_instance_availability_zone",
)  # fmt: skip
FOUND_NODE = ("__meta_kubernetes_pod_node_name", "__meta_kubernetes_endpoint_node_name", "__meta_kubernetes_node_name")
# kubeadm writes the client URL of its members there.
FOUND_CLIENT = "__meta_kubernetes_pod_annotation_kubeadm_kubernetes_io_etcd_advertise_client_urls"
ZONES_SHOWN = ("label_topology_kubernetes_io_zone", "label_failure_domain_beta_kubernetes_io_zone")
TIMEOUT_UNKNOWN = (
    "election_timeout_ms is not known from metrics: 1000 (etcd's default) counts unless you add it as etcd is started"
)


@dataclass(frozen=True, slots=True)
class Known:
    """A value and what it rests on; an empty value is not known."""

    value: str = ""
    rests_on: str = ""


@dataclass(slots=True)
class Member:
    """One member: its series, and what is known of it."""

    sample: Sample
    name: Known
    endpoint: Known
    zone: Known
    host: Known
    member_id: Known
    remarks: list[str] = field(default_factory=list)

    @property
    def instance(self) -> str:
        """Its `instance` label."""
        return self.sample.labels.get("instance", "")


@dataclass(slots=True)
class Found:
    """One etcd cluster: the series of one job with one cluster label, one for each instance."""

    job: str
    samples: list[Sample]
    selector: dict[str, str]

    @property
    def labels(self) -> Mapping[str, str]:
        """Those of its first series."""
        return self.samples[0].labels


def clusters(seen: Seen) -> list[Found]:
    """Every etcd cluster, in order of its cluster and job; a job that several clusters share is told by the label."""
    grouped: dict[tuple[str, str, str], dict[str, Sample]] = {}
    for sample in sorted(seen.etcd, key=lambda s: sorted(s.labels.items())):
        label = cluster_label(sample.labels)
        key = (label, sample.labels.get(label, ""), sample.labels.get("job", ""))
        if instance := sample.labels.get("instance"):
            grouped.setdefault(key, {}).setdefault(instance, sample)
    found = []
    for (label, cluster, job), samples in sorted(grouped.items()):
        shared = [key for key in grouped if key[2] == job]
        own = {label or _label_of(shared): cluster} if len(shared) > 1 else {}
        found.append(Found(job, list(samples.values()), ({"job": job} if job else {}) | own))
    return found


def _label_of(keys: Iterable[tuple[str, str, str]]) -> str:
    """The cluster label of those that have one: `label=""` selects the others."""
    return next(label for label, _, _ in keys if label)


def tables(seen: Seen, kubernetes: KubernetesSeen | None) -> list[Table]:
    """The [[etcd]] tables, each followed by its members; the same members scraped by a second job are a comment."""
    made: list[Table] = []
    ids: list[tuple[str, str, frozenset[str]]] = []
    names: set[str] = set()
    for found in clusters(seen):
        name = _name(found, seen, names)
        own = frozenset(filter(None, (_id(seen, sample).value for sample in found.samples)))
        cluster = seen.cluster(found.labels)
        # Only within one cluster: clusters that were set up alike by the same addresses have the same ids.
        twice = next((other for other, where, known in ids if own and own <= known and where == cluster), "")
        made += _written(found, seen, kubernetes, (name, twice))
        ids.append((name, cluster, own))
    return made


def _written(found: Found, seen: Seen, kubernetes: KubernetesSeen | None, named: tuple[str, str]) -> list[Table]:
    """Both tables of a cluster by the name `named[0]`; off when its members are those of `named[1]`."""
    members = [_member(sample, seen, kubernetes) for sample in found.samples]
    _give_own_names(members)
    head = _head(found, seen, named[0], members)
    rows = [_member_table(member) for member in members]
    if named[1]:
        head.remarks.insert(0, f"the same members as {named[1]}, by etcd_server_id: scraped twice, so left out here")
    for table in (head, *rows):
        table.off = table.off or bool(named[1])
    return [head, *rows]


def _name(found: Found, seen: Seen, taken: set[str]) -> str:
    """A name of letters, digits, - and _ that no other has: the job's, with its cluster."""
    job = found.job if "etcd" in found.job else f"etcd-{found.job}"
    return unique("-".join(part for part in (job, seen.cluster(found.labels)) if part), taken)


def unique(text: str, taken: set[str]) -> str:
    """`text` in letters, digits, - and _, with a number where that is taken; it is taken then."""
    plain = re.sub(r"[^A-Za-z0-9_-]+", "-", text).strip("-")[:70] or "unnamed"
    name = next(n for n in (plain, *(f"{plain}-{i}" for i in range(2, len(taken) + 3))) if n not in taken)
    taken.add(name)
    return name


def _head(found: Found, seen: Seen, name: str, members: list[Member]) -> Table:
    all_series = series(LEADER, found.selector)
    lines = [Line("name", name, f"labels of {all_series}", ANY_NAME)]
    if cluster := seen.cluster(found.labels):
        own = series(LEADER, found.labels, "job", cluster_label(found.labels))
        lines.append(Line("cluster", cluster, seen.cluster_series(found.labels, own)))
    lines.append(Line("prometheus", SERVER, note=ABOVE))
    if found.selector:
        lines.append(Line("selector", found.selector, f"{all_series}: {len(members)} series"))
    return Table("etcd", lines, [*_head_remarks(found, seen, members), TIMEOUT_UNKNOWN])


def _head_remarks(found: Found, seen: Seen, members: list[Member]) -> list[str]:
    remarks = []
    if versions := sorted({s.labels.get("cluster_version", "") for s in _own(found, seen.etcd_versions)} - {""}):
        remarks.append(f"etcd {', '.join(versions)}, by etcd_cluster_version")
    leading = [s.labels.get("instance", "") for s in _own(found, seen.etcd_leaders) if s.value == 1]
    if len(leading) > 1:
        remarks.append(f"{', '.join(leading)} all lead, by etcd_server_is_leader: these are several clusters; give "
                       "their targets a `cluster` label and discover again")  # fmt: skip
    if silent := silent_instances(found, seen):
        remarks.append(f"scraped by this job and silent now (up = 0): {', '.join(silent)}; add a member for each that "
                       "is one")  # fmt: skip
    if any(m.endpoint.value.startswith("https") for m in members):
        remarks.append("https: add ca_file, client_cert_file and client_key_file as the members demand them")
    if len(members) > 1 and not any(m.zone.value for m in members):
        remarks.append("no zone of a member is known; with `zone` a late path between zones is told from a late member")
    return remarks


def silent_instances(found: Found, seen: Seen) -> list[str]:
    """Instances of the cluster's job that are scraped in vain."""
    known = {s.labels.get("instance", "") for s in found.samples}
    return sorted({s.labels.get("instance", "") for s in _own(found, seen.etcd_scrapes) if not s.value} - known - {""})


def _own(found: Found, samples: Iterable[Sample]) -> list[Sample]:
    label = cluster_label(found.labels)
    wanted = {"job": found.job} | ({label: found.labels[label]} if label else {})
    return [s for s in samples if all(s.labels.get(k, "") == v for k, v in wanted.items())]


def _member(sample: Sample, seen: Seen, kubernetes: KubernetesSeen | None) -> Member:
    node = _node(sample, seen)
    endpoint, remarks = _endpoint(sample, seen)
    host = node if node.value else _machine(sample, seen, kubernetes)
    zone = _zone(sample, seen, host.value, kubernetes)
    return Member(sample, _member_name(sample, host), endpoint, zone, host, _id(seen, sample), remarks)


def _member_name(sample: Sample, host: Known) -> Known:
    for label in (*MEMBER_LABELS, "pod"):
        if value := sample.labels.get(label):
            return Known(value, series(LEADER, sample.labels, "job", "instance", label))
    if host.value:
        return host
    instance = sample.labels["instance"]
    return Known(host_of(instance), series(LEADER, sample.labels, "job", "instance"))


def _give_own_names(members: list[Member]) -> None:
    """Members of one name get their whole instance as their name."""
    names = [member.name.value for member in members]
    for member in members:
        if names.count(member.name.value) > 1:
            member.name = Known(member.instance, series(LEADER, member.sample.labels, "job", "instance"))


def _member_table(member: Member) -> Table:
    all_series = series(LEADER, member.sample.labels, "job", "instance")
    lines = [Line("name", member.name.value, member.name.rests_on)]
    keys = (("endpoint", member.endpoint), ("zone", member.zone), ("host", member.host),
            ("member_id", member.member_id))  # fmt: skip
    lines += [Line(key, known.value, known.rests_on) for key, known in keys if known.value]
    lines.insert(1, Line("instance", member.instance, all_series))
    return Table("etcd.member", lines, member.remarks, off=not member.endpoint.value)


def _endpoint(sample: Sample, seen: Seen) -> tuple[Known, list[str]]:
    """Where the member is scraped: etcd answers /health there too, also where that is not its client port."""
    target = seen.target(sample.labels)
    if target is None or not target.url:
        return _unlisted(sample.labels["instance"])
    parts = urlsplit(target.url)
    remarks = _port_remarks(parts.port, parts.path)
    if client := target.discovered.get(FOUND_CLIENT):
        remarks.append(f"its client URL, by the annotation of kubeadm: {client}; declare that one with ca_file, "
                       "client_cert_file and client_key_file, and its status and alarms are asked too")  # fmt: skip
    return Known(f"{parts.scheme}://{parts.netloc}", f"scrapeUrl {target.url} of /api/v1/targets"), remarks


def _port_remarks(port: int | None, path: str) -> list[str]:
    remarks = []
    if port != CLIENT_PORT:
        remarks.append(f"it is not known whether port {port} takes clients (usual: {CLIENT_PORT}) or serves metrics "
                       "alone: /health answers on both; correct the endpoint if clients use another port")  # fmt: skip
    if path not in {"/metrics", ""}:
        remarks.append(f"scraped at {path}, perhaps through a proxy; correct the endpoint if that is no member's own")
    return remarks


def _unlisted(instance: str) -> tuple[Known, list[str]]:
    """Without a list of targets the address can only be the instance, and only where that is one."""
    if not re.fullmatch(r"(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+):\d{1,5}", instance):
        return Known(), ["its address is not known: the server lists no target, and `instance` is no address; add "
                         "`endpoint` and take the comment signs away"]  # fmt: skip
    remark = "the server lists no target: whether it is http or https, and this very port, is not known; correct it"
    return Known(f"http://{instance}", "the `instance` label alone"), [remark]


def _id(seen: Seen, sample: Sample) -> Known:
    own = next((s for s in seen.etcd_ids if s.labels.get("server_id") and same_target(s.labels, sample.labels)), None)
    if own is None:
        return Known()
    return Known(own.labels["server_id"], series("etcd_server_id", own.labels, "job", "instance"))


def _node(sample: Sample, seen: Seen) -> Known:
    """The node by a label, by service discovery, or by the pod."""
    if label := next((n for n in NODE_LABELS if sample.labels.get(n)), ""):
        return Known(sample.labels[label], series(LEADER, sample.labels, "instance", label))
    target = seen.target(sample.labels)
    found = next((n for n in FOUND_NODE if target and target.discovered.get(n)), "")
    if target and found:
        return Known(target.discovered[found], f"{found} of /api/v1/targets")
    pod = (sample.labels.get("pod"), sample.labels.get("namespace"))
    for row in seen.pods:
        if pod[0] and (row.labels.get("pod"), row.labels.get("namespace")) == pod and row.labels.get("node"):
            return Known(row.labels["node"], series("kube_pod_info", row.labels, "namespace", "pod", "node"))
    return Known()


def _machine(sample: Sample, seen: Seen, kubernetes: KubernetesSeen | None) -> Known:
    """The machine with the instance's address: a node, a host of node_exporter, else the name in the instance."""
    address = host_of(sample.labels["instance"])
    for row in seen.nodes:
        if address in (row.labels.get("internal_ip"), row.labels.get("node")) and row.labels.get("node"):
            return Known(row.labels["node"], series("kube_node_info", row.labels, "node", "internal_ip"))
    for node in kubernetes.nodes if kubernetes else ():
        if address in (node.name, *node.addresses):
            return Known(node.name, f"node {node.name} of the Kubernetes API")
    for row in seen.machines:
        if host_of(row.labels.get("instance", "")) == address and row.labels.get("nodename"):
            return Known(row.labels["nodename"], series("node_uname_info", row.labels, "instance", "nodename"))
    if _is_address(address) or address == "localhost" or re.search(r"\.svc(\.|$)", address):
        return Known()
    return Known(address, series(LEADER, sample.labels, "job", "instance"))


def _is_address(text: str) -> bool:
    try:
        return bool(ip_address(text))
    except ValueError:
        return False


def _zone(sample: Sample, seen: Seen, node: str, kubernetes: KubernetesSeen | None) -> Known:
    if label := next((n for n in ZONE_LABELS if sample.labels.get(n)), ""):
        return Known(sample.labels[label], series(LEADER, sample.labels, "instance", label))
    target = seen.target(sample.labels)
    found = next((n for n in FOUND_ZONE if target and target.discovered.get(n)), "")
    if target and found:
        return Known(target.discovered[found], f"{found} of /api/v1/targets")
    for row in seen.node_zones if node else ():
        shown_as = next((n for n in ZONES_SHOWN if row.labels.get(n)), "")
        if row.labels.get("node") == node and shown_as:
            return Known(row.labels[shown_as], series("kube_node_labels", row.labels, "node", shown_as))
    own = next((n for n in kubernetes.nodes if n.name == node), None) if kubernetes else None
    return Known(own.zone, f"labels of node {node} in the Kubernetes API") if own and own.zone else Known()
