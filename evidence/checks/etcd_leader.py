"""Did the leader really change, was a member restarted, did anybody see no leader, and who went silent?"""

from domain.findings import Item
from domain.text import Text
from evidence.check import UP, Ask, Charted, Check, Measure, MeasureResult, chart, moment
from evidence.etcd_choice import etcds
from evidence.etcd_series import LEADERSHIP, Members, read


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


def _times(count: float) -> str:
    return "one leader change" if count == 1 else f"{count:.0f} leader changes"


def _switch(members: Members) -> MeasureResult:
    counts = members.switches()
    if not counts:
        why = Text("no member that kept running counts leader changes", "没有持续运行的成员提供换主计数")
        return MeasureResult(
            None, Text("Whether the leader changed is unknown.", "无法确定是否换主。"), why_unknown=why
        )
    least = min(counts.values())
    items = tuple(Item(name, value, exceeds=value > 0) for name, value in sorted(counts.items()))
    yes = Text(
        f"Each of the {len(counts)} members that kept running counted at least {_times(least)}.",
        f"{len(counts)} 个持续运行的成员均至少记录了 {least:.0f} 次换主。",
    )
    no = Text(
        "Not every member that kept running counted a leader change: there was no switch.",
        "并非所有持续运行的成员都记录了换主：没有发生换主。",
    )
    series = chart(members.of("etcd_server_leader_changes_seen_total"), members.member)
    return MeasureResult(least > 0, yes if least > 0 else no, least, 0, items=items, series=series,
                first_seen_at=moment(members.switch_ms() if least > 0 else None))  # fmt: skip


def _unsampled(asked: Text, who: str = "") -> MeasureResult:
    """No sample is no answer: a member that was never scraped cannot be called healthy."""
    why = Text(f"{who or 'no member'} was {'not ' if who else ''}scraped within the window",
               f"时间窗内没有采集到{who or '任何成员'}")  # fmt: skip
    return MeasureResult(None, Text(f"{asked.en} is unknown.", f"{asked.zh}未知。"), why_unknown=why)


def _restarted(members: Members) -> MeasureResult:
    if not members.of("process_start_time_seconds"):
        return _unsampled(Text("Whether a member was started anew", "是否有成员重新启动"))
    found = members.restarts()
    who = ", ".join(sorted(found))
    yes = Text(f"The process of {who} was started anew within the window.", f"{who} 的进程在时间窗内重新启动过。")
    no = Text("No member's process was started anew.", "没有成员进程重新启动。")
    return MeasureResult(bool(found), yes if found else no, float(len(found)), 0, who,
                first_seen_at=moment(min(found.values(), default=None)))  # fmt: skip


def _no_leader(members: Members) -> MeasureResult:
    if not members.of("etcd_server_has_leader"):
        return _unsampled(Text("Whether there was a time without a leader", "是否曾经无主"))
    seen = members.leaderless()
    who = ", ".join(sorted(seen))
    yes = Text(f"{who} reported that there was no leader.", f"{who} 曾报告没有主节点。")
    no = Text("No scrape saw a member without a leader.", "所有采样中成员都有主节点。")
    series = chart(members.of("etcd_server_has_leader"), members.member)
    return MeasureResult(bool(seen), yes if seen else no, float(len(seen)), 0, who, series=series,
                first_seen_at=moment(min(seen.values(), default=None)))  # fmt: skip


def _silent(members: Members) -> MeasureResult:
    if not members.of("up"):
        return _unsampled(Text("Whether a member fell silent", "是否有成员静默"))
    gaps = members.silent()
    who = ", ".join(sorted(gaps))
    longest = max(((to - since) / 1000 for since, to in gaps.values()), default=0.0)
    yes = Text(
        f"{who} did not answer scrapes for {longest:.0f} s and went on as the same process.",
        f"{who} 有 {longest:.0f} 秒未响应采集，随后由同一进程继续运行。",
    )
    no = Text("No member fell silent and came back as the same process.", "没有成员静默后以同一进程恢复。")
    return MeasureResult(bool(gaps), yes if gaps else no, longest, 0, who, series=chart(members.of("up"), members.member),
                first_seen_at=moment(min((g[0] for g in gaps.values()), default=None)))  # fmt: skip


def _old_leader(members: Members) -> MeasureResult:
    switch = members.switch_ms()
    leader = members.leader_before(switch) if switch else ""
    gap = members.silent().get(leader)
    if not leader:
        why = Text("who led before is not known", "此前的主节点未知")
        return MeasureResult(
            None, Text("Whether the old leader fell silent is unknown.", "无法确定旧主是否静默。"), why_unknown=why
        )
    yes = Text(f"The leader {leader} fell silent around the switch.", f"主节点 {leader} 在换主前后静默。")
    no = Text(
        f"The leader before the switch, {leader}, kept answering scrapes.", f"换主前的主节点 {leader} 一直响应采集。"
    )
    return MeasureResult(gap is not None, yes if gap else no, None, None, leader)


def _down(members: Members) -> MeasureResult:
    found, never = members.down(), members.unseen()
    if not found and (never or not members.of("up")):
        return _unsampled(Text("Whether a member does not answer", "是否有成员不响应"), ", ".join(never))
    who = ", ".join(sorted(found))
    yes = Text(f"{who} does not answer scrapes any more.", f"{who} 已不再响应采集。")
    no = Text("At the end every member answers scrapes.", "时间窗末尾所有成员都响应采集。")
    return MeasureResult(bool(found), yes if found else no, float(len(found)), 0, who,
                first_seen_at=moment(min(found.values(), default=None)))  # fmt: skip


SWITCHES = Charted(Text("leader changes that each member has counted since it started", "各成员启动以来记录的换主次数"))
LED = Charted(Text("the member sees a leader: 1 yes, 0 no", "成员能看到主节点：1 是，0 否"))
CHECK = Check(
    "etcd-leader",
    Text("Did the leader change, restart or fall silent?", "主节点是否变更、重启或静默？"),
    (
        Measure(
            "etcd-leader-switch", Text("Did the leader really change?", "是否真的换主？"), "changes", charted=SWITCHES
        ),
        Measure("etcd-member-restarted", Text("Was a member restarted?", "是否有成员重启？"), "members"),
        Measure(
            "etcd-no-leader-seen", Text("Was the cluster without a leader?", "集群是否曾无主？"), "members", charted=LED
        ),
        Measure("etcd-member-scrape-gap", Text("Did a member freeze?", "是否有成员冻结？"), "s", charted=UP),
        Measure("etcd-old-leader-silent", Text("Did the old leader fall silent?", "旧主节点是否静默？")),
        Measure("etcd-member-down", Text("Is a member down?", "是否有成员宕机？"), "members"),
    ),
    lambda scope: bool(etcds(scope)),
    _collect,
)
