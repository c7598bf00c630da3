"""The verdict as outward JSON: keys are stable.

Each text key `x` has `x_zh`, `x_key`, the English template that is the key of the catalogues, and `x_values`, what is
put into it by name; where `x` is a list, so are the three. A value is a string, a number, true, false or null;
`{"template": ..., "values": {...}}` is a sentence within the sentence, `{"time": ...}` a moment.
"""

from datetime import UTC, datetime

from domain.codec import values_of
from domain.similar import SimilarIncident
from domain.text import Text
from domain.verdict import RankedCause, TermResult, Verdict

Json = dict[str, object]


def to_contract(verdict: Verdict, language: str = "en") -> Json:
    """Plain JSON values in the contract's keys; text in `language`, and always in Chinese under `_zh`."""
    return {
        "incident": verdict.incident, "revision": verdict.revision, "state": verdict.state.value,
        **_text("headline", verdict.headline, language), "as_of": _time(verdict.as_of),
        "causes": [_cause_json(c, language) for c in verdict.causes],
        "unknown_probability": verdict.unknown_probability,
        "ruled_out": [{"cause": r.cause, **_text("sentence", r.sentence, language)} for r in verdict.ruled_out],
        **_texts("missing", verdict.missing, language), **_texts("tell_apart", verdict.tell_apart, language),
        **_text("next_question", verdict.next_question, language),
        "similar": [_similar_json(s, language) for s in verdict.similar],
        "ranker": {"name": verdict.ranker_name, "version": verdict.ranker_version},
        "input_hash": verdict.input_hash,
    }  # fmt: skip


def _cause_json(cause: RankedCause, language: str) -> Json:
    return {
        "cause": cause.cause, "layer": cause.layer, **_text("title", cause.title, language),
        "position": cause.position, "probability": cause.probability, "role": cause.role.value,
        "entity": cause.entity, **_texts("consequences", cause.consequences, language),
        "terms": [_term_json(t, language) for t in cause.terms], **_texts("next_steps", cause.next_steps, language),
    }  # fmt: skip


def _term_json(term: TermResult, language: str) -> Json:
    return {
        "measure": term.measure, "outcome": term.outcome.value, "weight": term.weight,
        **_text("sentence", term.sentence, language), "query": term.query,
        "from": _time(term.from_), "to": _time(term.to), "value": term.value, "unit": term.unit,
        "limit": term.limit, "connection": term.connection, **_text("why_unknown", term.why_unknown, language),
    }  # fmt: skip


def _similar_json(past: SimilarIncident, language: str) -> Json:
    return {
        "incident": past.incident, "title": past.title, "score": past.score, **_texts("why", past.why, language),
        "cause": past.cause, "confirmed": past.confirmed, "fixed_by": past.fixed_by, "minutes": past.minutes,
        "url": past.url,
    }  # fmt: skip


def _text(key: str, text: Text | None, language: str) -> Json:
    """The sentence, its Chinese, and what both are made of: the template and its values, null where it has none."""
    return {
        key: text and text.in_language(language), f"{key}_zh": text and text.in_language("zh"),
        f"{key}_key": text and _key(text), f"{key}_values": None if text is None else values_of(text),
    }  # fmt: skip


def _texts(key: str, texts: tuple[Text, ...], language: str) -> Json:
    return {
        key: [t.in_language(language) for t in texts], f"{key}_zh": [t.in_language("zh") for t in texts],
        f"{key}_key": [_key(t) for t in texts], f"{key}_values": [values_of(t) for t in texts],
    }  # fmt: skip


def _key(text: Text) -> str | None:
    """What was put into words before it was kept has no template."""
    return None if text.rendered_words else text.template


def _time(at: datetime | None) -> str | None:
    return None if at is None else at.astimezone(UTC).isoformat().replace("+00:00", "Z")
