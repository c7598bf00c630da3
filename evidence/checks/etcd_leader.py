"""Did the leader really change, was a member restarted, did anybody see no leader, and who went silent?"""

from domain.findings import Item
from domain.text import Text
from evidence.check import UP, Ask, Charted, Check, Measure, MeasureResult, alternatives, chart, moment
from evidence.etcd_choice import etcds
from evidence.etcd_series import LEADERSHIP, SPAN_S, Members, read
from evidence.etcd_watch import blind, hidden, without_majority

# An operator moves a leader once; within this time a second switch is an election that somebody lost.
AGAIN_MS = 120_000


def _collect(ask: Ask) -> dict[str, MeasureResult]:
    members = read(ask, LEADERSHIP)
    return {
        "etcd-leader-switch": _switch(members),
        "etcd-member-restarted": _restarted(members),
        "etcd-no-leader-seen": _no_leader(members),
        "etcd-member-scrape-gap": _silent(members),
        "etcd-old-leader-silent": _old_leader(members),
        "etcd-member-down": _down(members),
        "etcd-switches-repeated": _repeated(members),
        "etcd-quorum-was-lost": _quorum(members),
    }


def _switch(members: Members) -> MeasureResult:
    counts = members.switches()
    if not counts:
        why = Text("no member that kept running counts leader changes")
        return MeasureResult(None, Text("Whether the leader changed is unknown."), why_unknown=why)
    least = min(counts.values())
    items = tuple(Item(name, value, exceeds=value > 0) for name, value in sorted(counts.items()))
    yes = (
        Text("Each of the {members} members that kept running counted at least one leader change.", members=len(counts))
        if least == 1
        else Text(
            "Each of the {members} members that kept running counted at least {changes:.0f} leader changes.",
            members=len(counts),
            changes=least,
        )
    )
    no = Text("Not every member that kept running counted a leader change: there was no switch.")
    series = chart(members.of("etcd_server_leader_changes_seen_total"), members.member)
    return MeasureResult(least > 0, yes if least > 0 else no, least, 0, items=items, series=series,
                first_seen_at=moment(members.switch_ms() if least > 0 else None))  # fmt: skip


def _unsampled(asked: Text, who: str = "") -> MeasureResult:
    """No sample is no answer: a member that was never scraped cannot be called healthy."""
    why = Text("no member was scraped within the window")
    if who:
        why = Text("{members} was not scraped within the window", members=who)
    return MeasureResult(None, Text("{statement} is unknown.", statement=asked), why_unknown=why)


def _repeated(members: Members) -> MeasureResult:
    """Several switches within two minutes, each of which all members that kept running counted."""
    counts = members.switches()
    if not counts:
        return _unsampled(Text("Whether the leader changed several times"))
    times = members.switch_times()
    most = max((sum(at <= later <= at + AGAIN_MS for later in times) for at in times), default=0)
    most = min(most, int(min(counts.values())))
    yes = Text("The leader changed {changes} times within two minutes.", changes=most)
    no = Text("The leader did not change several times within two minutes.")
    return MeasureResult(most > 1, yes if most > 1 else no, float(most), 1)


def _quorum(members: Members) -> MeasureResult:
    """Whether there was a time without a majority, by the series: it may be over when somebody asks."""
    span = without_majority(members)
    asked = Text("Whether there was a time without a majority")
    if span is not None:
        lasted_s = max(1.0, (span[1] - span[0]) / 1000)
        yes = Text("For {lasted_s:.0f} s or more too few members worked for a majority.", lasted_s=lasted_s)
        return MeasureResult(True, yes, lasted_s, 0, first_seen_at=moment(span[0]))
    if not members.of("up") or not any(p.value for line in members.of("up") for p in line.points):
        return _unsampled(asked)
    if blind(members):
        return _unwatched(members, asked)
    return MeasureResult(False, Text("No scrape saw too few members for a majority."), 0.0, 0)


def _unwatched(members: Members, asked: Text) -> MeasureResult:
    """Nobody was scraped for a while: what was then is not known, of one member no more than of all."""
    longest_s = max(end - start for start, end in blind(members)) / 1000
    why = Text("no member at all was scraped for {longest_s:.0f} s", longest_s=longest_s)
    return MeasureResult(None, Text("{statement} is unknown.", statement=asked), why_unknown=why)


def _restarted(members: Members) -> MeasureResult:
    if not members.of("process_start_time_seconds"):
        return _unsampled(Text("Whether a member was started anew"))
    found = members.restarts()
    who = ", ".join(sorted(found))
    yes = Text("The process of {members} was started anew within the window.", members=who)
    no = Text("No member's process was started anew.")
    return MeasureResult(bool(found), yes if found else no, float(len(found)), 0, who,
                first_seen_at=moment(min(found.values(), default=None)))  # fmt: skip


def _no_leader(members: Members) -> MeasureResult:
    if not members.of("etcd_server_has_leader"):
        return _unsampled(Text("Whether there was a time without a leader"))
    seen = members.leaderless()
    if not seen and blind(members):
        return _unwatched(members, Text("Whether there was a time without a leader"))
    who = ", ".join(sorted(seen))
    yes = Text("{members} reported that there was no leader.", members=who)
    no = Text("No scrape saw a member without a leader.")
    series = chart(members.of("etcd_server_has_leader"), members.member)
    return MeasureResult(bool(seen), yes if seen else no, float(len(seen)), 0, who, series=series,
                first_seen_at=moment(min(seen.values(), default=None)))  # fmt: skip


def _silent(members: Members) -> MeasureResult:
    if not members.of("up"):
        return _unsampled(Text("Whether a member fell silent"))
    unseen = blind(members)
    gaps = {name: gap for name, gap in members.silent().items() if not hidden(gap, unseen)}
    if not gaps and unseen:
        return _unwatched(members, Text("Whether a member fell silent"))
    who = ", ".join(sorted(gaps))
    longest = max(((to - since) / 1000 for since, to in gaps.values()), default=0.0)
    yes = Text(
        "{members} did not answer scrapes for {longest_s:.0f} s and went on as the same process.",
        members=who,
        longest_s=longest,
    )
    no = Text("No member fell silent and came back as the same process.")
    return MeasureResult(
        bool(gaps), yes if gaps else no, longest, 0, who, series=chart(members.of("up"), members.member),
        first_seen_at=moment(min((g[0] for g in gaps.values()), default=None)),
    )  # fmt: skip


def _old_leader(members: Members) -> MeasureResult:
    switch = members.switch_ms()
    leader = members.leader_before(switch) if switch else ""
    gap, unseen = members.silent().get(leader), blind(members)
    if not leader:
        why = Text("who led before is not known")
        return MeasureResult(None, Text("Whether the old leader fell silent is unknown."), why_unknown=why)
    if (gap and hidden(gap, unseen)) or (gap is None and unseen):
        return _unwatched(members, Text("Whether the old leader fell silent"))
    yes = Text("The leader {leader} fell silent around the switch.", leader=leader)
    no = Text("The leader before the switch, {leader}, kept answering scrapes.", leader=leader)
    return MeasureResult(gap is not None, yes if gap else no, None, None, leader)


def _down(members: Members) -> MeasureResult:
    found, never = members.down(), members.unseen()
    if not found and (never or not members.of("up")):
        return _unsampled(Text("Whether a member does not answer"), ", ".join(never))
    if found and any(end == members.end_ms for _, end in blind(members)):
        return _unwatched(members, Text("Whether a member does not answer"))
    who = ", ".join(sorted(found))
    yes = Text("{members} does not answer scrapes any more.", members=who)
    no = Text("At the end every member answers scrapes.")
    return MeasureResult(bool(found), yes if found else no, float(len(found)), 0, who,
                first_seen_at=moment(min(found.values(), default=None)))  # fmt: skip


SWITCHES = Charted(Text("leader changes that each member has counted since it started"))
LED = Charted(Text("the member sees a leader: 1 yes, 0 no"))
CHECK = Check(
    "etcd-leader",
    Text("Did the leader change, restart or fall silent?"),
    (
        Measure("etcd-leader-switch", Text("Did the leader really change?"), "changes", charted=SWITCHES),
        Measure("etcd-member-restarted", Text("Was a member restarted?"), "members"),
        Measure("etcd-no-leader-seen", Text("Was the cluster without a leader?"), "members", charted=LED),
        Measure("etcd-member-scrape-gap", Text("Did a member freeze?"), "s", charted=UP),
        Measure("etcd-old-leader-silent", Text("Did the old leader fall silent?")),
        Measure("etcd-member-down", Text("Is a member down?"), "members"),
        Measure("etcd-switches-repeated", Text("Did the leader change several times in a row?"), "changes"),
        Measure("etcd-quorum-was-lost", Text("Was there a time without a majority?"), "s"),
    ),
    lambda scope: bool(etcds(scope)),
    _collect,
    metrics=alternatives(LEADERSHIP),
    span_s=SPAN_S,
)
