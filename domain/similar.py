"""A similar past incident, with its written reasons."""

from dataclasses import dataclass

from domain.text import Text


@dataclass(frozen=True, slots=True)
class SimilarIncident:
    """`score` in 0..1, higher is more alike. `cause` is the confirmed cause, or the first ranked one
    if `confirmed` is False; `minutes` from first alert to resolved, None while open."""

    incident: str
    title: str
    score: float
    why: tuple[Text, ...]
    cause: str = ""
    confirmed: bool = False
    fixed_by: str = ""
    minutes: int | None = None
    url: str = ""
    recurrence_of: str = ""
