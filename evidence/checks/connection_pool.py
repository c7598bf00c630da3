"""Is the service's connection pool used up, so that requests queue for a connection?"""

from collections.abc import Iterator
from dataclasses import dataclass

from domain.errors import Refused
from domain.findings import Item
from domain.text import Text
from evidence.check import Ask, Charted, Check, Measure, MeasureResult, chart
from evidence.clients.prometheus import Answered, Line
from evidence.etcd_series import increase
from evidence.onset import end_ms, onset_ms
from evidence.pods import about_probes, ask_more, named

# In use and limit, as Go's database/sql, HikariCP and pgx export them; what waits, where it is exported.
POOLS = (
    ("go_sql_in_use_connections", "go_sql_max_open_connections"),
    ("hikaricp_connections_active", "hikaricp_connections_max"),
    ("pgxpool_acquired_conns", "pgxpool_max_conns"),
)
WAITED = "go_sql_wait_duration_seconds_total"
WAITS = "go_sql_wait_count_total"
PENDING = "hikaricp_connections_pending"
# One second of waiting per second: on average one request always waits.
QUEUE = 1.0
KEYS = ("db_name", "pool", "db")


def _collect(ask: Ask) -> dict[str, MeasureResult]:
    answered = ask_more(ask)
    pools = list(_pools(answered, onset_ms(ask.scope), end_ms(ask.scope)))
    if not pools:
        raise Refused(Text("the pod exports no connection pool (go_sql_*, hikaricp_*, pgxpool_*) with a limit"))
    return {"pool-exhausted": _exhausted(pools, answered)}


@dataclass(frozen=True, slots=True)
class Pool:
    """A connection pool: `share` is its highest use as a share of its `limit`, `waiting` how many waited on average."""

    name: str
    share: float
    limit: float
    waiting: float

    @property
    def is_exhausted(self) -> bool:
        """Full and waited for: a full pool without a queue is only well used."""
        return self.share >= 1.0 and self.waiting >= QUEUE

    def item(self) -> Item:
        """Its row of the table."""
        return Item(self.name, self.share, f"{self.waiting:.1f} waiting of {self.limit:.0f}", self.is_exhausted)


def _pools(answered: Answered, start: int, end: int) -> Iterator[Pool]:
    """The pools that have a limit and samples in the window, in epoch milliseconds."""
    for used, limit in POOLS:
        limits = {_name(line): line.points[-1].value for line in named(answered, limit) if line.points}
        for line in named(answered, used):
            most = max(line.between(start, end), default=None)
            top = limits.get(_name(line), 0.0)
            if most is None or top <= 0:
                continue
            full_ms = _first_full_ms(line, top, (start, end))
            yield Pool(_name(line), most / top, top, _waiting(answered, _name(line), (full_ms, end)))


def _first_full_ms(line: Line, limit: float, window: tuple[int, int]) -> int:
    """When all connections were in use for the first time; the start of the window if they never were."""
    start, end = window
    full = (point.at_ms for point in line.points if point.value >= limit and start <= point.at_ms <= end)
    return next(full, start)


def _waiting(answered: Answered, name: str, window: tuple[int, int]) -> float:
    """How many waited on average since the pool was full."""
    seconds = max(1.0, (window[1] - window[0]) / 1000)
    waited = sum(increase(x, *window) for x in named(answered, WAITED) if _name(x) == name)
    waits = sum(increase(x, *window) for x in named(answered, WAITS) if _name(x) == name)
    # A wait is counted when it begins and its time when it ends, so a wait without an end has no time yet.
    queued = [waited / seconds, waits if waits >= QUEUE and not waited else 0.0]
    pending = [v for x in named(answered, PENDING) if _name(x) == name for v in x.between(*window)]
    return max([0.0, *queued, *pending])


def _name(line: Line) -> str:
    return f"{line.labels.get('pod', '')} {next((line.labels[k] for k in KEYS if line.labels.get(k)), '')}".strip()


def _exhausted(pools: list[Pool], answered: Answered) -> MeasureResult:
    exhausted = [pool for pool in pools if pool.is_exhausted]
    shown = max(exhausted or pools, key=lambda pool: (pool.share, pool.waiting, pool.name))
    sentence = Text(
        "{share:.0%} of the {limit:.0f} connections of {name} were in use; {waiting:.1f} requests waited at a time.",
        share=shown.share,
        limit=shown.limit,
        name=shown.name,
        waiting=shown.waiting,
    )
    items = tuple(pool.item() for pool in pools[:12])
    lines = [line for used, _ in POOLS for line in named(answered, used)]
    return MeasureResult(
        bool(exhausted), sentence, shown.share, 1.0, shown.name, items=items, series=chart(lines, _name)
    )


IN_USE = Charted(Text("connections in use"))
CHECK = Check(
    "connection-pool",
    Text("Is the connection pool used up?"),
    (
        Measure(
            "pool-exhausted", Text("Do requests wait for a connection?"), "share",
            if_not=Text("The pool had room, or was full and nobody waited for it."),
            charted=IN_USE,
        ),
    ),
    about_probes,
    _collect,
    metrics=("|".join(used for used, _ in POOLS),),
)  # fmt: skip
