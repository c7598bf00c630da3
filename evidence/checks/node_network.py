"""Does the node's network itself lose packets: connection tracking near its limit, TCP segments sent again?"""

import re

from domain.entities import EntityKind
from domain.errors import Refused
from domain.findings import Item
from domain.text import Text
from evidence.check import Ask, Charted, Check, Measure, MeasureResult, chart, unmeasured
from evidence.clients.prometheus import Answered, Line, escape
from evidence.etcd_series import increase
from evidence.pods import about_probes, ask_any, end_ms, named, onset_ms, places

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
    start, end = window
    sent = {_instance(x): x for x in named(answered, "node_netstat_Tcp_OutSegs")}
    lines = [x for x in named(answered, "node_netstat_Tcp_RetransSegs") if _instance(x) in sent and x.points]
    shares: dict[str, tuple[float, float | None]] = {}
    for line in lines:
        since, before = _share(line, sent[_instance(line)], start, end), _share(line, sent[_instance(line)], 0, start)
        if since is not None:
            shares[_instance(line)] = (since, before)
    if not shares:
        return unmeasured(Text("node_exporter tells no TCP segments"))
    high = [n for n, (s, b) in sorted(shares.items()) if s >= RESENT and (b is None or s >= RISEN * b)]
    name = high[0] if high else max(sorted(shares), key=lambda n: shares[n][0])
    share, before = shares[name]
    sentence = (
        Text("{name} sent {share:.2%} of its TCP segments again.", name=name, share=share)
        if before is None
        else Text(
            "{name} sent {share:.2%} of its TCP segments again, {before:.2%} before.",
            name=name,
            share=share,
            before=before,
        )
    )
    items = tuple(Item(n, s, exceeds=n in high) for n, (s, _) in sorted(shares.items()))
    return MeasureResult(bool(high), sentence, share, RESENT, name, items=items, series=chart(lines, _instance))


def _share(resent: Line, sent: Line, start: int, end: int) -> float | None:
    """None where too little was sent to say anything."""
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
)
