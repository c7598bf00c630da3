"""What a check is: one question, the measures it answers, and how it collects them."""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import TypeVar

from domain.connections import PrometheusDecl
from domain.errors import NotRecorded, ProductError, Refused
from domain.findings import Finding, Item, Series
from domain.scope import Scope
from domain.text import Text, listed
from evidence.clients.kubernetes import Kubernetes
from evidence.clients.prometheus import Answered, Line, Prometheus
from evidence.memo import Memo
from evidence.onset import fault_at, first_start
from evidence.recording import Transports

T = TypeVar("T")
BEFORE = timedelta(minutes=30)
IF_SEEN = Text("It was observed in the window; the sentence names the value and the limit.")
IF_NOT = Text("The series were there for the window, and it is not so in them.")
IF_UNKNOWN = Text(
    "Nobody could say: no connection, no series, no answer in time, or nothing recorded; it speaks neither for nor"
    " against a cause."
)


# The kinds of probes, within a sentence.
PROBES = {
    "Startup": Text("startup", context="probe"), "Readiness": Text("readiness", context="probe"),
    "Liveness": Text("liveness", context="probe"),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Charted:
    """What the lines of a measure's chart are, where they are not its value; its limit is not one for them."""

    what: Text
    unit: str = ""


UP = Charted(Text("answered scrapes: 1 yes, 0 no"))


@dataclass(frozen=True, slots=True)
class Measure:
    """A named statement that can be seen, not seen, or unknown; and how a person reads each of the three.

    `unit` is that of its value and limit; `items_unit` that of its detail table where it is another one.
    """

    slug: str
    question: Text
    unit: str = ""
    if_seen: Text = IF_SEEN
    if_not: Text = IF_NOT
    if_unknown: Text = IF_UNKNOWN
    charted: Charted | None = None
    items_unit: str = ""


@dataclass(frozen=True, slots=True)
class MeasureResult:
    """The answer of a check to one measure; `run` adds range and connection.

    `seen` is True, False or None (unknown, then `why_unknown` gives the reason). `value` and `limit` are in the
    measure's unit.

    `query` is given where a check asks several; empty means the one that was asked last.
    """

    seen: bool | None
    sentence: Text
    value: float | None = None
    limit: float | None = None
    subject: str = ""
    why_unknown: Text | None = None
    items: tuple[Item, ...] = ()
    series: tuple[Series, ...] = ()
    first_seen_at: datetime | None = None
    query: str = ""
    connection: str = ""
    # False for what is known without asking anybody, e.g. from the record.
    asked: bool = True


@dataclass(slots=True)
class Ask:
    """The means of one check run: clients, the window, and what was last asked, so that a finding can show it."""

    scope: Scope
    transports: Transports
    before: timedelta = BEFORE
    memo: Memo = field(default_factory=Memo)
    query: str = ""
    connection: str = ""
    start: datetime | None = None
    end: datetime | None = None
    partial: str = ""

    def window(self) -> tuple[datetime, datetime]:
        """From `before` (half an hour) before the fault can have begun to `as_of`, both on whole seconds."""
        start = (fault_at(self.scope) - self.before).replace(microsecond=0)
        return start, self.scope.as_of.replace(microsecond=0)

    def range(self, server: PrometheusDecl, query: str, start: datetime | None = None, step_s: int = 5) -> Answered:
        """A range query over the window; raises the client's errors; an empty answer has no lines."""
        first, end = self.window()
        self.query, self.connection, self.start, self.end = query, server.name, start or first, end
        try:
            answered = self._answered(server, query, step_s)
        except NotRecorded:
            # Bundles of versions that knew no occurrences hold what was asked from the first alert on.
            earlier = (first_start(self.scope) - self.before).replace(microsecond=0)
            if start or earlier == first:
                raise
            self.start = earlier
            answered = self._answered(server, query, step_s)
        self.partial = self.partial or answered.partial
        return answered

    def _answered(self, server: PrometheusDecl, query: str, step_s: int) -> Answered:
        """The answer over the range that was noted, asked once."""
        since, end = self.start or self.scope.as_of, self.end or self.scope.as_of

        def asked() -> Answered:
            with self.transports.client(server.name, server.url, server) as client:
                return Prometheus(client).range(query, since, end, step_s)

        return self.memo.once((server.name, query, since.isoformat(), end.isoformat(), str(step_s)), asked)

    @contextmanager
    def aside(self) -> Iterator[None]:
        """What is asked within only rounds a finding off; it goes on showing what was asked before."""
        shown = self.query, self.connection, self.start, self.end
        try:
            yield
        finally:
            self.query, self.connection, self.start, self.end = shown

    def prometheus(self, name: str = "") -> PrometheusDecl | None:
        """The server of that name; without a name the first one that answers for the incident's clusters."""
        servers = self.scope.connections.prometheus
        if name:
            return next((s for s in servers if s.name == name), None)
        clusters = self.clusters()
        return next((s for s in servers if not s.clusters or clusters & set(s.clusters)), None)

    def clusters(self) -> set[str]:
        """The `cluster` labels of what the incident is about."""
        return {e.cluster for e in self.scope.entities if e.cluster}

    def kubernetes(self, path: str) -> Kubernetes:
        """The API of the incident's cluster. Raises Refused when none is declared; `path` is shown as the query."""
        declared = self.scope.connections.kubernetes
        fitting = [k for k in declared if k.name in self.clusters()] or ([] if self.clusters() else declared[:1])
        asked = next((k for k in fitting if k.has_api), None)
        if asked is None and any(k.has_api for k in declared):
            wanted = ", ".join(sorted(self.clusters()))
            raise Refused(
                Text(
                    "no [[kubernetes]] with an API has the name of the cluster {wanted}; it is not declared",
                    wanted=wanted,
                )
            )
        if asked is None:
            raise Refused(
                Text("the cluster's API is not declared; give its [[kubernetes]] a kubeconfig_file or in_cluster")
            )
        self.query, self.connection = f"GET {path}", asked.name
        self.start, self.end = self.window()
        return Kubernetes(asked, self.transports, self.memo)


@dataclass(frozen=True, slots=True)
class Check:
    """One question. `collect` gives the results by measure slug; a measure it leaves out is unknown.

    `needs` are the kinds of connection that it asks, `cost` is the most queries that it sends (one that another
    check has sent already is not sent again), and `before` is how far it looks back from the time at which the
    fault can have begun; it looks until `as_of`. `limit_s` bounds the whole check in seconds.

    `metrics` are regular expressions of the names of the series that it wants of Prometheus, each one a want of its
    own: a server that has no name of it leaves some of the measures unknown. Series that come into being only with an
    event (a restart, a lost peer) are not among them, as their absence says nothing. `span_s` is the shortest time, in
    seconds, over which it compares samples; fewer than four samples in it say little.
    """

    slug: str
    question: Text
    measures: tuple[Measure, ...]
    applies: Callable[[Scope], bool]
    collect: Callable[[Ask], dict[str, MeasureResult]]
    limit_s: float = 20.0
    needs: tuple[str, ...] = ("prometheus",)
    cost: int = 1
    before: timedelta = BEFORE
    metrics: tuple[str, ...] = ()
    span_s: float = 300.0


def alternatives(pattern: str) -> tuple[str, ...]:
    """The alternatives `a|b(c|d)` of a regular expression: those that stand outside of all parentheses."""
    return tuple(re.findall(r"(?:[^|()]|\([^()]*\))+", pattern))


def run(check: Check, ask: Ask) -> list[Finding]:
    """One finding per measure; an expected error becomes unknown with its sentence."""
    try:
        results = check.collect(ask)
        why = Text("nothing was measured")
    except ProductError as error:
        results, why = {}, error.message
    found = []
    for measure in check.measures:
        result = results.get(measure.slug) or unknown(measure, why)
        found.append(finding(check, measure, result, ask))
    return found


def measured_by(
    ask: Ask, slugs: Sequence[str], measure: Callable[[Ask], dict[str, MeasureResult]]
) -> dict[str, MeasureResult]:
    """The results of one part of a check, by slug, with its own query and connection.

    An expected error makes only the measures `slugs` of this part unknown.
    """
    try:
        found = measure(ask)
    except ProductError as error:
        found = dict.fromkeys(slugs, unmeasured(error.message))
    own = ask.query, ask.connection
    return {
        slug: replace(result, query=result.query or own[0], connection=result.connection or own[1])
        for slug, result in found.items()
    }


def either(ask: Ask, first: Callable[[Ask], T], second: Callable[[Ask], T]) -> T:
    """The answer of the first source, else of the second. Raises Refused with both reasons when both fail."""
    try:
        return first(ask)
    except ProductError as error:
        try:
            return second(ask)
        except ProductError as other:
            raise Refused(listed([error.message, other.message])) from other


def answers_of(looks: Iterable[Callable[[], T]]) -> tuple[list[T], list[ProductError]]:
    """The answers of the sources that answer, and the errors of the others."""
    found, errors = [], []
    for look in looks:
        try:
            found.append(look())
        except ProductError as error:
            errors.append(error)
    return found, errors


def unmeasured(why: Text) -> MeasureResult:
    """An unknown result with its reason; `finding` puts the measure's own question before it."""
    return MeasureResult(None, why, why_unknown=why)


def unknown(measure: Measure, why: Text) -> MeasureResult:
    """An unknown result of a measure: its question and the reason."""
    sentence = Text("{question} Unknown: {why}.", question=measure.question, why=why)
    return MeasureResult(None, sentence, why_unknown=why)


def finding(check: Check, measure: Measure, result: MeasureResult, ask: Ask) -> Finding:
    """The finding with the query, the range and the connection that it rests on."""
    result = _lowered(result, ask.partial)
    if result.why_unknown and result.sentence is result.why_unknown:
        result = replace(unknown(measure, result.why_unknown), query=result.query, connection=result.connection)
    return Finding(
        measure=measure.slug, check=check.slug, seen=result.seen, sentence=result.sentence, value=result.value,
        unit=measure.unit, limit=result.limit, subject=result.subject, query=(result.query or ask.query) * result.asked,
        from_=ask.start if result.asked else None, to=ask.end if result.asked else None,
        connection=(result.connection or ask.connection) * result.asked,
        why_unknown=result.why_unknown if result.seen is None else None, items=result.items, series=result.series,
        first_seen_at=result.first_seen_at,
    )  # fmt: skip


def _lowered(result: MeasureResult, partial: str) -> MeasureResult:
    """Of partial data what was seen stays, with the warning; what was not seen may lie in the missing part."""
    if not partial or result.seen is None:
        return result
    if result.seen:
        added = Text("{sentence} The data is partial: {partial}.", sentence=result.sentence, partial=partial)
        return replace(result, sentence=added)
    return replace(
        unmeasured(Text("the data is partial: {partial}", partial=partial)),
        query=result.query,
        connection=result.connection,
    )


def moment(at_ms: int | None) -> datetime | None:
    """The time of epoch milliseconds; None for none, which 0 is too."""
    return datetime.fromtimestamp(at_ms / 1000, UTC) if at_ms else None


def chart(lines: Sequence[Line], name: Callable[[Line], str]) -> tuple[Series, ...]:
    """At most 8 series of at most 400 points, thinned evenly."""
    made = []
    for line in lines[:8]:
        stride = max(1, -(-len(line.points) // 400))
        made.append(Series(name(line), line.points[::stride]))
    return tuple(made)
