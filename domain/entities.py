"""The entities that alerts are about, and the relations between them."""

import re
from dataclasses import dataclass, replace
from enum import StrEnum

from domain.text import Text

# Column sizes of the record: of a name, and of a cluster or namespace as it is encoded in a key.
NAME_MOST, PART_MOST = 253, 100


class EntityKind(StrEnum):
    """The second labels of an Entity node; the value is the label.

    A Workload is what runs pods, whatever its kind. A Volume is a claim within its namespace, or a volume without one.
    An Object is any other object of Kubernetes, its name as `horizontalpodautoscaler/cart`.
    """

    CLUSTER = "Cluster"
    ZONE = "Zone"
    HOST = "Host"
    WORKLOAD = "Workload"
    POD = "Pod"
    ETCD_CLUSTER = "EtcdCluster"
    ETCD_MEMBER = "EtcdMember"
    SERVICE = "Service"
    NAMESPACE = "Namespace"
    VOLUME = "Volume"
    OBJECT = "Object"


KIND_NAMES = {
    EntityKind.CLUSTER: Text("cluster"),
    EntityKind.ZONE: Text("zone"),
    EntityKind.HOST: Text("host"),
    EntityKind.WORKLOAD: Text("workload"),
    EntityKind.POD: Text("pod"),
    EntityKind.ETCD_CLUSTER: Text("etcd cluster"),
    EntityKind.ETCD_MEMBER: Text("etcd member"),
    EntityKind.SERVICE: Text("service"),
    EntityKind.NAMESPACE: Text("namespace"),
    EntityKind.VOLUME: Text("volume"),
    EntityKind.OBJECT: Text("Kubernetes object"),
}


class RelationKind(StrEnum):
    """How one entity depends on another; read as `start KIND end`."""

    RUNS_ON = "RUNS_ON"
    PART_OF = "PART_OF"
    MEMBER_OF = "MEMBER_OF"
    IN_ZONE = "IN_ZONE"
    DEPENDS_ON = "DEPENDS_ON"


@dataclass(frozen=True, slots=True, order=True)
class EntityRef:
    """One entity by its canonical identity. `aliases` are its other names."""

    kind: EntityKind
    name: str
    cluster: str = ""
    namespace: str = ""
    aliases: tuple[str, ...] = ()

    @property
    def key(self) -> str:
        """Stable identity, e.g. `Pod/prod-a/shop/cart-7d9f`; empty parts stay as empty segments.

        A slash within cluster or namespace is written `%2F`; the name comes last and stays as it is.
        """
        return f"{self.kind}/{_part(self.cluster)}/{_part(self.namespace)}/{self.name}"

    def bounded(self) -> "EntityRef":
        """Cut to the record's column sizes, as the labels of a sender may be longer."""
        cluster, namespace = (_whole(_part(text)[:PART_MOST]) for text in (self.cluster, self.namespace))
        return replace(self, name=self.name[:NAME_MOST], cluster=cluster, namespace=namespace)

    @classmethod
    def from_key(cls, key: str) -> "EntityRef":
        """The entity of a key. Raises ValueError for a text that is not `kind/cluster/namespace/name`."""
        kind, cluster, namespace, name = key.split("/", 3)
        return cls(EntityKind(kind), name, _whole(cluster), _whole(namespace))


def _part(text: str) -> str:
    """Encode only what `from_key` would misread, so most parts stay as they are."""
    return re.sub("/|%(?=2F|25)", lambda found: "%2F" if found[0] == "/" else "%25", text)


def _whole(part: str) -> str:
    return re.sub("%(2F|25)", lambda found: "/" if found[1] == "2F" else "%", part)


def named(key: str) -> Text:
    """The entity of a key in words, e.g. `etcd member etcd2`."""
    ref = EntityRef.from_key(key)
    kind = KIND_NAMES[ref.kind]
    return Text("{kind} {name}", kind=kind, name=ref.name)


@dataclass(frozen=True, slots=True, order=True)
class Relation:
    """`start` depends on `end`; both are entity keys."""

    start: str
    kind: RelationKind
    end: str
