"""What an episode is: a fault on a stage, with its truth."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from domain.connections import Connections


@dataclass(frozen=True)
class Truth:
    """What was really broken, because the lab broke it. Empty `cause` means nothing was."""

    cause: str
    entity: str
    said_by: str = "the lab, which made the fault"


@dataclass
class Setting:
    """What stands on the stage when a fault has been played: input of the recording."""

    connections: Connections
    truth: Truth
    notes: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Episode:
    """One declaration. `play(stage, sink)` builds the stage, makes the fault, waits for the alert."""

    name: str
    title: str
    play: Callable[[Any, Any], Setting]
    on_disk: bool = False
