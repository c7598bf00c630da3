"""What an alert of the Kubernetes watcher is about: a workload, a pod, a member of etcd, or a node. Pure."""

from domain.alerts import Family
from domain.entities import EntityKind, EntityRef
from domain.text import Text
from domain.workloads import static_pod
from ingest.events.kinds import clearest
from ingest.events.message import MOST_PODS, NODE, STATIC_POD, EventGroupMessage
from subjects.subject import Subject

OWNER = Text("Kubernetes's owner reference")
OBJECT = Text("the object of Kubernetes's event")
NODES_OWN = Text("a static pod: Kubernetes's owner reference is its node")
QUOTA = "exceeded quota"


def subject_of(message: EventGroupMessage, family: Family) -> Subject:
    """The subject of a message whose kind of failure is of that family; nobody else reports it."""
    kind, name, cluster = message.workload.kind, message.workload.name, message.cluster
    if kind == NODE and not message.namespace:
        ref = EntityRef(EntityKind.HOST, name, cluster)
        return Subject(ref, Family.NODE, "", OBJECT, (ref,))
    if static := _static_pod(message):
        return _of_component(message, static[0], static[1], family)
    if message.failure == "FailedCreate" and QUOTA in clearest(message.messages):
        family = Family.CAPACITY
    pod = kind == "Pod"
    ref = EntityRef(EntityKind.POD if pod else EntityKind.WORKLOAD, name, cluster, message.namespace)
    return Subject(ref, family, "", OBJECT if pod else OWNER, _with_pods(ref, message))


def _with_pods(ref: EntityRef, message: EventGroupMessage) -> tuple[EntityRef, ...]:
    """The subject with its pods, and of an eviction the node, if it is one."""
    names = (pod.name for pod in message.pods[:MOST_PODS] if pod.name)
    pods = [EntityRef(EntityKind.POD, name, ref.cluster, message.namespace) for name in names]
    nodes = {pod.node for pod in message.pods} - {""}
    hosts = [EntityRef(EntityKind.HOST, name, ref.cluster) for name in nodes] if message.reason == "Evicted" else []
    return tuple(dict.fromkeys((*pods, ref, *(hosts if len(hosts) == 1 and not message.more_pods else ()))))


def _static_pod(message: EventGroupMessage) -> tuple[str, str] | None:
    """Name and node of a static pod; of messages from before they were known as such, where they name one pod."""
    kind, name = message.workload.kind, message.workload.name
    node = message.pods[0].node if message.pods else ""
    if kind == STATIC_POD:
        return name, node
    if kind == NODE and len(message.pods) == 1 and not message.more_pods:
        return message.pods[0].name, node or name
    return (name, node) if kind == "Pod" and static_pod(name, message.namespace) else None


def _of_component(message: EventGroupMessage, pod: str, node: str, family: Family) -> Subject:
    """A component of the control plane; a static pod of etcd is a member of it, known by its pod and by its node."""
    component, node = _component(pod, message.namespace, node)
    cluster, namespace = message.cluster, message.namespace
    if component == "etcd":
        ref = EntityRef(EntityKind.ETCD_MEMBER, pod, cluster, "", (node,) if node else ())
        return Subject(ref, Family.ETCD, "", NODES_OWN, (ref,))
    if family is not Family.PROBE:
        family = Family.API_SERVER if component == "kube-apiserver" else Family.CONTROL_PLANE
    ref = EntityRef(EntityKind.WORKLOAD, component, cluster, namespace)
    return Subject(ref, family, "", NODES_OWN, _with_pods(ref, message))


def _component(pod: str, namespace: str, node: str) -> tuple[str, str]:
    """Component and node: a static pod is named after both, its node in lower case."""
    ending = f"-{node.lower()}"
    if node and pod.lower().endswith(ending) and len(pod) > len(ending):
        return pod[: -len(ending)], node
    return static_pod(pod, namespace) or (pod, node)
