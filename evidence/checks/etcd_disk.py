"""Is one member's disk slow, or some of them? Told by the worst stretch, so that it holds at each later look."""

from collections.abc import Mapping
from dataclasses import dataclass
from math import ceil, inf

from domain.findings import Item, Series
from domain.text import Text
from evidence.check import Ask, Check, Measure, MeasureResult, alternatives, moment
from evidence.clients.prometheus import matcher
from evidence.etcd_choice import etcds
from evidence.etcd_series import SPAN_S, Members, ask_more, increase, means, read, series_of
from evidence.etcd_stretch import Histogram, Stretch, histograms

# etcd's own guidance: WAL fsync p99 below 10 ms, backend commit p99 below 25 ms (etcd FAQ and tuning pages).
FSYNC_LIMIT_S, COMMIT_LIMIT_S = 0.010, 0.025
# A member stands out when its mean is five times that of a peer at the same time and well over the guidance.
FACTOR = 5.0
# One write that waits while its process is stopped lifts the mean of a hundred; a slow disk slows many: this share of
# those of the stretch, and at least so many.
SLOW_SHARE, SLOW_WRITES = 0.03, 3
FSYNC, COMMIT = "etcd_disk_wal_fsync_duration_seconds", "etcd_disk_backend_commit_duration_seconds"


@dataclass(frozen=True, slots=True)
class Spread:
    """How one member's writes are spread since shortly before the incident.

    `median` is the upper border of its bucket, `p99` are both borders of its own, in seconds (infinite: beyond the
    last bucket). Of all `writes`, `over` took longer than the border above the guidance, `near` longer than the
    one below it.
    """

    median: float
    p99: tuple[float, float]
    writes: float
    over: float
    near: float

    @property
    def interval(self) -> str:
        """The bucket that holds P99, in ms."""
        low, high = self.p99
        return f"{low * 1000:g}–{high * 1000:g} ms" if high < inf else f"> {low * 1000:g} ms"

    @property
    def shown(self) -> str:
        """For the detail table."""
        return f"P50 ≤ {self.median * 1000:g} ms; P99 {self.interval}; {self.over / self.writes:.0%} slow"


@dataclass(frozen=True, slots=True)
class Writes:
    """One kind of writes of every member: all samples, the worst stretch of each, and the spread where it is known."""

    what: str
    limit: float
    histograms: Mapping[str, Histogram]
    worst: Mapping[str, Stretch]
    spreads: Mapping[str, Spread]

    @property
    def slowest(self) -> str:
        """The member with the worst stretch."""
        return max(sorted(self.worst), key=lambda name: self.worst[name].mean)

    def few(self, name: str) -> bool:
        """Whether the stretch is long for a few writes only, as when the process was stopped during one of them."""
        if name not in self.spreads:
            return False
        return self.spreads[name].over < max(SLOW_WRITES, SLOW_SHARE * self.worst[name].count)

    def peers(self, name: str) -> dict[str, float]:
        """What the writes of the others took on average in that stretch, or in their own worst one."""
        stretch = self.worst[name]
        same = {n: h.between(stretch.start_ms, stretch.end_ms) for n, h in self.histograms.items() if n != name}
        return {n: found.mean for n in same if (found := same[n] or self.worst.get(n))}

    def items(self) -> tuple[Item, ...]:
        """Per member the mean of its worst stretch, and the spread of all of its writes."""
        shown = {name: spread.shown for name, spread in self.spreads.items()}
        return tuple(Item(n, s.mean, shown.get(n, ""), s.mean > self.limit) for n, s in sorted(self.worst.items()))


METRICS = f"({FSYNC}|{COMMIT})_(sum|count)|etcd_server_slow_apply_total|etcd_server_heartbeat_send_failures_total"
# What is slow, where a sentence begins with it.
SUBJECTS = {"WAL fsync": Text("WAL fsync"), "backend commit": Text("Backend commit")}


def _collect(ask: Ask) -> dict[str, MeasureResult]:
    members = read(ask, METRICS)
    fsync = _writes(ask, members, (FSYNC, "WAL fsync", FSYNC_LIMIT_S))
    commit = _writes(ask, members, (COMMIT, "backend commit", COMMIT_LIMIT_S))
    return {
        "etcd-fsync-one-slow": _one_slow(fsync, _charts(members, FSYNC)),
        "etcd-commit-one-slow": _one_slow(commit, _charts(members, COMMIT)),
        "etcd-fsync-over-guidance": _guidance(fsync),
        "etcd-slow-applies": _counted(members, "etcd_server_slow_apply_total", Text("slow applies")),
        "etcd-heartbeat-failures": _counted(
            members, "etcd_server_heartbeat_send_failures_total", Text("heartbeats sent late")
        ),
    }


def _writes(ask: Ask, members: Members, asked: tuple[str, str, float]) -> Writes:
    metric, what, limit = asked
    found = histograms(members, metric)
    worst = {name: stretch for name, histogram in found.items() if (stretch := histogram.worst())}
    return Writes(what, limit, found, worst, _spreads(ask, members, metric, limit) if worst else {})


def _spreads(ask: Ask, members: Members, metric: str, limit: float) -> dict[str, Spread]:
    """Per member, from the histogram; empty where it is not answered."""
    seconds = max(60, (members.end_ms - members.onset_ms) // 1000)
    selector = matcher(members.etcd.selector)
    query = f"sum by (instance, le) (increase({metric}_bucket{{{selector}}}[{seconds}s]))"
    table: dict[str, dict[float, float]] = {}
    for line in ask_more(ask, members.etcd, query, start=ask.window()[1]).lines:
        if line.points and (le := line.labels.get("le", "")):
            table.setdefault(members.member(line), {})[float(le)] = line.points[-1].value
    return {name: _spread(sorted(row.items()), limit) for name, row in table.items() if max(row.values()) >= 1}


def _spread(row: list[tuple[float, float]], limit: float) -> Spread:
    total = max(count for _, count in row)
    borders = [border for border, _ in row]

    def at(share: float) -> int:
        return next((i for i, (_, count) in enumerate(row) if count >= share * total), len(row) - 1)

    def above(border: float) -> float:
        return max(0.0, total - next((count for found, count in row if found >= border), total))

    p99, below = at(0.99), max((border for border in borders if border <= limit), default=0.0)
    low = borders[p99 - 1] if p99 else 0.0
    return Spread(borders[at(0.5)], (low, borders[p99]), total, above(limit), above(below) if below else total)


def _silent(what: str) -> MeasureResult:
    why = Text("fewer than two members did any {what}", what=what)
    return MeasureResult(None, Text("Whether one member's {what} is slow is unknown.", what=what), why_unknown=why)


def _one_slow(writes: Writes, series: tuple[Series, ...]) -> MeasureResult:
    if len(writes.worst) < 2:
        return _silent(writes.what)
    name = writes.slowest
    stretch, peers = writes.worst[name], writes.peers(name)
    stands_out = _stands_out(stretch.mean, peers, 3 * writes.limit)
    few = stands_out and writes.few(name)
    seen = stands_out and not few
    also = sorted(n for n, mean in peers.items() if seen and mean >= 3 * writes.limit)
    sentence = _slow_text(writes, name, also) if seen else _even_text(writes, name, few)
    since = writes.histograms[name].over_since(3 * writes.limit) if seen else None
    return MeasureResult(seen, sentence, stretch.mean, writes.limit, name, items=writes.items(), series=series,
                first_seen_at=moment(since))  # fmt: skip


def _stands_out(mean: float, peers: Mapping[str, float], floor: float) -> bool:
    """Whether it is over the floor and far above a peer, while every other peer is too, or is as slow: two of three."""
    others = list(peers.values())
    return mean >= floor and min(others) * FACTOR <= mean and all(o * FACTOR <= mean or o >= floor for o in others)


def _slow_text(writes: Writes, name: str, also: list[str]) -> Text:
    stretch, peers = writes.worst[name], writes.peers(name)
    # The sentence reads "at most", so a value below a tenth of a millisecond is rounded up, not down to nothing.
    rest = max(0.0001, *(mean for n, mean in peers.items() if n not in also))
    sentence = Text(
        "{what} of {name} took {mean_ms:.0f} ms on average in its worst {seconds:.0f} s, of its peers at most"
        " {rest_ms:.1f} ms.",
        what=SUBJECTS[writes.what],
        name=name,
        mean_ms=stretch.mean * 1000,
        seconds=stretch.seconds,
        rest_ms=rest * 1000,
    )
    if not also:
        return sentence
    return Text("{sentence} That of {others} was slow as well.", sentence=sentence, others=", ".join(also))


def _even_text(writes: Writes, name: str, few: bool) -> Text:
    if few:
        return Text(
            "A few {what}s of {name} took very long, almost all were quick: not a slow disk.",
            what=writes.what,
            name=name,
        )
    return Text(
        "No member's {what} stands out; the slowest, {name}, took at most {slowest_ms:.1f} ms on average in its worst"
        " {seconds:.0f} s.",
        what=writes.what,
        name=name,
        slowest_ms=ceil(writes.worst[name].mean * 10_000) / 10,
        seconds=writes.worst[name].seconds,
    )


def _charts(members: Members, metric: str) -> tuple[Series, ...]:
    counts = {members.member(line): line for line in members.of(f"{metric}_count")}
    pairs = [(members.member(s), s) for s in members.of(f"{metric}_sum")]
    return tuple(series_of(name, means(line, counts[name])) for name, line in pairs if name in counts)


def _guidance(writes: Writes) -> MeasureResult:
    """P99 against the guidance, which is one for P99; a mean is held against it only where that decides as well."""
    if not writes.worst:
        return _silent(writes.what)
    answers = {name: _over(writes, name) for name in writes.worst}
    over = [name for name, answer in answers.items() if answer]
    name = max(sorted(over or answers), key=lambda n: writes.worst[n].mean)
    mean, items = writes.worst[name].mean, writes.items()
    if over:
        return MeasureResult(True, _over_text(writes, name), mean, writes.limit, name, items=items)
    if all(answer is False for answer in answers.values()):
        within = Text("P99 of WAL fsync is within the guidance of 10 ms on every member.")
        return MeasureResult(False, within, mean, writes.limit, name, items=items)
    unsure = ", ".join(sorted(n for n, answer in answers.items() if answer is None))
    why = Text("the bucket that holds P99 of {members} holds the limit of 10 ms as well, or is not known",
               members=unsure)  # fmt: skip
    sentence = Text("Whether P99 of WAL fsync is within the guidance is unknown.")
    return MeasureResult(None, sentence, mean, writes.limit, name, why_unknown=why, items=items)


def _over(writes: Writes, name: str) -> bool | None:
    """Whether P99 of the member's writes, or of those in its worst stretch, is over the limit; None where unknown."""
    stretch, spread = writes.worst[name], writes.spreads.get(name)
    high = stretch.mean > writes.limit
    if spread is None:
        return True if high else None
    if (high and not writes.few(name)) or spread.over > max(SLOW_WRITES, 0.01 * spread.writes):
        return True
    return False if spread.near < SLOW_WRITES or (not high and spread.near <= 0.01 * spread.writes) else None


def _over_text(writes: Writes, name: str) -> Text:
    stretch, spread = writes.worst[name], writes.spreads.get(name)
    sentence = Text(
        "WAL fsync of {name} is over the guidance of 10 ms for P99: {mean_ms:.1f} ms on average in its worst"
        " {seconds:.0f} s.",
        name=name,
        mean_ms=stretch.mean * 1000,
        seconds=stretch.seconds,
    )
    if spread is None:
        return sentence
    return Text("{sentence} Over all the time P99 is {interval}.", sentence=sentence, interval=spread.interval)


def _counted(members: Members, metric: str, what: Text) -> MeasureResult:
    gained = {members.member(line): increase(line, members.onset_ms, members.end_ms) for line in members.of(metric)}
    if not gained:
        return MeasureResult(None, Text("{what}: unknown.", what=what), why_unknown=Text("no such series"))
    name = max(sorted(gained), key=lambda n: gained[n])
    seen = gained[name] >= 3
    items = tuple(Item(n, v, exceeds=v >= 3) for n, v in sorted(gained.items()))
    yes = Text("{name}: {count:.0f} {what}.", name=name, count=gained[name], what=what)
    no = Text("No member had more than {count:.0f} {what}.", count=gained[name], what=what)
    return MeasureResult(seen, yes if seen else no, gained[name], 3, name if seen else "", items=items)


CHECK = Check(
    "etcd-disk",
    Text("Is a member's disk slow?"),
    (
        Measure("etcd-fsync-one-slow", Text("Is one member's WAL fsync far slower?"), "s"),
        Measure("etcd-commit-one-slow", Text("Is one member's backend commit far slower?"), "s"),
        Measure("etcd-fsync-over-guidance", Text("Is WAL fsync over the guidance?"), "s"),
        Measure("etcd-slow-applies", Text("Were applies slow?"), "applies"),
        Measure("etcd-heartbeat-failures", Text("Were heartbeats sent late?"), "heartbeats"),
    ),
    lambda scope: bool(etcds(scope)),
    _collect,
    cost=3,
    metrics=alternatives(METRICS),
    span_s=SPAN_S,
)
