"""Do the witnesses' clocks agree, and how far apart are their looks? What follows from an order of times needs both."""

from statistics import median

from domain.connections import SourceDecl
from domain.errors import ProductError
from domain.findings import Item
from domain.scope import Scope
from domain.text import Text
from evidence.check import Ask, Check, Measure, MeasureResult, chart
from evidence.clients.prometheus import Line, matcher
from evidence.clients.zabbix import Zabbix
from evidence.etcd_choice import etcd_of
from evidence.onset import end_ms, onset_ms
from evidence.pods import about_probes, ask_any, pods_matcher

# A node's own clock at a scrape, less the metrics server's: the difference between the two, but for the scrape itself.
CLOCKS = "node_time_seconds - timestamp(node_time_seconds)"
# Orders of events are read to the second.
LIMIT_S = 1.0
# A finding's table has room for so many of each.
SHOWN = 5
FRONTENDS = 2
ZABBIX = "zabbix"
NO_CLOCK = Text("no node_exporter tells its clock (node_time_seconds)")


def _collect(ask: Ask) -> dict[str, MeasureResult]:
    lines, why = _lines(ask)
    clocks = _clocks(lines, ask.scope)
    with ask.aside():
        items = (*clocks, *_intervals(ask), *_delays(ask), *_starts(ask.scope))
    if not clocks:
        sentence = Text("Whether the clocks agree is unknown.")
        return {"clock-differs": MeasureResult(None, sentence, why_unknown=why, items=items)}
    worst = clocks[0]
    seen, offset = bool(worst.exceeds), worst.value or 0.0
    yes = Text(
        "The clock of {name} is {offset_s:+.1f} s off; orders in time are uncertain.", name=worst.name, offset_s=offset
    )
    no = Text("The clocks agree within {offset_s:.2f} s.", offset_s=abs(offset))
    return {"clock-differs": MeasureResult(seen, yes if seen else no, offset, LIMIT_S, worst.name, items=items,
                                  series=chart(lines, lambda x: x.labels.get("instance", "")))}  # fmt: skip


def _lines(ask: Ask) -> tuple[tuple[Line, ...], Text]:
    """The clocks, and why there are none: how often the witnesses look is worth telling without them too."""
    try:
        lines = ask_any(ask, CLOCKS, step_s=60).lines
    except ProductError as error:
        return (), error.message
    return lines, NO_CLOCK


def _clocks(lines: tuple[Line, ...], scope: Scope) -> list[Item]:
    """The furthest off first."""
    found = []
    for line in lines:
        values = line.between(onset_ms(scope), end_ms(scope)) or tuple(p.value for p in line.points)
        if values:
            offset = median(values)
            found.append(Item(line.labels.get("instance", ""), offset, "clock difference", abs(offset) >= LIMIT_S))
    return sorted(found, key=lambda i: (-abs(i.value or 0.0), i.name))[:SHOWN]


def _intervals(ask: Ask) -> list[Item]:
    """How often the pods' or the members' own series are scraped: nothing is known more finely than that."""
    try:
        matched = pods_matcher(ask.scope) if about_probes(ask.scope) else matcher(etcd_of(ask.scope).selector)
        lines = ask_any(ask, f"count_over_time(up{{{matched}}}[10m])", step_s=60).lines if matched else ()
    except ProductError:
        return []
    counts = {x.labels.get("job", ""): max((p.value for p in x.points), default=0.0) for x in lines}
    return [Item(f"scrape interval of {job}", 600 / n) for job, n in sorted(counts.items())[:SHOWN] if n > 0]


def _delays(ask: Ask) -> list[Item]:
    """How often Zabbix looks at what its problems are about: a problem may have begun so much before it is reported."""
    asked = [s for s in ask.scope.connections.source if s.kind == ZABBIX and s.api_url and _triggers(ask.scope, s)]
    return [item for declared in asked[:FRONTENDS] for item in _looked(ask, declared)][:SHOWN]


def _looked(ask: Ask, declared: SourceDecl) -> list[Item]:
    try:
        items = Zabbix(declared, ask.transports).looked(_triggers(ask.scope, declared))
    except ProductError as error:
        return [Item(f"Zabbix {declared.name} does not tell its delays", None, str(error)[:200])]
    return [Item(f"Zabbix's delay of {x.name[:100]}", x.every_s, "" if x.every_s else f"{x.written[:60]}: not fixed")
            for x in items]  # fmt: skip


def _triggers(scope: Scope, declared: SourceDecl) -> list[str]:
    """Those of the alerts that came from there: of several frontends, the one that the alert's link leads to."""
    one = sum(s.kind == ZABBIX for s in scope.connections.source) == 1
    own = [a for a in scope.alerts if one or a.url.startswith(declared.api_url.rstrip("/") + "/")]
    return sorted({t for a in own if (t := a.labels.get("trigger_id", "")).isdecimal()})[:SHOWN]


def _starts(scope: Scope) -> list[Item]:
    """How long after the first alert each other one began: what one system sees late shows here."""
    first = min(a.started_at for a in scope.alerts)
    later = sorted({(a.name, (a.started_at - first).total_seconds()) for a in scope.alerts})
    return [Item(f"{name} began after the first alert by", seconds) for name, seconds in later[:SHOWN]]


CHECK = Check(
    "alignment",
    Text("Do the witnesses' clocks agree?"),
    (
        Measure(
            "clock-differs",
            Text("Does a node's clock differ by a second or more?"), "s",
            if_seen=Text("An order of events across these sources proves nothing."),
            if_not=Text("Orders of events hold down to the intervals shown."),
        ),
    ),
    lambda _: True,
    _collect,
    needs=("prometheus", "zabbix api"),
    cost=2 + 2 * FRONTENDS,
    metrics=("node_time_seconds",),
)  # fmt: skip
