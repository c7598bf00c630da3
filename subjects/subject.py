"""What goes into the decision about an alert's subject, and what comes out."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from domain.alerts import NOTHING_NAMES_IT, Family, ParsedAlert
from domain.entities import EntityRef
from domain.text import Text


@dataclass(frozen=True, slots=True)
class Sent:
    """An alert as its sender wrote it. `sender` is the kind of its source; `url` may hold the rule's expression."""

    sender: str
    name: str
    title: str
    labels: Mapping[str, str]
    annotations: Mapping[str, str] = field(default_factory=dict)
    url: str = ""


@dataclass(frozen=True, slots=True)
class Subject:
    """What the alert is about.

    `ref` is None when nothing names it. `others` are entities that the alert names beside it, like the node of a pod.
    `reporter` is who only reports it, empty when nobody else does. `decided_by` is the rule or label that decided.
    `names_from` is the statement by which the aliases are names of their entities, None when nobody made one.
    """

    ref: EntityRef | None
    family: Family
    reporter: str = ""
    decided_by: Text = NOTHING_NAMES_IT
    others: tuple[EntityRef, ...] = ()
    names_from: Text | None = None

    @property
    def entities(self) -> tuple[EntityRef, ...]:
        """The subject and the others, each once, those with a name."""
        found = (self.ref, *self.others) if self.ref else self.others
        return tuple(dict.fromkeys(ref for ref in found if ref.name))

    def of(self, alert: ParsedAlert) -> ParsedAlert:
        """The alert as one about this subject."""
        return replace(
            alert, entities=self.entities, subject=self.ref, family=self.family, reporter=self.reporter,
            decided_by=self.decided_by, names_from=self.names_from,
        )  # fmt: skip
