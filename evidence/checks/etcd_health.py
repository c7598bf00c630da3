"""What do the members themselves say now? Every declared endpoint is asked; a member list is never relied on."""

from domain.errors import Refused
from domain.findings import Item
from domain.text import Text
from evidence.checks.check import Ask, Check, Measure, Told
from evidence.clients.etcd import MemberHealth, ask_members
from evidence.etcd_choice import etcds


def _collect(ask: Ask) -> dict[str, Told]:
    clusters = [etcd for etcd in etcds(ask.scope) if etcd.member]
    if not clusters:
        raise Refused("no etcd members are declared; add [[etcd.member]] with their endpoints")
    ask.connection, ask.query = clusters[0].name, "GET /health, POST /v3/maintenance/status"
    ask.start = ask.end = ask.scope.as_of
    health = ask_members(clusters[0], ask.transports)
    items = tuple(Item(h.name, None, f"{h.state} {h.detail}".strip(), h.state != "healthy") for h in health)
    bad = [h for h in health if h.state in {"refused", "unhealthy"}]
    hangs = [h for h in health if h.state == "hangs"]
    return {
        "etcd-member-unhealthy": _state(
            bad, "refuses connections or says it is unhealthy", "拒绝连接或报告不健康", items
        ),
        "etcd-member-hangs": _state(hangs, "accepts connections and does not answer", "接受连接但不响应", items),
        "etcd-quorum-lost": _quorum(health, items),
        "etcd-space-alarm": _alarm(health),
    }


def _state(found: list[MemberHealth], en: str, zh: str, items: tuple[Item, ...]) -> Told:
    who = ", ".join(h.name for h in found)
    yes, no = Text(f"{who} {en}.", f"{who} {zh}。"), Text(f"No member {en}.", f"没有成员{zh}。")
    return Told(bool(found), yes if found else no, float(len(found)), 0, who, items=items)


def _quorum(health: tuple[MemberHealth, ...], items: tuple[Item, ...]) -> Told:
    healthy = sum(h.state == "healthy" for h in health)
    need = len(health) // 2 + 1
    lost = healthy < need
    yes = Text(f"Only {healthy} of {len(health)} members are healthy; {need} are needed.",
               f"{len(health)} 个成员中只有 {healthy} 个健康，至少需要 {need} 个。")  # fmt: skip
    no = Text(f"{healthy} of {len(health)} members are healthy.", f"{len(health)} 个成员中有 {healthy} 个健康。")
    return Told(lost, yes if lost else no, float(healthy), float(need), items=items)


def _alarm(health: tuple[MemberHealth, ...]) -> Told:
    found = sorted({alarm for h in health for alarm in h.alarms})
    if not found and not any(h.state == "healthy" for h in health):
        return Told(
            None, Text("Alarms are unknown.", "告警状态未知。"), why_unknown=Text("no member answers", "没有成员响应")
        )
    space = "NOSPACE" in found
    yes = Text("The alarm NOSPACE is set: etcd refuses writes.", "已触发 NOSPACE 告警：etcd 拒绝写入。")
    no = Text("No space alarm is set.", "没有空间告警。")
    return Told(space, yes if space else no)


CHECK = Check(
    "etcd-health",
    Text("What do the members say now?", "各成员现在的状态如何？"),
    (
        Measure("etcd-member-unhealthy", Text("Is a member unhealthy?", "是否有成员不健康？"), "members"),
        Measure("etcd-member-hangs", Text("Does a member hang?", "是否有成员无响应？"), "members"),
        Measure("etcd-quorum-lost", Text("Is the quorum lost?", "是否失去多数派？"), "members"),
        Measure("etcd-space-alarm", Text("Is the space alarm set?", "是否触发空间告警？")),
    ),
    lambda scope: bool(etcds(scope)),
    _collect,
)
