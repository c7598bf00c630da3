"""Does the service have any ready endpoint?"""

from collections.abc import Iterable, Iterator
from itertools import pairwise

from lightkube.models.discovery_v1 import Endpoint, EndpointSlice

from domain.errors import Refused
from domain.findings import Item
from domain.text import Text
from evidence.check import Ask, Charted, Check, Measure, MeasureResult, chart, either
from evidence.clients.kubernetes import of
from evidence.clients.prometheus import Line
from evidence.onset import end_ms, onset_ms
from evidence.pods import about_probes, ask_namespace, named, namespace, workload, workload_of

SERVICE = "kubernetes.io/service-name"
AVAILABLE = ("kube_deployment_status_replicas_available", "kube_statefulset_status_replicas_ready")


def _collect(ask: Ask) -> dict[str, MeasureResult]:
    """By the metrics, which cover the window; else by the API, which shows the present only."""
    return {"endpoints-none-ready": either(ask, _measured, _listed)}


def _measured(ask: Ask) -> MeasureResult:
    answered = ask_namespace(ask)
    own = workload(ask.scope)
    lines = [line for name in AVAILABLE for line in named(answered, name) if own in _names(line)]
    window = onset_ms(ask.scope), end_ms(ask.scope)
    values = [value for line in lines for value in line.between(*window)]
    if not values:
        raise Refused(Text("kube-state-metrics tells nothing of the replicas of {workload}", workload=own))
    # Before its first replica is there a workload starts; without one at all it never did.
    never_available = not any(values)
    lost_last = any(before > 0 and after == 0 for before, after in pairwise_of(lines, window))
    gone = never_available or lost_last
    yes = Text("{workload} had no available replica for a time, so its service had no ready endpoint.", workload=own)
    no = Text("{workload} did not lose its last available replica.", workload=own)
    return MeasureResult(gone, yes if gone else no, min(values), 0, own, series=chart(lines, lambda _: "available"))


def pairwise_of(lines: Iterable[Line], window: tuple[int, int]) -> Iterator[tuple[float, float]]:
    """Each value with the one after it, within the window."""
    for line in lines:
        yield from pairwise(line.between(*window))


def _names(line: Line) -> set[str]:
    return {line.labels.get("deployment", ""), line.labels.get("statefulset", "")} - {""}


def _listed(ask: Ask) -> MeasureResult:
    where = namespace(ask.scope)
    slices = ask.kubernetes(of("apis/discovery.k8s.io/v1", where, "endpointslices")).endpoint_slices(where)
    ready: dict[str, int] = {}
    for service, good in _endpoints(slices, workload(ask.scope)):
        ready[service] = ready.get(service, 0) + good
    if not ready:
        raise Refused(Text("no service of the namespace has the incident's pods behind it"))
    bare = sorted(name for name, count in ready.items() if not count)
    yes = Text("No endpoint of {services} is ready now.", services=", ".join(bare))
    no = Text("Every service of these pods has a ready endpoint now.")
    items = tuple(Item(name, float(count), exceeds=not count) for name, count in sorted(ready.items()))
    return MeasureResult(bool(bare), yes if bare else no, float(min(ready.values())), 0, ", ".join(bare), items=items)


def _endpoints(slices: Iterable[EndpointSlice], own: str) -> Iterator[tuple[str, int]]:
    """Service and 1 for each ready endpoint, 0 for each other one, of the services of that workload.

    Each slice gives one 0 for its service first, so that a service without endpoints is there too.
    """
    for found in slices:
        service = _service_of(found)
        endpoints = found.endpoints or []
        if not service:
            continue
        if service != own and own not in {_workload_behind(endpoint) for endpoint in endpoints}:
            continue
        yield service, 0
        for endpoint in endpoints:
            yield service, int(_is_ready(endpoint))


def _service_of(found: EndpointSlice) -> str:
    labels = (found.metadata.labels or {}) if found.metadata else {}
    return str(labels.get(SERVICE, ""))


def _workload_behind(endpoint: Endpoint) -> str:
    pod = endpoint.targetRef.name if endpoint.targetRef else None
    return workload_of(pod or "")


def _is_ready(endpoint: Endpoint) -> bool:
    """An endpoint without a readiness counts as ready: so does Kubernetes."""
    return endpoint.conditions is None or endpoint.conditions.ready is not False


REPLICAS = Charted(Text("available replicas"))
CHECK = Check(
    "endpoints",
    Text("Is any endpoint ready?"),
    (Measure("endpoints-none-ready", Text("Was no endpoint ready?"), "endpoints", charted=REPLICAS),),
    about_probes,
    _collect,
    needs=("prometheus", "kubernetes api"),
    cost=2,
    metrics=("|".join(AVAILABLE),),
)
