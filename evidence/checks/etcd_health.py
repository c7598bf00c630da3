"""What do the members themselves report now? Every declared endpoint is asked; a member list is never relied on."""

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
    unasked = [h for h in health if h.state == "unasked"]
    if not unasked:
        return None
    reasons = [Text("{name}: {detail}", context="member", name=h.name, detail=h.detail) for h in unasked]
    return Text("not all members can be asked ({members})", members=listed(reasons))


def _state(
    health: Members, found: list[MemberHealth], items: tuple[Item, ...], symptom: Text, no: Text
) -> MeasureResult:
    """Whether any member is in `found`; unknown where none is and some could not be asked."""
    why = _unasked(health)
    if why and not found:
        sentence = Text("Whether a member {symptom}, is unknown.", symptom=symptom)
        return MeasureResult(None, sentence, items=items, why_unknown=why)
    members = ", ".join(h.name for h in found)
    yes = Text("{members} {symptom}.", members=members, symptom=symptom)
    return MeasureResult(bool(found), yes if found else no, float(len(found)), 0, members, items=items)


def _quorum(health: Members, items: tuple[Item, ...]) -> MeasureResult:
    """By the voting members; those that could not be asked may be either."""
    voting = [h for h in health if not h.learner]
    working = sum(h.counts for h in voting)
    unasked = sum(h.state == "unasked" for h in voting)
    needed = len(voting) // 2 + 1
    if working >= needed:
        sentence = Text("{working} of {voting} voting members work.", working=working, voting=len(voting))
        return MeasureResult(False, sentence, float(working), float(needed), items=items)
    if working + unasked >= needed:
        sentence, why = Text("Whether the quorum is lost is unknown."), _unasked(health)
        return MeasureResult(None, sentence, float(working), float(needed), items=items, why_unknown=why)
    sentence = Text(
        "Only {working} of {voting} voting members work; {needed} are needed.",
        working=working,
        voting=len(voting),
        needed=needed,
    )
    return MeasureResult(True, sentence, float(working), float(needed), items=items)


def _no_consensus(health: Members, items: tuple[Item, ...]) -> MeasureResult:
    """A member that reads its own disk and cannot agree with the others is cut off, not broken."""
    ill = [h for h in health if h.state == "unhealthy" and not h.counts]
    cut_off = [h.name for h in ill if h.local_read]
    if cut_off:
        members = ", ".join(cut_off)
        sentence = Text(
            "{members} reads locally and cannot reach consensus: its own disk answers, the others do not.",
            members=members,
        )
        return MeasureResult(True, sentence, float(len(cut_off)), 0, members, items=items)
    unanswered = [h.name for h in ill if h.local_read is None]
    if unanswered:
        why = Text("the local read of {members} was not answered", members=", ".join(unanswered))
        sentence = Text("Whether an unhealthy member reads locally is unknown.")
        return MeasureResult(None, sentence, items=items, why_unknown=why)
    sentence = Text("No member reads locally while it lacks consensus.")
    return MeasureResult(False, sentence, 0.0, 0, "", items=items)


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
