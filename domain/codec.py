"""Stores objects that hold sentences as JSON, and reads them back.

A text is stored as `{"template": ..., "values": {...}}`, with `context` where it has one. A text that was rendered
before it was stored is `{"en": ..., "zh": ...}`, as all were before there were templates; that form stays readable.
"""

import math
import re
from collections.abc import Mapping
from datetime import datetime
from functools import lru_cache
from string import Formatter
from typing import Any, TypeVar

import msgspec

from domain.text import Text, Value
from domain.translations import CHINESE, ENGLISH

T = TypeVar("T")
# Wider than any template of ours needs; a stored template must not make us fill the memory with blanks.
_SPEC = re.compile(r"[^{}]{0,24}")
_WIDE = re.compile(r"[0-9]{3,}")


def encode(kept: object) -> bytes:
    """As JSON, to be read by `decode`. Raises NotImplementedError for a type that JSON has no form for."""
    return msgspec.json.encode(kept, enc_hook=_stored)


def decode(raw: bytes | memoryview | str, type: type[T]) -> T:
    """The value of `type` that `raw` holds. Raises `msgspec.MsgspecError` if it is not of that type."""
    return msgspec.json.decode(raw, type=type, dec_hook=_decoded)


def to_builtins(kept: object) -> Any:
    """As the values of JSON, to be read by `convert`."""
    return msgspec.to_builtins(kept, enc_hook=_stored)


def convert(kept: object, type: type[T]) -> T:
    """The value of `type` made of values of JSON. Raises `msgspec.ValidationError` if it is not of that type."""
    return msgspec.convert(kept, type, dec_hook=_decoded)


def in_two_languages(shown: object) -> Any:
    """As the values of JSON for readers: each text as `{"en": ..., "zh": ...}`."""
    return msgspec.to_builtins(shown, enc_hook=_both)


def fingerprinted(kept: object) -> bytes:
    """The same bytes for the same sentences and values, in both languages."""
    return msgspec.json.encode(kept, order="deterministic", enc_hook=_both)


def values_of(text: Text) -> dict[str, Any]:
    """The values of a text as values of JSON; a time is `{"time": ISO 8601}`, nan and inf are `{"number": "nan"}`."""
    return {name: _value(value) for name, value in text.values.items()}


def _both(kept: object) -> dict[str, str]:
    if isinstance(kept, Text):
        return {"en": kept.en, "zh": kept.in_language("zh")}
    raise NotImplementedError(f"{type(kept).__name__} is not kept as JSON")


def _stored(kept: object) -> dict[str, Any]:
    if not isinstance(kept, Text):
        raise NotImplementedError(f"{type(kept).__name__} is not kept as JSON")
    if kept.rendered_words:
        return {_stored_code(language): sentence for language, sentence in kept.rendered_words.items()}
    made: dict[str, Any] = {"template": kept.template, "values": values_of(kept)}
    return {**made, "context": kept.context} if kept.context else made


def _stored_code(language: str) -> str:
    """Chinese is stored as `zh`, every other language by the name of its catalogue."""
    return "zh" if language == CHINESE else language


def _value(value: Value) -> Any:
    if isinstance(value, Text):
        return _stored(value)
    if isinstance(value, datetime):
        return {"time": value.isoformat()}
    # JSON has no number that is none.
    return {"number": str(value)} if isinstance(value, float) and not math.isfinite(value) else value


def _decoded(kind: type, raw: Any) -> Any:
    if kind is not Text:
        raise NotImplementedError(f"{kind.__name__} is not kept as JSON")
    return _text(raw)


def _text(raw: Any) -> Text:
    match raw:
        case {"template": str(template), "values": dict(values), **more}:
            _check(template)
            kept = {str(name): _known(value) for name, value in values.items()}
            text = Text.made(template, kept, str(more.get("context", "")))
            _try(text)
            return text
        case {"en": str(en), "zh": str(zh), **more}:
            others = {str(name): str(sentence) for name, sentence in more.items() if name != ENGLISH}
            return Text.rendered(en, zh, **others)
    raise ValueError("it is not a text")


def _known(raw: Any) -> Value:
    match raw:
        case {"time": str(at)}:
            return datetime.fromisoformat(at)
        case {"number": str(number)}:
            return float(number)
        case Mapping():
            return _text(raw)
        case str() | int() | float() | None:
            return raw
    raise ValueError("it is not a value of a text")


@lru_cache(maxsize=4096)
def _check(template: str) -> None:
    """Raises ValueError for a template with a width beyond a line, which no sentence of ours has."""
    if "{" not in template:
        return
    try:
        specs = [spec or "" for _, _, spec, _ in Formatter().parse(template)]
    except ValueError:
        return  # a command, taken literally
    if not all(_SPEC.fullmatch(spec) and not _WIDE.search(spec) for spec in specs):
        raise ValueError("its template asks for too much room")


def _try(text: Text) -> None:
    try:
        text.in_language(ENGLISH)
    except (KeyError, ValueError, TypeError, IndexError, AttributeError) as error:
        raise ValueError(f"its values do not fit its template: {error}") from error
