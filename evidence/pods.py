"""Which pods and services an incident is about, and the series that speak of them."""

from datetime import timedelta

from domain.entities import EntityKind, EntityRef
from domain.errors import Refused
from domain.scope import Scope
from evidence.checks.check import Ask
from evidence.clients.prometheus import Answered, Line, matcher

# A probe fails several times before the alert fires, and the rule has its own `for`.
LEAD = timedelta(minutes=5)


def about_probes(scope: Scope) -> bool:
    """Whether a pod, a workload or a service is concerned."""
    return any(scope.of_kind(kind) for kind in (EntityKind.POD, EntityKind.WORKLOAD, EntityKind.SERVICE))


def pod(scope: Scope) -> EntityRef:
    """The first pod of the incident. Raises Refused when no alert names one."""
    pods = scope.of_kind(EntityKind.POD)
    if not pods:
        raise Refused("no alert of the incident names a pod; keep the `pod` and `namespace` labels in the alert")
    return pods[0]


def ask_pod(ask: Ask, metrics: str, extra: str = "") -> Answered:
    """All named series of the incident's pod. Raises Refused when there are none."""
    target = pod(ask.scope)
    labels = {"pod": target.name} | ({"namespace": target.namespace} if target.namespace else {})
    answered = ask_any(ask, f'{{__name__=~"{metrics}",{matcher(labels)}{extra}}}')
    if not answered.lines:
        raise Refused(f"Prometheus has no such series of pod {target.namespace}/{target.name} in the window")
    return answered


def ask_any(ask: Ask, query: str) -> Answered:
    """A range query to the server that answers for the incident. Raises Refused when none is declared."""
    server = ask.prometheus()
    if server is None:
        raise Refused("no declared Prometheus answers for this cluster; declare it with [[prometheus]]")
    return ask.range(server, query)


def onset_ms(scope: Scope) -> int:
    """Epoch ms from which on the fault may show."""
    return round((scope.started_at - LEAD).timestamp() * 1000)


def end_ms(scope: Scope) -> int:
    """Epoch ms of `as_of`."""
    return round(scope.as_of.timestamp() * 1000)


def named(answered: Answered, metric: str) -> list[Line]:
    """The lines of one metric, in order."""
    return [line for line in answered.lines if line.labels.get("__name__") == metric]
