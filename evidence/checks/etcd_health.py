"""What do the members themselves say now? Every declared endpoint is asked; a member list is never relied on."""

from domain.errors import Refused
from domain.findings import Item
from domain.text import Text, listed
from evidence.check import Ask, Check, Measure, MeasureResult
from evidence.clients.etcd import MemberHealth, ask_members
from evidence.etcd_choice import etcd_of, etcds

Members = tuple[MemberHealth, ...]
QUESTIONS = "GET /health, /livez, /readyz; POST /v3/maintenance/status, /v3/maintenance/alarm"


def _collect(ask: Ask) -> dict[str, MeasureResult]:
    etcd = etcd_of(ask.scope)
    if not etcd.member:
        raise Refused(Text("no etcd members are declared; add [[etcd.member]] with their endpoints"))
    ask.connection, ask.query = etcd.name, QUESTIONS
    ask.start = ask.end = ask.scope.as_of
    health = ask_members(etcd, ask.transports)
    items = tuple(Item(h.name, None, h.note, h.bad or h.state == "hangs") for h in health)
    return {
        "etcd-member-unhealthy": _state(
            health, [h for h in health if h.bad], items,
            Text("cannot be reached or says it is unhealthy"),
            Text("No member refuses connections or says it is unhealthy."),
        ),
        "etcd-member-hangs": _state(
            health, [h for h in health if h.state == "hangs"], items,
            Text("accepts connections and does not answer"),
            Text("No member accepts connections without an answer."),
        ),
        "etcd-quorum-lost": _quorum(health, items),
        "etcd-no-consensus": _no_consensus(health, items),
        "etcd-space-alarm": _alarm(health),
    }  # fmt: skip


def _unasked(health: Members) -> Text | None:
    """Why some members could not be asked by us, None when all could."""
    who = [
        Text("{name}: {detail}", context="member", name=h.name, detail=h.detail) for h in health if h.state == "unasked"
    ]
    return Text("not all members can be asked ({members})", members=listed(who)) if who else None


def _state(health: Members, found: list[MemberHealth], items: tuple[Item, ...], words: Text, no: Text) -> MeasureResult:
    who, why = ", ".join(h.name for h in found), _unasked(health)
    if why and not found:
        return MeasureResult(
            None, Text("Whether a member {words}, is unknown.", words=words), items=items, why_unknown=why
        )
    yes = Text("{who} {words}.", who=who, words=words)
    return MeasureResult(bool(found), yes if found else no, float(len(found)), 0, who, items=items)


def _quorum(health: Members, items: tuple[Item, ...]) -> MeasureResult:
    """By the voting members; those that could not be asked may be either."""
    voting = [h for h in health if not h.learner]
    works, unasked = sum(h.counts for h in voting), sum(h.state == "unasked" for h in voting)
    need = len(voting) // 2 + 1
    if works < need <= works + unasked:
        return MeasureResult(
            None,
            Text("Whether the quorum is lost is unknown."),
            float(works),
            float(need),
            items=items,
            why_unknown=_unasked(health),
        )
    lost = works < need
    yes = Text(
        "Only {works} of {voting} voting members work; {need} are needed.", works=works, voting=len(voting), need=need
    )
    no = Text("{works} of {voting} voting members work.", works=works, voting=len(voting))
    return MeasureResult(lost, yes if lost else no, float(works), float(need), items=items)


def _no_consensus(health: Members, items: tuple[Item, ...]) -> MeasureResult:
    """A member that reads its own disk and cannot agree with the others is cut off, not broken."""
    ill = [h for h in health if h.state == "unhealthy" and not h.counts]
    cut, unsure = [h.name for h in ill if h.local_read], [h.name for h in ill if h.local_read is None]
    if unsure and not cut:
        why = Text("the local read of {unsure} was not answered", unsure=", ".join(unsure))
        sentence = Text("Whether an unhealthy member reads locally is unknown.")
        return MeasureResult(None, sentence, items=items, why_unknown=why)
    who = ", ".join(cut)
    yes = Text("{who} reads locally and cannot reach consensus: its own disk answers, the others do not.", who=who)
    no = Text("No member reads locally while it lacks consensus.")
    return MeasureResult(bool(cut), yes if cut else no, float(len(cut)), 0, who, items=items)


def _alarm(health: Members) -> MeasureResult:
    known = [h.alarms for h in health if h.alarms is not None]
    if not known:
        return MeasureResult(None, Text("Alarms are unknown."), why_unknown=Text("no member answers"))
    space = any("NOSPACE" in alarms for alarms in known)
    yes = Text("The alarm NOSPACE is set: etcd refuses writes.")
    no = Text("No space alarm is set.")
    return MeasureResult(space, yes if space else no)


CHECK = Check(
    "etcd-health",
    Text("What do the members say now?"),
    (
        Measure("etcd-member-unhealthy", Text("Is a member unhealthy?"), "members"),
        Measure("etcd-member-hangs", Text("Does a member hang?"), "members"),
        Measure("etcd-quorum-lost", Text("Is the quorum lost?"), "members"),
        Measure(
            "etcd-no-consensus",
            Text("Does a member read locally without consensus?"),
            "members",
        ),
        Measure("etcd-space-alarm", Text("Is the space alarm set?")),
    ),
    lambda scope: bool(etcds(scope)),
    _collect,
    needs=("etcd",),
    cost=25,  # five of each of five members
)
