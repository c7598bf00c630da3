"""Sentences are kept with their values, and what was kept before there were templates is read for ever."""

import math
from datetime import UTC, datetime

import msgspec
import pytest

from domain import codec
from domain.text import Text, listed

INNER = Text("it", context="subject")
WHOLE = Text("{a} {b:.1f} {c} {d} {e} {f} {at:%H:%M}", a=INNER, b=0.1, c=5, d=True, e=None, f="x{y}",
             at=datetime(2026, 3, 1, 12, tzinfo=UTC))  # fmt: skip


def nested(template: str, depth: int) -> bytes:
    """Texts within texts, as JSON."""
    raw = '{"template":"x","values":{}}'
    for _ in range(depth):
        raw = f'{{"template":"{template}","values":{{"a":{raw}}}}}'
    return raw.encode()


def test_what_is_kept_comes_back_with_the_types_of_its_values() -> None:
    again = codec.decode(codec.encode(WHOLE), Text)
    assert again == WHOLE and hash(again) == hash(WHOLE)
    assert {n: type(v) for n, v in again.values.items()} == {n: type(v) for n, v in WHOLE.values.items()}
    assert codec.convert(codec.to_builtins(WHOLE), Text) == WHOLE


@pytest.mark.parametrize("number", [math.inf, -math.inf, math.nan])
def test_a_number_that_json_lacks_comes_back(number: float) -> None:
    assert repr(codec.decode(codec.encode(Text("{n}", n=number)), Text)) == repr(Text("{n}", n=number))


def test_the_old_form_is_read_with_its_two_sentences() -> None:
    old = codec.decode(b'{"en":"up{x} is {a}","zh":"\xe6\x85\xa2 {a}"}', Text)
    assert (old.en, old.in_language("zh-hans"), old.in_language("fr")) == ("up{x} is {a}", "慢 {a}", "up{x} is {a}")
    assert codec.to_builtins(old) == {"en": "up{x} is {a}", "zh": "慢 {a}"}


@pytest.mark.parametrize(
    "raw",
    [b'{"template":"{a:999999}","values":{"a":"x"}}', b'{"template":"{a.__class__}","values":{"a":"x"}}',
     b'{"template":"{a} {b}","values":{"a":1}}', b'{"template":"{a:.1f}","values":{"a":"x"}}', b'{"en":"a"}', b"[]",
     b'{"template":"{a}","values":{"a":[1]}}', b'{"template":"{a:c}","values":{"a":55296}}',
     '{"template":"{a:>\u0669\u0669\u0669\u0669\u0669\u0669}","values":{"a":"x"}}'.encode(),
     b'{"template":"{a:.2f}","values":{"a":' + b"9" * 400 + b"}}", b'{"template":"a","values":{"":"x"}}',
     b'{"template":"a","context":1,"values":{}}', nested("{a}", 300), nested("{a}" * 8, 12)],
)  # fmt: skip
def test_what_is_no_sentence_of_ours_is_refused(raw: bytes) -> None:
    with pytest.raises(msgspec.ValidationError):
        codec.decode(raw, Text)


def test_a_mark_is_replaced_where_it_stands_and_braces_are_not_touched() -> None:
    step = Text('rate(x{pod="<pod>"}[5m])').format(**{"<pod>": "cart-1"})
    assert step.en == step.in_language("zh") == 'rate(x{pod="cart-1"}[5m])'
    assert codec.decode(codec.encode(step), Text) == step


def test_a_value_is_never_read_as_a_mark_or_as_a_template() -> None:
    step = Text.made("see <pod> {a}", {"a": "<pod> {b}", "<pod>": "{a} <a>", "<a>": "z"})
    assert step.en == "see {a} <a> <pod> {b}"


def test_a_list_of_fifty_sentences_is_read_again() -> None:
    many = listed([Text("{n} failed", n=n) for n in range(50)])
    assert codec.decode(codec.encode(many), Text) == many


def test_a_translation_that_does_not_fit_falls_back_to_english() -> None:
    text = Text.made("it was {a}", {"a": 1}, "", {"en": "it was {a}", "zh_Hans": "{b} {"})
    assert text.in_language("zh") == text.en == "it was 1"
