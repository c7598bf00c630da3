"""What an episode is: a fault on a stage, with its truth and with parameters that follow from a seed."""

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from domain.connections import Connections
from domain.scope import ChangeRef


class Draw(random.Random):
    """Draws parameters. `number` is the seed: what half of the seeds must get goes by it, not by luck."""

    number: int = 0


@dataclass(frozen=True)
class Truth:
    """What was really broken, because the lab broke it. Empty `cause` means nothing was."""

    cause: str
    entity: str
    said_by: str = "the lab, which made the fault"


@dataclass
class Setting:
    """What stands on the stage when a fault has been played: input of the recording.

    `changes` are the deploys and configuration changes that people would know of. `namespace` is where an episode on a
    shared node took place; its deliveries and its lists of the Kubernetes API are picked by it. `end` ends the fault:
    it is called when everybody has looked, so that a live witness sees what the alert saw.
    """

    connections: Connections
    truth: Truth
    notes: list[str] = field(default_factory=list)
    changes: tuple[ChangeRef, ...] = ()
    namespace: str = ""
    end: Callable[[], None] = lambda: None


@dataclass(frozen=True)
class Episode:
    """One declaration. `play(stage, sink, draw)` builds what it needs, makes the fault, waits for the alert.

    `cause` is the slug of the truth, which `play` must say as well; `family` groups related faults for the figures.
    `draw` follows from (name, seed): sizes, names, limits, load and times come from it and from nothing else.
    An episode with `node` plays on a node that it shares with others and gets a NodePool instead of a bare Stage;
    with `alone` it has the node for itself, since its fault hits the whole of it, and may set it up by `wishes`.
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

    @property
    def stage(self) -> str:
        """What a bundle says it was recorded on."""
        return "real kubelet" if self.node else "real etcd"


def drawing(name: str, seed: int) -> Draw:
    """The source of an episode's parameters: the same for the same declaration and seed, on every machine."""
    draw = Draw(f"{name}/{seed}")
    draw.number = seed
    return draw
