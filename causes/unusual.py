"""The series of the findings that were most unusual at the incident's start, as one finding of their own."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from domain.findings import Finding, Item, Series
from domain.text import Text
from ml.detector import Anomaly, anomaly

MEASURE = "series-unusual"
# Alerts fire after the trouble began: a common `for:` is up to two minutes.
LEAD = timedelta(minutes=2)
UNUSUAL_P = 0.05
UNUSUAL_SCORE = 4.0
SHOWN = 8


def unusual_findings(findings: Sequence[Finding], started_at: datetime) -> tuple[Finding, ...]:
    """One finding with the most unusual series, ordered by p-value; unknown when no series has enough past.

    Nothing when no finding carries a series.
    """
    series = {s.name: s for f in sorted(findings, key=lambda f: f.measure, reverse=True) for s in f.series}
    if not series:
        return ()
    moment = started_at - LEAD
    judged = [(name, found) for name, s in series.items() if (found := _judge(s, moment)) is not None]
    judged.sort(key=lambda pair: (pair[1].p_value, -pair[1].score, pair[0]))
    if not judged:
        why = Text("every series has too little past")
        sentence = Text("No series could be compared with its own past.")
        return (Finding(MEASURE, MEASURE, None, sentence, why_unknown=why, from_=moment),)
    return (_finding(judged, series, moment),)


def _judge(series: Series, moment: datetime) -> Anomaly | None:
    at_ms = round(moment.timestamp() * 1000)
    return anomaly([p.at_ms for p in series.points], [p.value for p in series.points], at_ms)


def _exceeds(found: Anomaly) -> bool:
    return found.p_value <= UNUSUAL_P and found.score >= UNUSUAL_SCORE


def _finding(judged: list[tuple[str, Anomaly]], series: dict[str, Series], moment: datetime) -> Finding:
    name, first = judged[0]
    loud = [pair for pair in judged if _exceeds(pair[1])]
    yes = Text(
        "{unusual} of {judged} series were unusual for their past; most of all {name} (p = {p:.3g}).",
        unusual=len(loud),
        judged=len(judged),
        name=name,
        p=first.p_value,
    )
    no = Text("None of {judged} series was unusual for its own past.", judged=len(judged))
    items = tuple(Item(n, a.score, f"p = {a.p_value:.3g}, usual {a.usual:.3g}", _exceeds(a)) for n, a in judged[:SHOWN])
    return Finding(
        MEASURE, MEASURE, bool(loud), yes if loud else no, value=first.p_value, unit="p", limit=UNUSUAL_P,
        subject=name, from_=moment, items=items, series=tuple(series[n] for n, _ in (loud or judged)[:4]),
    )  # fmt: skip
