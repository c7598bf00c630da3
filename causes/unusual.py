"""The series of the findings that were most unusual at the incident's start, as one finding of their own."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from domain.findings import Finding, Item, Series
from domain.text import Text
from ml.detector import Anomaly, anomaly

MEASURE = "series-unusual"
# An alert fires after the fault began: a common `for:` is up to two minutes.
LEAD = timedelta(minutes=2)
# A series is unusual at or below this p-value and at or above this score.
UNUSUAL_P = 0.05
UNUSUAL_SCORE = 4.0
MOST_ITEMS = 8
MOST_SERIES = 4


def unusual_findings(findings: Sequence[Finding], started_at: datetime) -> tuple[Finding, ...]:
    """One finding with the most unusual series, ordered by p-value; unknown when no series has enough past.

    Nothing when no finding carries a series.
    """
    series = {s.name: s for f in sorted(findings, key=lambda f: f.measure, reverse=True) for s in f.series}
    if not series:
        return ()
    moment = started_at - LEAD
    compared = [(name, found) for name, s in series.items() if (found := _anomaly_at(s, moment)) is not None]
    if not compared:
        return (_unknown(moment),)
    compared.sort(key=lambda pair: (pair[1].p_value, -pair[1].score, pair[0]))
    return (_finding(compared, series, moment),)


def _unknown(moment: datetime) -> Finding:
    why = Text("every series has too little past")
    sentence = Text("No series could be compared with its own past.")
    return Finding(MEASURE, MEASURE, None, sentence, why_unknown=why, from_=moment)


def _anomaly_at(series: Series, moment: datetime) -> Anomaly | None:
    """How unusual the series is at the moment for its own past; None with too little of it."""
    at_ms = round(moment.timestamp() * 1000)
    return anomaly([p.at_ms for p in series.points], [p.value for p in series.points], at_ms)


def _is_unusual(found: Anomaly) -> bool:
    return found.p_value <= UNUSUAL_P and found.score >= UNUSUAL_SCORE


def _finding(compared: list[tuple[str, Anomaly]], series: dict[str, Series], moment: datetime) -> Finding:
    """`compared` is ordered, the most unusual series first."""
    name, first = compared[0]
    unusual = [pair for pair in compared if _is_unusual(pair[1])]
    return Finding(
        measure=MEASURE,
        check=MEASURE,
        seen=bool(unusual),
        sentence=_sentence(len(unusual), len(compared), name, first),
        value=first.p_value,
        unit="p",
        limit=UNUSUAL_P,
        subject=name,
        from_=moment,
        items=tuple(_item(*pair) for pair in compared[:MOST_ITEMS]),
        series=tuple(series[shown] for shown, _ in (unusual or compared)[:MOST_SERIES]),
    )


def _item(name: str, found: Anomaly) -> Item:
    return Item(name, found.score, f"p = {found.p_value:.3g}, usual {found.usual:.3g}", _is_unusual(found))


def _sentence(unusual: int, compared: int, name: str, first: Anomaly) -> Text:
    if not unusual:
        return Text("None of {judged} series was unusual for its own past.", judged=compared)
    return Text(
        "{unusual} of {judged} series were unusual for their past; most of all {name} (p = {p:.3g}).",
        unusual=unusual,
        judged=compared,
        name=name,
        p=first.p_value,
    )
