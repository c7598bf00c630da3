"""Did the leader really change, was a member restarted, did anybody see no leader, and who went silent?"""

from domain.findings import Item
from domain.text import Text
from evidence.check import UP, Ask, Charted, Check, Measure, MeasureResult, alternatives, chart, moment
from evidence.etcd_choice import etcds
from evidence.etcd_series import LEADERSHIP, SPAN_S, Members, read


def _collect(ask: Ask) -> dict[str, MeasureResult]:
    members = read(ask, LEADERSHIP)
    return {
        "etcd-leader-switch": _switch(members),
        "etcd-member-restarted": _restarted(members),
        "etcd-no-leader-seen": _no_leader(members),
        "etcd-member-scrape-gap": _silent(members),
        "etcd-old-leader-silent": _old_leader(members),
        "etcd-member-down": _down(members),
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
    who = ", ".join(sorted(seen))
    yes = Text("{members} reported that there was no leader.", members=who)
    no = Text("No scrape saw a member without a leader.")
    series = chart(members.of("etcd_server_has_leader"), members.member)
    return MeasureResult(bool(seen), yes if seen else no, float(len(seen)), 0, who, series=series,
                first_seen_at=moment(min(seen.values(), default=None)))  # fmt: skip


def _silent(members: Members) -> MeasureResult:
    if not members.of("up"):
        return _unsampled(Text("Whether a member fell silent"))
    gaps = members.silent()
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
    gap = members.silent().get(leader)
    if not leader:
        why = Text("who led before is not known")
        return MeasureResult(None, Text("Whether the old leader fell silent is unknown."), why_unknown=why)
    yes = Text("The leader {leader} fell silent around the switch.", leader=leader)
    no = Text("The leader before the switch, {leader}, kept answering scrapes.", leader=leader)
    return MeasureResult(gap is not None, yes if gap else no, None, None, leader)


def _down(members: Members) -> MeasureResult:
    found, never = members.down(), members.unseen()
    if not found and (never or not members.of("up")):
        return _unsampled(Text("Whether a member does not answer"), ", ".join(never))
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
    ),
    lambda scope: bool(etcds(scope)),
    _collect,
    metrics=alternatives(LEADERSHIP),
    span_s=SPAN_S,
)
