"""Does the node's network itself lose packets: connection tracking near its limit, TCP segments sent again?"""

import re
from dataclasses import dataclass

from domain.entities import EntityKind
from domain.errors import Refused
from domain.findings import Item
from domain.text import Text
from evidence.check import Ask, Charted, Check, Measure, MeasureResult, alternatives, chart, unmeasured
from evidence.clients.prometheus import Answered, Line, escape
from evidence.etcd_series import increase
from evidence.onset import end_ms, onset_ms
from evidence.pods import about_probes, ask_any, named, places

METRICS = (
    "node_nf_conntrack_(entries|entries_limit|stat_drop|stat_early_drop|stat_insert_failed)|"
    "node_netstat_Tcp_(RetransSegs|OutSegs)"
)
FULL = 0.9
# A few in a thousand are usual between data centres; one in fifty is felt by every request.
RESENT = 0.02
RISEN = 3.0


def _collect(ask: Ask) -> dict[str, MeasureResult]:
    names = sorted({name for place in places(ask) for name in (place.node, *place.addresses)})
    pattern = "|".join(re.escape(name) for name in names)
    answered = ask_any(ask, f'{{__name__=~"{METRICS}",instance=~"({escape(pattern)})(:[0-9]+)?"}}', step_s=15)
    if not answered.lines:
        raise Refused(Text("no node_exporter of {names} is scraped, by its `instance` label", names=", ".join(names)))
    window = onset_ms(ask.scope), end_ms(ask.scope)
    return {"conntrack-near-limit": _tracked(answered, window), "tcp-retransmits-high": _resent(answered, window)}


def _instance(line: Line) -> str:
    return line.labels.get("instance", "")


def _tracked(answered: Answered, window: tuple[int, int]) -> MeasureResult:
    limits = {_instance(x): x.points[-1].value for x in named(answered, "node_nf_conntrack_entries_limit") if x.points}
    lines = [x for x in named(answered, "node_nf_conntrack_entries") if limits.get(_instance(x), 0) > 0]
    shares = {_instance(x): max(x.between(*window), default=0.0) / limits[_instance(x)] for x in lines}
    if not shares:
        return unmeasured(Text("node_exporter tells no conntrack table"))
    kinds = ("stat_drop", "stat_early_drop", "stat_insert_failed")
    dropped = sum(increase(x, *window) for k in kinds for x in named(answered, f"node_nf_conntrack_{k}"))
    name = max(sorted(shares), key=lambda n: shares[n])
    seen = shares[name] >= FULL
    sentence = Text(
        "The conntrack table of {name} was filled to {share:.0%}; {dropped:.0f} entries were dropped.",
        name=name,
        share=shares[name],
        dropped=dropped,
    )
    items = tuple(Item(n, v, exceeds=v >= FULL) for n, v in sorted(shares.items()))
    return MeasureResult(seen, sentence, shares[name], FULL, name, items=items, series=chart(lines, _instance))


def _resent(answered: Answered, window: tuple[int, int]) -> MeasureResult:
    sent = {_instance(line): line for line in named(answered, "node_netstat_Tcp_OutSegs")}
    resent = named(answered, "node_netstat_Tcp_RetransSegs")
    lines = [line for line in resent if _instance(line) in sent and line.points]
    nodes = _resent_by_node(lines, sent, window)
    if not nodes:
        return unmeasured(Text("node_exporter tells no TCP segments"))
    high = [node for node in nodes if node.is_high]
    shown = high[0] if high else max(nodes, key=lambda node: node.share)
    items = tuple(Item(node.name, node.share, exceeds=node.is_high) for node in nodes)
    series = chart(lines, _instance)
    return MeasureResult(bool(high), shown.sentence(), shown.share, RESENT, shown.name, items=items, series=series)


@dataclass(frozen=True, slots=True)
class _ResentShare:
    """One node: the share of its TCP segments that it sent again, in the window and before it (None: unknown)."""

    name: str
    share: float
    before: float | None

    @property
    def is_high(self) -> bool:
        """Whether the share is high, and risen over what it was before."""
        return self.share >= RESENT and (self.before is None or self.share >= RISEN * self.before)

    def sentence(self) -> Text:
        """For a reader, with the share before where it is known."""
        if self.before is None:
            return Text("{name} sent {share:.2%} of its TCP segments again.", name=self.name, share=self.share)
        return Text(
            "{name} sent {share:.2%} of its TCP segments again, {before:.2%} before.",
            name=self.name,
            share=self.share,
            before=self.before,
        )


def _resent_by_node(lines: list[Line], sent: dict[str, Line], window: tuple[int, int]) -> list[_ResentShare]:
    """By name; without the nodes that sent too little in the window."""
    start, end = window
    found = {}
    for line in lines:
        name = _instance(line)
        share = _share(line, sent[name], start, end)
        if share is not None:
            found[name] = _ResentShare(name, share, _share(line, sent[name], 0, start))
    return [found[name] for name in sorted(found)]


def _share(resent: Line, sent: Line, start: int, end: int) -> float | None:
    """The share of segments sent again, 0 to 1; None where fewer than 100 were sent."""
    total = increase(sent, start, end)
    return increase(resent, start, end) / total if total >= 100 else None


TRACKED = Charted(Text("tracked connections"))
SENT_AGAIN = Charted(Text("TCP segments sent again so far"))
CHECK = Check(
    "node-network",
    Text("Does the node's network lose packets?"),
    (
        Measure(
            "conntrack-near-limit",
            Text("Is connection tracking near its limit?"),
            "share",
            charted=TRACKED,
        ),
        Measure(
            "tcp-retransmits-high",
            Text("Are many TCP segments sent again?"),
            "share",
            charted=SENT_AGAIN,
        ),
    ),
    lambda scope: about_probes(scope) or bool(scope.of_kind(EntityKind.HOST)),
    _collect,
    cost=2,
    metrics=alternatives(METRICS),
)
