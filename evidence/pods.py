"""Which pods and services an incident is about, and the series that speak of them."""

import re
from dataclasses import dataclass
from datetime import datetime

from domain import workloads
from domain.entities import EntityKind, EntityRef
from domain.errors import NotRecorded, Refused
from domain.scope import Scope
from domain.text import Text
from evidence.check import Ask
from evidence.clients.prometheus import Answered, Line, escape, matcher

HOST = re.compile(r"(?:[a-z]+://)?([a-z0-9.-]+)")
OWNERS = (EntityKind.POD, EntityKind.WORKLOAD, EntityKind.SERVICE)
# More pods than this in one incident add nothing new, and a pattern has to end somewhere.
MOST = 30
STATUS = "kube_pod_container_status_"
POD_STATE = (
    f"{STATUS}(restarts_total|last_terminated_reason|last_terminated_exitcode|ready|running)|kube_pod_created|"
    "kube_pod_deletion_timestamp|kube_pod_container_state_started|kube_pod_start_time"
)
MORE_STEP_S = 15
MORE = (
    "prober_probe_duration_seconds_(bucket|sum|count)",
    "kube_pod_container_status_waiting_reason",
    "kube_pod_info",
    "kube_pod_created",
    "go_sync_mutex_wait_total_seconds_total",
    "go_sql_.*",
    "hikaricp_connections(_active|_max|_pending)?",
    "pgxpool_(acquired|max|total)_conns",
    "http_client_(request_)?duration_seconds_(sum|count)",
    "http_client_request_duration_seconds_(sum|count)",
    "http_client_requests_total",
    "grpc_client_handling_seconds_(sum|count)",
    "http_server_(request_)?duration_seconds_(sum|count)",
    "grpc_server_handling_seconds_(sum|count)",
    "http_request_duration_seconds_(sum|count)",
)
AROUND = (
    "kube_deployment_status_condition",
    "kube_deployment_status_replicas(_available|_unavailable)?",
    "kube_statefulset_status_replicas_ready",
    "kube_replicaset_created",
    "kube_replicaset_owner",
    "kube_replicaset_spec_replicas",
    "kube_endpoint_address(_available|_not_ready)?",
    "kube_endpointslice_endpoints",
)


def about_probes(scope: Scope) -> bool:
    """Whether a pod, a workload or a service is concerned."""
    return any(scope.of_kind(kind) for kind in OWNERS)


def ask_pods(ask: Ask, metrics: str, extra: str = "") -> Answered:
    """All named series of the incident's pods. Raises Refused when there are none."""
    pods = ask.scope.of_kind(EntityKind.POD)
    matched = one_matcher(pods[0]) if len(pods) == 1 else pods_matcher(ask.scope)
    try:
        answered = ask_any(ask, f'{{__name__=~"{metrics}",{matched}{extra}}}')
    except NotRecorded:
        if len(pods) < 2:
            raise
        # Incidents that were recorded before several pods were asked know the first one's series.
        matched = one_matcher(pods[0])
        answered = ask_any(ask, f'{{__name__=~"{metrics}",{matched}{extra}}}')
    if not answered.lines:
        raise Refused(Text("Prometheus has no such series of {selector} in the window", selector=matched))
    return answered


def one_matcher(pod: EntityRef) -> str:
    """`namespace="..",pod=".."` of one pod."""
    return matcher({"pod": pod.name} | ({"namespace": pod.namespace} if pod.namespace else {}))


def pods_matcher(scope: Scope) -> str:
    """`namespace="..",pod=~".."` of the incident's pods, or of all pods of its workload. Raises Refused without any."""
    first = next((e for kind in OWNERS for e in scope.of_kind(kind)), None)
    if first is None:
        raise Refused(Text("no alert of the incident names a pod or a workload; keep those labels in the alert"))
    names = "|".join(sorted({re.escape(e.name) for e in scope.of_kind(EntityKind.POD)})[:MOST])
    pattern = names or f"{re.escape(service_name(first))}(-[a-z0-9]+){{1,2}}"
    where = f'namespace="{escape(first.namespace)}",' if first.namespace else ""
    return f'{where}pod=~"{escape(pattern)}"'


def more_query(scope: Scope) -> str:
    """The one query of `ask_more`."""
    return f'{{__name__=~"{"|".join(MORE)}",{pods_matcher(scope)}}}'


def ask_more(ask: Ask) -> Answered:
    """What several checks want to know of the pods, in one query that is sent once. Raises Refused when empty."""
    answered = ask_any(ask, more_query(ask.scope), step_s=MORE_STEP_S)
    if not answered.lines:
        raise Refused(Text("Prometheus has no such series of the incident's pods in the window"))
    return answered


def ask_namespace(ask: Ask) -> Answered:
    """Deployments, replica sets and endpoints of the incident's namespace, in one query that is sent once."""
    return ask_any(ask, f'{{__name__=~"{"|".join(AROUND)}",namespace="{escape(namespace(ask.scope))}"}}', step_s=15)


@dataclass(frozen=True, slots=True)
class Place:
    """A node and the addresses by which its own series may call it."""

    node: str
    addresses: tuple[str, ...] = ()


def places(ask: Ask) -> tuple[Place, ...]:
    """The nodes that the incident is about or that its pods run on, in order. Raises Refused when none is known."""
    found = {e.name: set(e.aliases) for e in ask.scope.of_kind(EntityKind.HOST)}
    for alert in ask.scope.alerts:
        if node := alert.labels.get("node"):
            found.setdefault(node, set())
    if not found and about_probes(ask.scope):
        for line in named(ask_more(ask), "kube_pod_info"):
            if node := line.labels.get("node"):
                found.setdefault(node, set()).add(line.labels.get("host_ip", ""))
    if not found:
        raise Refused(
            Text("it is not known on which node the pods run; kube-state-metrics tells it with kube_pod_info")
        )
    return tuple(Place(name, tuple(sorted(found[name] - {""}))) for name in sorted(found))


def namespace(scope: Scope) -> str:
    """The namespace of the incident's pod, workload or service. Raises Refused when no alert names one."""
    found = next((e.namespace for kind in OWNERS for e in scope.of_kind(kind) if e.namespace), "")
    if not found:
        raise Refused(Text("no alert of the incident names a namespace; keep the `namespace` label in the alert"))
    return found


def workload(scope: Scope) -> str:
    """The workload's name: as an alert gives it, else from the pod's name, else the service's; empty if none."""
    named_so = scope.of_kind(EntityKind.WORKLOAD)
    if named_so:
        return named_so[0].name
    pods = scope.of_kind(EntityKind.POD)
    services = scope.of_kind(EntityKind.SERVICE)
    return workload_of(pods[0].name) if pods else service_name(services[0]) if services else ""


def service_name(entity: EntityRef) -> str:
    """The name; of a target in the cluster's own domain, such as http://cart.shop.svc:8080/, that of its Service."""
    host = HOST.match(entity.name)
    first, _, domain = (host[1] if host else "").partition(".")
    inside = bool(entity.namespace) and domain.partition(".")[0] == entity.namespace
    return first if inside else entity.name


def is_ours(scope: Scope, pod_name: str) -> bool:
    """Whether a pod is one of the incident's: named by an alert, or of the workload that one names."""
    pods = {e.name for e in scope.of_kind(EntityKind.POD)}
    return pod_name in pods if pods else bool(pod_name) and workload_of(pod_name) == workload(scope)


def workload_of(pod_name: str, namespace: str = "") -> str:
    """What owns a pod, by the form of its name; the name itself for a pod that no controller named."""
    return workloads.workload_of(pod_name, namespace) or pod_name


def keys(scope: Scope) -> set[str]:
    """Keys of what the incident is about: its entities, what they hang on, and the workloads that own its pods."""
    owners = (EntityRef(EntityKind.WORKLOAD, workload_of(pod.name), pod.cluster, pod.namespace)
              for pod in scope.of_kind(EntityKind.POD))  # fmt: skip
    return {e.key for e in scope.entities} | {r.end for r in scope.relations} | {owner.key for owner in owners}


def ask_any(ask: Ask, query: str, step_s: int = 5, start: datetime | None = None) -> Answered:
    """A range query to the server that answers for the incident. Raises Refused when none is declared."""
    server = ask.prometheus()
    if server is None:
        raise Refused(Text("no declared Prometheus answers for this cluster; declare it with [[prometheus]]"))
    return ask.range(server, query, start, step_s)


def by_pod(answered: Answered) -> list[Answered]:
    """The lines of each pod by themselves, in order of the pods' names."""
    pods = sorted({line.labels.get("pod", "") for line in answered.lines})
    return [Answered(tuple(x for x in answered.lines if x.labels.get("pod", "") == pod)) for pod in pods]


def named(answered: Answered, metric: str) -> list[Line]:
    """The lines of one metric, in order."""
    return [line for line in answered.lines if line.labels.get("__name__") == metric]
