"""Things that alerts are about, and how they hang together."""

from dataclasses import dataclass
from enum import StrEnum


class EntityKind(StrEnum):
    """The second labels of an Entity node; the value is the label."""

    CLUSTER = "Cluster"
    ZONE = "Zone"
    HOST = "Host"
    WORKLOAD = "Workload"
    POD = "Pod"
    ETCD_CLUSTER = "EtcdCluster"
    ETCD_MEMBER = "EtcdMember"
    SERVICE = "Service"


class RelationKind(StrEnum):
    """How one entity hangs on another; read as `start KIND end`."""

    RUNS_ON = "RUNS_ON"
    PART_OF = "PART_OF"
    MEMBER_OF = "MEMBER_OF"
    IN_ZONE = "IN_ZONE"
    DEPENDS_ON = "DEPENDS_ON"


@dataclass(frozen=True, slots=True, order=True)
class EntityRef:
    """One thing by its canonical identity. `aliases` are other names that mean the same thing."""

    kind: EntityKind
    name: str
    cluster: str = ""
    namespace: str = ""
    aliases: tuple[str, ...] = ()

    @property
    def key(self) -> str:
        """Stable identity, e.g. `Pod/prod-a/shop/cart-7d9f`; empty parts stay as empty segments."""
        return f"{self.kind}/{self.cluster}/{self.namespace}/{self.name}"


@dataclass(frozen=True, slots=True, order=True)
class Relation:
    """`start` hangs on `end`, both given by entity key."""

    start: str
    kind: RelationKind
    end: str
