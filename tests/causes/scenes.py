"""Small real scopes and findings for the ranking's tests."""

import tomllib
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from causes.cause import NO_SENTENCE, Cause, Sentences, Symptom, Term
from domain.alerts import AlertState, Family, ParsedAlert, Severity
from domain.connections import Connections
from domain.entities import EntityKind, EntityRef
from domain.findings import Finding
from domain.scope import ChangeRef, Scope
from domain.text import Text

START = datetime(2026, 3, 1, 10, 0, tzinfo=UTC)
AS_OF = datetime(2026, 3, 1, 10, 5, tzinfo=UTC)
MEMBER = EntityRef(EntityKind.ETCD_MEMBER, "etcd1", "prod-a")
POD = EntityRef(EntityKind.POD, "cart-7d9f", "prod-a", "shop")
NODE = EntityRef(EntityKind.HOST, "node-3", "prod-a")
CLUSTER = EntityRef(EntityKind.CLUSTER, "prod-a", "prod-a")
SCENARIOS = Path(__file__).parents[1] / "scenarios"
KINDS = {
    "etcd": ("EtcdLeaderChanged", MEMBER, Family.ETCD),
    "probe": ("ProbeFailed", POD, Family.PROBE),
    "node": ("KubeNodeNotReady", NODE, Family.NODE),
    "api": ("KubeAPIErrorBudgetBurn", CLUSTER, Family.API_SERVER),
    "deploy": ("ProbeFailed", POD, Family.PROBE),
    "config": ("ProbeFailed", POD, Family.PROBE),
}


@dataclass(frozen=True)
class Scenario:
    """The findings under one cause, written by hand."""

    cause: str
    about: str
    seen: list[str]
    not_seen: list[str]
    synthetic: bool

    def scope(self) -> Scope:
        change = ChangeRef("c1", self.about, "new version", START - timedelta(minutes=4), (POD.key,))
        return scope(self.about, (change,) if self.about in ("deploy", "config") else ())

    def findings(self) -> list[Finding]:
        return findings(" ".join(self.seen), " ".join(self.not_seen))


def scenarios() -> dict[str, Scenario]:
    return {p.stem: Scenario(**tomllib.loads(p.read_text("utf-8"))) for p in sorted(SCENARIOS.glob("*.toml"))}


def alert(kind: str, at: datetime = START) -> ParsedAlert:
    name, entity, family = KINDS[kind]
    return ParsedAlert(
        f"a-{kind}", "", AlertState.FIRING, name, name, Severity.HIGH, at, entities=(entity,), subject=entity,
        family=family,
    )  # fmt: skip


def scope(kind: str, changes: tuple[ChangeRef, ...] = (), incident: str = "inc") -> Scope:
    fired = alert(kind)
    return Scope(incident, START, AS_OF, (fired,), fired.entities, Connections(), changes=changes)


def finding(measure: str, seen: bool | None, **more: object) -> Finding:
    sentence = Text.rendered(f"{measure} came out {seen}.", f"{measure} 结果 {seen}。")
    return Finding(
        measure,
        "check",
        seen,
        sentence,
        why_unknown=None if seen is not None else Text.rendered("hang", "超时"),
        **more,
    )


def findings(yes: str = "", no: str = "", unknown: str = "") -> list[Finding]:
    outcomes = (
        [(m, True) for m in yes.split()] + [(m, False) for m in no.split()] + [(m, None) for m in unknown.split()]
    )
    return [finding(m, seen) for m, seen in outcomes]


WORDS = finding("any", True).sentence


def term(measure: str, supports: float = 2.0, opposes: float = 0.0, **more: object) -> Term:
    return Term(measure, supports=supports, opposes=opposes, **more)


def sentences(term: Term) -> Sentences:
    """The same words for either outcome that weighs."""
    return Sentences(supports=WORDS, opposes=WORDS if term.opposes else NO_SENTENCE)


def cause(slug: str, *terms: Term, layer: str = "infrastructure", prior: float = -1.0, **more: object) -> Cause:
    """A cause of the tests' own: what its file would give, with the same words everywhere."""
    usual = {
        "title": WORDS,
        "symptoms": frozenset({Symptom.PROBE}),
        "sentences": {term.measure: sentences(term) for term in terms},
        "next_steps": (WORDS,),
        "references": ("a reference",),
        "weights_from": "judgement",
    }
    return Cause(slug=slug, layer=layer, prior=prior, terms=terms, **usual | more)
