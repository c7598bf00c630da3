"""What a cause is: one declarative entry whose weights are log-likelihood ratios."""

import re
from collections import Counter
from collections.abc import Iterable, Mapping
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
# One term never decides alone: e^4 is about 55 to 1.
WEIGHT_BOUND = 4.0
# The lowest prior, in nats.
LOWEST_PRIOR = -6.0
NO_SENTENCE = Text("")


class Symptom(StrEnum):
    """The kinds of failure a cause can explain; a cause competes only where its symptom was alerted."""

    ETCD = "etcd"
    PROBE = "probe"
    NODE = "node"
    API_SERVER = "api-server"


class Condition(StrEnum):
    """When a term supports its cause. OVER and UNDER compare the finding's value with the term's limit."""

    SEEN = "seen"
    NOT_SEEN = "not_seen"
    OVER = "over"
    UNDER = "under"


@dataclass(frozen=True, slots=True)
class Term:
    """One measure's weights for a cause, in nats.

    `supports`, 0 to 4 and not 0, is added when the condition `when` holds; `opposes`, -4 to 0, when it does not.
    Nothing is added when the measure is unknown. Of all terms with one `group` only the strongest counts, because
    two readings of one measurement are one observation. Without a group it is the measure's family
    (`causes.families`). Raises ValueError for a weight out of range, or a limit without OVER or UNDER.
    """

    measure: str
    supports: float
    opposes: float = 0.0
    when: Condition = Condition.SEEN
    limit: float | None = None
    group: str = ""

    def __post_init__(self) -> None:
        _check_slug(self.measure)
        if not 0 < self.supports <= WEIGHT_BOUND or not -WEIGHT_BOUND <= self.opposes <= 0:
            raise ValueError(f"{self.measure}: weights must lie within {WEIGHT_BOUND} nats")
        if (self.when in (Condition.OVER, Condition.UNDER)) != (self.limit is not None):
            raise ValueError(f"{self.measure}: a limit belongs to over and under, and only to them")

    @property
    def counted_as(self) -> str:
        """The measurement this term is a reading of."""
        return self.group or family(self.measure)

    @property
    def span(self) -> float:
        """How much an answer can move the score, in nats."""
        return self.supports - self.opposes


@dataclass(frozen=True, slots=True)
class Sentences:
    """What a term's outcome means for its cause; the finding's own sentence, with its value, goes before it.

    `supports` is shown when the term's condition holds, `opposes` when it does not.
    """

    supports: Text
    opposes: Text = NO_SENTENCE


@dataclass(frozen=True, slots=True)
class Exclusion:
    """Rules a cause out when every measure of `when` was seen (True) or looked for and not seen (False).

    Raises ValueError without a measure or without a sentence.
    """

    when: Mapping[str, bool] = field(hash=False)
    sentence: Text

    def __post_init__(self) -> None:
        if not self.when:
            raise ValueError("an exclusion names at least one measure")
        for measure in self.when:
            _check_slug(measure)
            _check_sentence(self.sentence, measure)


@dataclass(frozen=True, slots=True)
class Cause:
    """One fault that an incident can have, or one reason why there is none.

    `prior` is its log-odds against `unknown` before any finding, -6 to 0 nats. `weights_from` names what the weights
    rest on: a recorded fault, a vendor's guidance, or judgement. `about` is the kind of entity that is the culprit.
    `needs` are the measures of which at least one must support the cause before it is named. `may_follow` names the
    kinds of lower entities whose fault explains this cause when that fault came first. `contributes_to` names causes
    that this one makes worse or more frequent without being their rival. `narrows` is the slug of a wider cause of
    which this is one kind: where the wider one is true, this one is right too. `no_fault` marks causes that mean that
    nothing is broken. `change_kinds` limits a cause to incidents with a change of such a kind, or in which all
    measures of `proven_by` were seen: what the cluster itself proves needs no posted change. `sentences` has one entry
    per term, by measure.

    Raises ValueError when inconsistent, so a wrong file cannot be imported.
    """

    slug: str
    layer: str
    title: Text
    symptoms: frozenset[Symptom]
    prior: float
    terms: tuple[Term, ...]
    sentences: Mapping[str, Sentences] = field(hash=False)
    next_steps: tuple[Text, ...]
    references: tuple[str, ...]
    weights_from: str
    about: EntityKind = EntityKind.POD
    exclusions: tuple[Exclusion, ...] = ()
    needs: frozenset[str] = frozenset()
    may_follow: frozenset[EntityKind] = frozenset()
    contributes_to: frozenset[str] = frozenset()
    narrows: str = ""
    no_fault: bool = False
    change_kinds: frozenset[str] = frozenset()
    proven_by: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        _check_slug(self.slug)
        _check_sentence(self.title, self.slug)
        if self.layer not in LAYERS:
            raise ValueError(f"{self.slug}: layer {self.layer!r} is not one of {', '.join(LAYERS)}")
        if self.layer == "no-fault" and not self.no_fault:
            raise ValueError(f"{self.slug}: a cause of layer no-fault must set no_fault=True")
        if not LOWEST_PRIOR <= self.prior <= 0.0:
            raise ValueError(f"{self.slug}: prior {self.prior} is outside {LOWEST_PRIOR:g}..0")
        if not self.symptoms or not self.terms or not self.next_steps or not self.references:
            raise ValueError(f"{self.slug}: symptoms, terms, next steps and references must not be empty")
        if not self.weights_from.strip():
            raise ValueError(f"{self.slug}: weights_from must say what the weights rest on")
        for step in self.next_steps:
            _check_not_empty(step, self.slug)
        self._check_terms()
        self._check_sentences()

    def _check_terms(self) -> None:
        terms_of = Counter(term.measure for term in self.terms)
        if repeated := [measure for measure, count in terms_of.items() if count > 1]:
            raise ValueError(f"{self.slug}: more than one term for {', '.join(repeated)}")
        if unread := self.proven_by - terms_of.keys():
            raise ValueError(f"{self.slug}: no term reads what proves it: {_listed(unread)}")
        if unread := self.needs - terms_of.keys():
            raise ValueError(f"{self.slug}: no term reads what it needs: {_listed(unread)}")

    def _check_sentences(self) -> None:
        measures = {term.measure for term in self.terms}
        if missing := measures - self.sentences.keys():
            raise ValueError(f"{self.slug}: no sentence for {_listed(missing)}")
        if unread := self.sentences.keys() - measures:
            raise ValueError(f"{self.slug}: no term for the sentence of {_listed(unread)}")
        for term in self.terms:
            self._check_sentences_of(term)

    def _check_sentences_of(self, term: Term) -> None:
        """One sentence per weight that is not 0, and no other."""
        where, sentences = f"{self.slug}: {term.measure}", self.sentences[term.measure]
        _check_sentence(sentences.supports, where)
        if term.opposes:
            _check_sentence(sentences.opposes, where)
        elif sentences.opposes != NO_SENTENCE:
            raise ValueError(f"{where}: a sentence that opposes the cause needs a weight that does")

    @property
    def measures(self) -> frozenset[str]:
        """Every measure that this cause reads."""
        excluding = {measure for exclusion in self.exclusions for measure in exclusion.when}
        return frozenset({term.measure for term in self.terms} | excluding)


def _check_slug(text: str) -> None:
    if not re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", text):
        raise ValueError(f"{text!r} is not a slug of lower case words joined by hyphens")


def _check_not_empty(text: Text, where: str) -> None:
    if not text.en.strip():
        raise ValueError(f"{where}: a sentence must be given")


def _check_sentence(text: Text, where: str) -> None:
    """Refuses a missing sentence, or a placeholder that no value fills."""
    _check_not_empty(text, where)
    if unknown := text.placeholders - PLACEHOLDERS:
        raise ValueError(f"{where}: unknown placeholders {_listed(unknown)}")


def _listed(names: Iterable[str]) -> str:
    return ", ".join(sorted(names))
