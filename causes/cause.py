"""What a cause is: one declarative entry whose weights are log-likelihood ratios."""

import re
from collections import Counter
from dataclasses import dataclass, field
from enum import StrEnum

from causes.families import family
from domain.entities import EntityKind
from domain.text import Text

LAYER_NAMES = {
    "network": Text("network"),
    "application": Text("application"),
    "probe settings": Text("probe settings"),
    "start": Text("start"),
    "shutdown": Text("shutdown"),
    "infrastructure": Text("infrastructure"),
    "change": Text("change"),
    "no-fault": Text("no fault"),
    "unknown": Text("unknown"),
}
LAYERS = tuple(LAYER_NAMES)
PLACEHOLDERS = frozenset({"value", "limit", "subject", "unit"})
# One witness never decides alone: e^4 is about 55 to 1.
WEIGHT_BOUND = 4.0
NOTHING = Text("")


class Symptom(StrEnum):
    """The kinds of trouble a cause can explain; a cause competes only where its symptom was alerted."""

    ETCD = "etcd"
    PROBE = "probe"
    NODE = "node"
    API_SERVER = "api-server"


class Condition(StrEnum):
    """When a term speaks for its cause. OVER and UNDER compare the finding's value with the term's limit."""

    SEEN = "seen"
    NOT_SEEN = "not_seen"
    OVER = "over"
    UNDER = "under"


@dataclass(frozen=True, slots=True)
class Term:
    """One measure's weight for a cause, in nats: `weight_for` > 0 when the condition holds, `weight_against` <= 0
    when it does not, nothing when the measure is unknown.

    Of all terms with one `group` only the strongest counts: two readings of one measurement are one witness.
    Without a group it is the measure's family (`causes.families`).
    Texts say what the outcome means; the finding's own sentence, with its value, goes before them.
    Raises ValueError when inconsistent.
    """

    measure: str
    weight_for: float
    text_for: Text
    weight_against: float = 0.0
    text_against: Text = NOTHING
    condition: Condition = Condition.SEEN
    limit: float | None = None
    group: str = ""

    def __post_init__(self) -> None:
        _slug(self.measure)
        _sentence(self.text_for, self.measure)
        if not 0 < self.weight_for <= WEIGHT_BOUND or not -WEIGHT_BOUND <= self.weight_against <= 0:
            raise ValueError(f"{self.measure}: weights must lie within {WEIGHT_BOUND} nats")
        if self.weight_against:
            _sentence(self.text_against, self.measure)
        if (self.condition in (Condition.OVER, Condition.UNDER)) != (self.limit is not None):
            raise ValueError(f"{self.measure}: a limit belongs to over and under, and only to them")

    @property
    def counted_as(self) -> str:
        """The measurement this term is a reading of."""
        return self.group or family(self.measure)

    @property
    def span(self) -> float:
        """How much an answer can move the score, in nats."""
        return self.weight_for - self.weight_against


@dataclass(frozen=True, slots=True)
class Exclusion:
    """Rules a cause out when `measure` came out as `seen`, and every one of `also` came out as it says."""

    measure: str
    sentence: Text
    seen: bool = True
    also: tuple[tuple[str, bool], ...] = ()

    def __post_init__(self) -> None:
        _sentence(self.sentence, self.measure)
        for measure, _ in self.conditions:
            _slug(measure)

    @property
    def conditions(self) -> tuple[tuple[str, bool], ...]:
        """All (measure, outcome) pairs that must hold together."""
        return ((self.measure, self.seen), *self.also)


@dataclass(frozen=True, slots=True)
class Cause:
    """One thing that could be wrong. `prior` is its log-odds against `unknown` before anything was looked at.

    `about` is the kind of thing that is guilty. `weights_from` says what the weights rest on: a recorded fault, a
    vendor's guidance, or judgement. `may_follow` names the kinds of things below whose fault explains this one when
    it came first. `needs` are the witnesses of which one at least must speak for it before it is named; what else
    speaks for it is circumstance. `contributes_to` names causes that this one makes worse or more frequent without
    being their rival. `no_fault` marks causes that mean that nothing is broken. `change_kinds` limits a cause to
    incidents with a change of such a kind. Raises ValueError when inconsistent, so a wrong file cannot be imported.
    """

    slug: str
    layer: str
    title: Text
    symptoms: frozenset[Symptom]
    prior: float
    terms: tuple[Term, ...]
    next_steps: tuple[Text, ...]
    references: tuple[str, ...]
    weights_from: str
    about: EntityKind = EntityKind.POD
    exclusions: tuple[Exclusion, ...] = ()
    needs: frozenset[str] = frozenset()
    may_follow: frozenset[EntityKind] = frozenset()
    contributes_to: frozenset[str] = frozenset()
    no_fault: bool = False
    change_kinds: frozenset[str] = field(default_factory=frozenset)

    def __post_init__(self) -> None:
        _slug(self.slug)
        _sentence(self.title, self.slug)
        if self.layer not in LAYERS:
            raise ValueError(f"{self.slug}: layer {self.layer!r} is not one of {', '.join(LAYERS)}")
        if not -6.0 <= self.prior <= 0.0:
            raise ValueError(f"{self.slug}: prior {self.prior} is outside -6..0")
        if not self.symptoms or not self.terms or not self.next_steps or not self.references:
            raise ValueError(f"{self.slug}: symptoms, terms, next steps and references must not be empty")
        if not self.weights_from.strip():
            raise ValueError(f"{self.slug}: weights_from must say what the weights rest on")
        self._check_terms()
        for step in self.next_steps:
            _given(step, self.slug)

    def _check_terms(self) -> None:
        twice = [m for m, n in Counter(t.measure for t in self.terms).items() if n > 1]
        if twice:
            raise ValueError(f"{self.slug}: more than one term for {', '.join(twice)}")
        if self.needs - {t.measure for t in self.terms}:
            raise ValueError(f"{self.slug}: it needs a witness that none of its terms reads")
        if self.layer == "no-fault" and not self.no_fault:
            raise ValueError(f"{self.slug}: a cause of layer no-fault must say no_fault=True")

    @property
    def measures(self) -> frozenset[str]:
        """Every measure that this cause reads."""
        excluding = {m for e in self.exclusions for m, _ in e.conditions}
        return frozenset({t.measure for t in self.terms} | excluding)


def _slug(text: str) -> None:
    if not re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", text):
        raise ValueError(f"{text!r} is not a slug of lower case words joined by hyphens")


def _given(text: Text, where: str) -> None:
    if not text.en.strip():
        raise ValueError(f"{where}: a sentence must be given")


def _sentence(text: Text, where: str) -> None:
    """Refuses a missing sentence, or a placeholder that nothing fills."""
    _given(text, where)
    if unknown := text.placeholders - PLACEHOLDERS:
        raise ValueError(f"{where}: unknown placeholders {sorted(unknown)}")
