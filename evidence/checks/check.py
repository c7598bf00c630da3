"""What a check is: one question, the measures it can tell, and how it looks for them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from domain.connections import PrometheusDecl
from domain.errors import ProductError
from domain.findings import Finding, Item, Series
from domain.scope import Scope
from domain.text import Text
from evidence.clients.prometheus import Answered, Line, Prometheus
from evidence.recording import Transports

BEFORE = timedelta(minutes=30)
# Prometheus needs two scrapes in a range; four scrapes of the common 15 s.
RATE_WINDOW = "1m"


@dataclass(frozen=True, slots=True)
class Measure:
    """A named statement that can be seen, not seen, or unknown."""

    slug: str
    question: Text
    unit: str = ""


@dataclass(frozen=True, slots=True)
class Told:
    """What a check says of one measure; range and connection are added by the asker.

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


@dataclass(slots=True)
class Ask:
    """The means of one check run: clients, the window, and what was last asked, so that a finding can show it."""

    scope: Scope
    transports: Transports
    query: str = ""
    connection: str = ""
    start: datetime | None = None
    end: datetime | None = None

    def window(self) -> tuple[datetime, datetime]:
        """From half an hour before the first alert to `as_of`, both on whole seconds."""
        start = (self.scope.started_at - BEFORE).replace(microsecond=0)
        return start, self.scope.as_of.replace(microsecond=0)

    def range(self, server: PrometheusDecl, query: str, start: datetime | None = None, step_s: int = 5) -> Answered:
        """A range query over the window; raises the client's errors; an empty answer has no lines."""
        first, end = self.window()
        self.query, self.connection, self.start, self.end = query, server.name, start or first, end
        with self.transports.client(server.name, server.url, server) as client:
            return Prometheus(client).range(query, start or first, end, step_s)

    def prometheus(self, name: str = "") -> PrometheusDecl | None:
        """The server of that name; without a name the first one that answers for the incident's clusters."""
        servers = self.scope.connections.prometheus
        if name:
            return next((s for s in servers if s.name == name), None)
        clusters = {e.cluster for e in self.scope.entities if e.cluster}
        return next((s for s in servers if not s.clusters or clusters & set(s.clusters)), None)


@dataclass(frozen=True, slots=True)
class Check:
    """One question. `collect` gives what it tells per measure slug; a measure it leaves out is unknown.

    `limit_s` bounds the whole check in seconds.
    """

    slug: str
    question: Text
    measures: tuple[Measure, ...]
    applies: Callable[[Scope], bool]
    collect: Callable[[Ask], dict[str, Told]]
    limit_s: float = 20.0


def run(check: Check, ask: Ask) -> list[Finding]:
    """One finding per measure; an expected error becomes unknown with its sentence."""
    try:
        told = check.collect(ask)
        why = Text("nothing was measured", "没有测量数据")
    except ProductError as error:
        told, why = {}, Text(str(error), f"查询失败：{error}")
    return [finding(check, measure, told.get(measure.slug) or unknown(measure, why), ask) for measure in check.measures]


def unknown(measure: Measure, why: Text) -> Told:
    """A measure that could not be told."""
    sentence = Text(f"{measure.question.en} Unknown: {why.en}.", f"{measure.question.zh}未知：{why.zh}。")
    return Told(None, sentence, why_unknown=why)


def finding(check: Check, measure: Measure, told: Told, ask: Ask) -> Finding:
    """The finding with the query, the range and the connection that it rests on."""
    return Finding(
        measure=measure.slug, check=check.slug, seen=told.seen, sentence=told.sentence, value=told.value,
        unit=measure.unit, limit=told.limit, subject=told.subject, query=told.query or ask.query,
        from_=ask.start, to=ask.end, connection=ask.connection,
        why_unknown=told.why_unknown if told.seen is None else None, items=told.items, series=told.series,
        first_seen_at=told.first_seen_at,
    )  # fmt: skip


def chart(lines: Sequence[Line], name: Callable[[Line], str]) -> tuple[Series, ...]:
    """At most 8 series of at most 400 points, thinned evenly."""
    made = []
    for line in lines[:8]:
        stride = max(1, -(-len(line.points) // 400))
        made.append(Series(name(line), line.points[::stride]))
    return tuple(made)
