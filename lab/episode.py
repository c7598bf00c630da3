"""Episodes: a fault on a stage, its true cause, and parameters that are drawn from a seed."""

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from domain.connections import Connections
from domain.scope import ChangeRef


class Draw(random.Random):
    """Draws parameters. `number` is the seed, for choices that exactly half of the seeds must get."""

    number: int = 0


@dataclass(frozen=True)
class Truth:
    """What was really broken, as the lab broke it; `cause` is empty if the catalogue has no such cause.

    `accept` are all slugs that count as right, best first: those of true neighbours, of causes that the catalogue has
    not got yet, and "unknown" where it is right to say so. Without it only `cause` is right.
    """

    cause: str
    entity: str
    source: str = "the lab, which made the fault"
    accept: tuple[str, ...] = ()


@dataclass
class Setting:
    """The state of the stage after a fault was played: the input of the recording.

    `changes` are the deploys and configuration changes that people would have reported. `namespace` is the namespace of
    an episode on a shared node; its deliveries and its lists of the Kubernetes API are selected by it. `end` ends the
    fault; it is called after all checks have asked, so that live answers still show the fault. With `reporters` only
    deliveries of those sources, as (kind, name), belong to it, with `since` only those that came after, and those with
    the text `strange` do not.
    """

    connections: Connections
    truth: Truth
    notes: list[str] = field(default_factory=list)
    changes: tuple[ChangeRef, ...] = ()
    namespace: str = ""
    end: Callable[[], None] = lambda: None
    reporters: frozenset[tuple[str, str]] = frozenset()
    since: datetime | None = None
    strange: str = ""


@dataclass(frozen=True)
class Episode:
    """One declaration. `play(stage, sink, draw)` builds what it needs, makes the fault and waits for the alert.

    `cause` is the slug of the true cause, which the Setting of `play` must have too; `family` groups related faults for
    the figures. All sizes, names, limits, loads and times are drawn from `draw`, which follows from (name, seed).
    An episode with `node` is played on a node that it shares with others and gets a NodePool instead of a Stage.
    With `alone` it does not share the node, as its fault affects all of it, and may set the node up by `wishes`.
    With `in_field` the node is the field stage's, and `accept` are all slugs that count as right.
    """

    name: str
    title: str
    play: Callable[[Any, Any, Draw], Setting]
    cause: str = ""
    family: str = ""
    on_disk: bool = False
    node: bool = False
    alone: bool = False
    wishes: dict[str, int] = field(default_factory=dict)
    in_field: bool = False
    accept: tuple[str, ...] = ()

    @property
    def stage(self) -> str:
        """The kind of stage that a bundle names."""
        if self.in_field:
            return "real kubelet, upstream software, published rules"
        return "real kubelet" if self.node else "real etcd"


def drawing(name: str, seed: int) -> Draw:
    """The source of an episode's parameters: the same for the same declaration and seed, on every machine."""
    draw = Draw(f"{name}/{seed}")
    draw.number = seed
    return draw
