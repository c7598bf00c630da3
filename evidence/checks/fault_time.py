"""When did the fault begin, and is it over? Every other check measures within these times."""

from datetime import datetime

from domain.errors import Refused
from domain.scope import FaultTime
from domain.text import Text
from evidence.check import Ask, Check, Measure, MeasureResult


def _collect(ask: Ask) -> dict[str, MeasureResult]:
    fault = ask.scope.fault
    if fault is None:
        raise Refused(Text("the times of the fault were not looked for"))
    ask.query, ask.connection = fault.query, fault.connection
    ask.start, ask.end = fault.began, ask.scope.as_of
    return {"fault-began": _began(fault, ask.scope.started_at), "fault-over": _over(fault.ended, ask.scope.as_of)}


def _began(fault: FaultTime, alerted: datetime) -> MeasureResult:
    lead_s = (alerted - fault.began).total_seconds()
    return MeasureResult(True, fault.known_by, lead_s, first_seen_at=fault.began, asked=bool(fault.query))


def _over(ended: datetime | None, as_of: datetime) -> MeasureResult:
    if ended is None:
        return MeasureResult(False, Text("An alert still fires."), asked=False)
    since_s = (as_of - ended).total_seconds()
    yes = Text(
        "The last alert ended at {at}, {since_s:.0f} s before the look.", at=f"{ended:%H:%M:%S}", since_s=since_s
    )
    return MeasureResult(True, yes, since_s, asked=False)


CHECK = Check(
    "fault-time",
    Text("When did the fault begin, and is it over?"),
    (
        Measure(
            "fault-began", Text("When did the fault begin?"), "s",
            if_seen=Text("Checks look for the fault from five minutes before this time on."),
        ),
        Measure(
            "fault-over", Text("Is the fault over?"), "s",
            if_seen=Text("What a question finds after the end speaks for no cause and against none."),
            if_not=Text("What is found now is found during the fault."),
        ),
    ),
    lambda _: True,
    _collect,
    cost=3,
)  # fmt: skip
