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
from domain.translations import CHINESE, ENGLISH, languages

T = TypeVar("T")
# What a placeholder of ours may ask for: a number's sign and digits, or the parts of a time. No width: a template from
# a stranger's bundle must not make us fill the memory with blanks.
_SPEC = re.compile(r"[+]?,?(\.[0-9]{1,2})?[dfge%]?|(%[YmdHMS][-:./ T]?){1,8}Z?", re.ASCII)
# Lists of texts nest once for each entry; both limits are far above what any sentence of ours needs.
_DEEPEST, _LONGEST = 100, 20_000


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
    return _text(raw, 0)


def _text(raw: Any, depth: int) -> Text:
    if depth > _DEEPEST:
        raise ValueError(f"its texts lie more than {_DEEPEST} deep")
    match raw:
        case {"template": str(template), "values": dict(values), **more}:
            context = more.get("context", "")
            if not isinstance(context, str) or "" in values:
                raise ValueError("its context is no string, or a value has no name")
            _check(template)
            text = Text.made(template, {str(name): _known(value, depth) for name, value in values.items()}, context)
            _try(text)
            return text
        case {"en": str(en), "zh": str(zh), **more}:
            others = {str(name): str(sentence) for name, sentence in more.items() if name != ENGLISH}
            return Text.rendered(en, zh, **others)
    raise ValueError("it is not a text")


def _known(raw: Any, depth: int) -> Value:
    match raw:
        case {"time": str(at)}:
            return datetime.fromisoformat(at)
        case {"number": str(number)}:
            return float(number)
        case Mapping():
            return _text(raw, depth + 1)
        case str() | int() | float() | None:
            return raw
    raise ValueError("it is not a value of a text")


@lru_cache(maxsize=4096)
def _check(template: str) -> None:
    """Raises ValueError for a placeholder with a format that no sentence of ours has, above all with a width."""
    if "{" not in template:
        return
    try:
        specs = [spec or "" for _, _, spec, _ in Formatter().parse(template)]
    except ValueError:
        return  # a command, taken literally
    if not all(_SPEC.fullmatch(spec) for spec in specs):
        raise ValueError("its template asks for a format that no sentence of ours has")


def _try(text: Text) -> None:
    """Raises ValueError for a text that cannot be rendered in every language, is too long or no valid Unicode."""
    try:
        sentences = [text.in_language(language) for language in (ENGLISH, *languages())]
        longest = max(len(sentence.encode()) for sentence in sentences)
    except (KeyError, ValueError, TypeError, IndexError, AttributeError, OverflowError) as error:
        raise ValueError(f"its values do not fit its template: {error}") from error
    if longest > _LONGEST:
        raise ValueError(f"it is longer than {_LONGEST} bytes")
