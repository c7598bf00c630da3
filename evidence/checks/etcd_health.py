"""What do the members themselves say now? Every declared endpoint is asked; a member list is never relied on."""

from domain.errors import Refused
from domain.findings import Item
from domain.text import Text
from evidence.check import Ask, Check, Measure, MeasureResult
from evidence.clients.etcd import MemberHealth, ask_members
from evidence.etcd_choice import etcd_of, etcds

Members = tuple[MemberHealth, ...]
QUESTIONS = "GET /health, /livez, /readyz; POST /v3/maintenance/status, /v3/maintenance/alarm"


def _collect(ask: Ask) -> dict[str, MeasureResult]:
    etcd = etcd_of(ask.scope)
    if not etcd.member:
        raise Refused(
            Text(
                "no etcd members are declared; add [[etcd.member]] with their endpoints",
                "未声明 etcd 成员；请添加含 endpoint 的 [[etcd.member]]",
            )
        )
    ask.connection, ask.query = etcd.name, QUESTIONS
    ask.start = ask.end = ask.scope.as_of
    health = ask_members(etcd, ask.transports)
    items = tuple(Item(h.name, None, h.note, h.bad or h.state == "hangs") for h in health)
    return {
        "etcd-member-unhealthy": _state(
            health, [h for h in health if h.bad], items,
            Text("cannot be reached or says it is unhealthy", "无法连接或报告不健康"),
            Text("No member refuses connections or says it is unhealthy.", "没有成员拒绝连接或报告不健康。"),
        ),
        "etcd-member-hangs": _state(
            health, [h for h in health if h.state == "hangs"], items,
            Text("accepts connections and does not answer", "接受连接但不响应"),
            Text("No member accepts connections without an answer.", "没有成员接受连接却不响应。"),
        ),
        "etcd-quorum-lost": _quorum(health, items),
        "etcd-no-consensus": _no_consensus(health, items),
        "etcd-space-alarm": _alarm(health),
    }  # fmt: skip


def _unasked(health: Members) -> Text | None:
    """Why some members could not be asked by us, None when all could."""
    who = [f"{h.name}: {h.detail}" for h in health if h.state == "unasked"]
    return (
        Text(f"not all members can be asked ({'; '.join(who)})", f"部分成员无法查询（{'；'.join(who)}）")
        if who
        else None
    )


def _state(health: Members, found: list[MemberHealth], items: tuple[Item, ...], words: Text, no: Text) -> MeasureResult:
    who, why = ", ".join(h.name for h in found), _unasked(health)
    if why and not found:
        return MeasureResult(None, Text(f"Whether a member {words.en}, is unknown.", f"是否有成员{words.zh}，未知。"),
                    items=items, why_unknown=why)  # fmt: skip
    yes = Text(f"{who} {words.en}.", f"{who} {words.zh}。")
    return MeasureResult(bool(found), yes if found else no, float(len(found)), 0, who, items=items)


def _quorum(health: Members, items: tuple[Item, ...]) -> MeasureResult:
    """By the voting members; those that could not be asked may be either."""
    voting = [h for h in health if not h.learner]
    works, unasked = sum(h.counts for h in voting), sum(h.state == "unasked" for h in voting)
    need = len(voting) // 2 + 1
    if works < need <= works + unasked:
        return MeasureResult(None, Text("Whether the quorum is lost is unknown.", "是否失去多数派，未知。"), float(works),
                    float(need), items=items, why_unknown=_unasked(health))  # fmt: skip
    lost = works < need
    yes = Text(f"Only {works} of {len(voting)} voting members work; {need} are needed.",
               f"{len(voting)} 个有投票权的成员中只有 {works} 个正常，至少需要 {need} 个。")  # fmt: skip
    no = Text(f"{works} of {len(voting)} voting members work.", f"{len(voting)} 个有投票权的成员中有 {works} 个正常。")
    return MeasureResult(lost, yes if lost else no, float(works), float(need), items=items)


def _no_consensus(health: Members, items: tuple[Item, ...]) -> MeasureResult:
    """A member that reads its own disk and cannot agree with the others is cut off, not broken."""
    ill = [h for h in health if h.state == "unhealthy" and not h.counts]
    cut, unsure = [h.name for h in ill if h.local_read], [h.name for h in ill if h.local_read is None]
    if unsure and not cut:
        why = Text(f"the local read of {', '.join(unsure)} was not answered", f"{', '.join(unsure)} 的本地读取没有答复")
        sentence = Text("Whether an unhealthy member reads locally is unknown.", "不健康成员能否本地读取，未知。")
        return MeasureResult(None, sentence, items=items, why_unknown=why)
    who = ", ".join(cut)
    yes = Text(f"{who} reads locally and cannot reach consensus: its own disk answers, the others do not.",
               f"{who} 可本地读取但无法达成共识：自身磁盘正常，无法与其他成员达成一致。")  # fmt: skip
    no = Text("No member reads locally while it lacks consensus.", "没有成员处于可本地读取却无法达成共识的状态。")
    return MeasureResult(bool(cut), yes if cut else no, float(len(cut)), 0, who, items=items)


def _alarm(health: Members) -> MeasureResult:
    known = [h.alarms for h in health if h.alarms is not None]
    if not known:
        return MeasureResult(
            None, Text("Alarms are unknown.", "告警状态未知。"), why_unknown=Text("no member answers", "没有成员响应")
        )
    space = any("NOSPACE" in alarms for alarms in known)
    yes = Text("The alarm NOSPACE is set: etcd refuses writes.", "已触发 NOSPACE 告警：etcd 拒绝写入。")
    no = Text("No space alarm is set.", "没有空间告警。")
    return MeasureResult(space, yes if space else no)


CHECK = Check(
    "etcd-health",
    Text("What do the members say now?", "各成员现在的状态如何？"),
    (
        Measure("etcd-member-unhealthy", Text("Is a member unhealthy?", "是否有成员不健康？"), "members"),
        Measure("etcd-member-hangs", Text("Does a member hang?", "是否有成员无响应？"), "members"),
        Measure("etcd-quorum-lost", Text("Is the quorum lost?", "是否失去多数派？"), "members"),
        Measure(
            "etcd-no-consensus",
            Text("Does a member read locally without consensus?", "是否有成员可本地读取却无法达成共识？"),
            "members",
        ),
        Measure("etcd-space-alarm", Text("Is the space alarm set?", "是否触发空间告警？")),
    ),
    lambda scope: bool(etcds(scope)),
    _collect,
    needs=("etcd",),
    cost=25,  # five of each of five members
)
