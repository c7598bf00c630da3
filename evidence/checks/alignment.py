"""Do the witnesses' clocks agree, and how far apart are their looks? What follows from an order of times needs both."""

from statistics import median

from domain.errors import ProductError, Refused
from domain.findings import Item
from domain.scope import Scope
from domain.text import Text
from evidence.checks.check import Ask, Check, Measure, Told, chart
from evidence.clients.prometheus import Line
from evidence.pods import about_probes, ask_any, end_ms, onset_ms, pods_matcher

# A node's own clock at a scrape, less the metrics server's: the difference between the two, but for the scrape itself.
CLOCKS = "node_time_seconds - timestamp(node_time_seconds)"
# Orders of events are read to the second.
LIMIT_S = 1.0


def _collect(ask: Ask) -> dict[str, Told]:
    lines = ask_any(ask, CLOCKS, step_s=60).lines
    with ask.aside():
        items = (*_clocks(lines, ask.scope), *_intervals(ask), *_starts(ask.scope))
    offsets = [item for item in items if item.exceeds is not None]
    if not offsets:
        raise Refused("no node_exporter tells its clock (node_time_seconds)")
    worst = max(offsets, key=lambda i: (abs(i.value or 0.0), i.name))
    seen, offset = bool(worst.exceeds), worst.value or 0.0
    yes = Text(f"The clock of {worst.name} is {offset:+.1f} s off; orders in time are uncertain.",
               f"{worst.name} 的时钟与指标服务器相差 {offset:+.1f} 秒；时间先后并不可靠。")  # fmt: skip
    no = Text(f"The clocks agree within {abs(offset):.2f} s.", f"时钟相差不超过 {abs(offset):.2f} 秒。")
    return {"clock-differs": Told(seen, yes if seen else no, offset, LIMIT_S, worst.name, items=items,
                                  series=chart(lines, lambda x: x.labels.get("instance", "")))}  # fmt: skip


def _clocks(lines: tuple[Line, ...], scope: Scope) -> list[Item]:
    found = []
    for line in lines:
        values = line.between(onset_ms(scope), end_ms(scope)) or tuple(p.value for p in line.points)
        if values:
            offset = median(values)
            found.append(Item(line.labels.get("instance", ""), offset, "clock difference in s", abs(offset) >= LIMIT_S))
    return sorted(found, key=lambda i: (-abs(i.value or 0.0), i.name))[:20]


def _intervals(ask: Ask) -> list[Item]:
    """How often the pod's own series are scraped: nothing is known more finely than that."""
    try:
        matched = pods_matcher(ask.scope)
        lines = ask_any(ask, f"count_over_time(up{{{matched}}}[10m])", step_s=60).lines
    except ProductError:
        return []
    counts = {x.labels.get("job", ""): max((p.value for p in x.points), default=0.0) for x in lines}
    return [Item(f"scrape interval of {job}", 600 / n, "s") for job, n in sorted(counts.items()) if n > 0]


def _starts(scope: Scope) -> list[Item]:
    """How long after the first alert each other one began: what one system sees late shows here."""
    first = min(a.started_at for a in scope.alerts)
    later = sorted({(a.name, (a.started_at - first).total_seconds()) for a in scope.alerts})
    return [Item(f"{name} began after the first alert by", seconds, "s") for name, seconds in later[:10]]


CHECK = Check(
    "alignment",
    Text("Do the witnesses' clocks agree?", "各来源的时钟是否一致？"),
    (
        Measure(
            "clock-differs",
            Text("Does a node's clock differ by a second or more?", "是否有节点时钟相差一秒以上？"), "s",
            if_seen=Text("An order of events across these sources proves nothing.", "跨来源的先后顺序不能作为证据。"),
            if_not=Text("Orders of events hold down to the scrape interval shown.", "先后顺序可精确到所示采集间隔。"),
        ),
    ),
    about_probes,
    _collect,
    cost=2,
)  # fmt: skip
