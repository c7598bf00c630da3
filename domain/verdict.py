"""The verdict: ranked causes, each a checkable sum of terms."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from domain.similar import SimilarIncident
from domain.text import Text


class VerdictState(StrEnum):
    """Ranked, unknown for lack of evidence, or no fault found."""

    RANKED = "ranked"
    UNKNOWN = "unknown"
    NO_FAULT = "no_fault"


class Role(StrEnum):
    """A ranked cause's relation to the first one: the same, contributes to it, follows from it, or competes with it."""

    PRIMARY = "primary"
    CONTRIBUTING = "contributing"
    CONSEQUENCE = "consequence"
    ALTERNATIVE = "alternative"


class Outcome(StrEnum):
    """Whether one term supports its cause."""

    FOR = "for"
    AGAINST = "against"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class TermResult:
    """One evaluated term; `weight` is the log-likelihood ratio that was added (0 when unknown)."""

    measure: str
    outcome: Outcome
    weight: float
    sentence: Text
    query: str = ""
    from_: datetime | None = None
    to: datetime | None = None
    value: float | None = None
    unit: str = ""
    limit: float | None = None
    connection: str = ""
    why_unknown: Text | None = None


@dataclass(frozen=True, slots=True)
class RankedCause:
    """One cause at its position (1 is the first). All probabilities plus `unknown` sum to 1.

    `entity` is the key of the entity at fault, empty when none is known. `consequences` are the symptoms that a
    primary cause explains.
    """

    cause: str
    layer: str
    title: Text
    position: int
    probability: float
    terms: tuple[TermResult, ...]
    next_steps: tuple[Text, ...] = ()
    role: Role = Role.ALTERNATIVE
    entity: str = ""
    consequences: tuple[Text, ...] = ()


@dataclass(frozen=True, slots=True)
class RuledOut:
    """A cause that the evidence excludes, and why."""

    cause: str
    sentence: Text


@dataclass(frozen=True, slots=True)
class Verdict:
    """The service's verdict on an incident as of one time.

    `input_hash` is `sha256:<hex>` over scope and findings. `tell_apart` is what would separate the first two causes.
    `next_question` is the open question whose answer would decide most, None when no question is open or the ranking
    is clear.
    """

    incident: str
    revision: int
    state: VerdictState
    headline: Text
    as_of: datetime
    causes: tuple[RankedCause, ...]
    unknown_probability: float
    ruled_out: tuple[RuledOut, ...]
    missing: tuple[Text, ...]
    similar: tuple[SimilarIncident, ...]
    ranker_name: str
    ranker_version: str
    input_hash: str
    tell_apart: tuple[Text, ...] = ()
    next_question: Text | None = None
