"""A sentence as an English template with named values; it is put into a language where it is shown."""

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from string import Formatter
from typing import NoReturn, TypeAlias

from domain.translations import CHINESE, ENGLISH, language_of, translated

Value: TypeAlias = "str | int | float | bool | datetime | Text | None"

_FORMATTER = Formatter()


class Text:
    """One sentence: its template is the key of the catalogues, its values keep their types.

    A value replaces `{name}` or `{name:.1f}` in the template. A value whose name is no identifier, like `<pod>`,
    replaces exactly those letters: commands are full of braces. Without values the template is taken literally.
    `context` separates two meanings of the same English. A text cannot be changed and can be hashed.
    """

    __slots__ = ("_rendered", "context", "rendered_words", "template", "values")
    _rendered: dict[str, str]  # language to sentence, once it was asked for: a text never changes
    template: str
    values: Mapping[str, Value]
    context: str
    rendered_words: Mapping[str, str]  # language to sentence; empty unless it was rendered before it was stored

    def __init__(self, template: str, /, *, context: str = "", **values: Value) -> None:
        self._set(template, values, context, {})

    @classmethod
    def made(
        cls,
        template: str,
        values: Mapping[str, Value],
        context: str = "",
        rendered_words: Mapping[str, str] | None = None,
    ) -> "Text":
        """From stored parts; code writes its templates as literals. `rendered_words` gives language to sentence."""
        text = cls.__new__(cls)
        text._set(template, values, context, rendered_words or {})
        return text

    @classmethod
    def rendered(cls, en: str, zh: str, **more: str) -> "Text":
        """A sentence that is rendered already and has no template: of old verdicts, or cut to a length.

        `more` gives the sentence in further languages, by the names of their catalogues.
        """
        return cls.made(en, {}, "", {ENGLISH: en, CHINESE: zh, **more})

    @property
    def placeholders(self) -> frozenset[str]:
        """The names of the template's placeholders in braces."""
        return frozenset(name for _, name, _, _ in _FORMATTER.parse(self.template) if name is not None)

    @property
    def en(self) -> str:
        """The sentence in English."""
        return self.in_language(ENGLISH)

    def in_language(self, code: str) -> str:
        """The sentence in the language of a reader's code, like `zh-cn`; in English where there is no catalogue of it.

        Raises KeyError, ValueError or TypeError when the values do not fit the template.
        """
        return self._render(language_of(code))

    def format(self, **values: Value) -> "Text":
        """The same text with these values added; a value of the same name is replaced."""
        return self.made(self.template, {**self.values, **values}, self.context, self.rendered_words)

    def _set(self, template: str, values: Mapping[str, Value], context: str, rendered_words: Mapping[str, str]) -> None:
        object.__setattr__(self, "template", template)
        object.__setattr__(self, "values", values)
        object.__setattr__(self, "context", context)
        object.__setattr__(self, "rendered_words", rendered_words)
        object.__setattr__(self, "_rendered", {})

    def _render(self, language: str) -> str:
        """In a language of `language_of`; in English where that language's template does not fit the values."""
        if language not in self._rendered:
            self._rendered[language] = self._fitting(language)
        return self._rendered[language]

    def _fitting(self, language: str) -> str:
        try:
            return self._filled(language)
        except (KeyError, IndexError, ValueError):
            if language == ENGLISH:
                raise
            return self._filled(ENGLISH)

    def _filled(self, language: str) -> str:
        """The template between the marks is formatted, the marks are replaced; no value is read as a template."""
        sentence = self._unfilled(language)
        if not self.values:
            return sentence
        words = {name: _word(value, language) for name, value in self.values.items()}
        marks = {translated(name, language): str(word) for name, word in words.items() if not name.isidentifier()}
        parts = re.split(f"({'|'.join(map(re.escape, marks))})", sentence) if marks else [sentence]
        if any(name.isidentifier() for name in words):
            parts[::2] = [_formatted(part, words) for part in parts[::2]]
        return "".join(marks.get(part, part) if number % 2 else part for number, part in enumerate(parts))

    def _unfilled(self, language: str) -> str:
        """The sentence before its values are put in."""
        if self.rendered_words:
            return self.rendered_words.get(language, self.template)
        return translated(self.template, language, self.context)

    def __str__(self) -> str:
        return self.en

    def __repr__(self) -> str:
        if self.rendered_words:
            return f"Text.rendered({', '.join(map(repr, self.rendered_words.values()))})"
        context = {"context": self.context} if self.context else {}
        keywords = [f"{name}={value!r}" for name, value in {**context, **self.values}.items()]
        return f"Text({', '.join([repr(self.template), *keywords])})"

    def __eq__(self, other: object) -> bool:
        return self._key() == other._key() if isinstance(other, Text) else NotImplemented

    def __hash__(self) -> int:
        values, words = frozenset(self.values.items()), frozenset(self.rendered_words.items())
        return hash((self.template, self.context, values, words))

    def _key(self) -> tuple[object, ...]:
        return self.template, self.values, self.context, self.rendered_words

    def __reduce__(self) -> tuple[object, ...]:
        return Text.made, self._key()

    def __setattr__(self, name: str, value: object) -> NoReturn:
        raise AttributeError(f"a text cannot be changed: {name}")

    def __delattr__(self, name: str) -> NoReturn:
        raise AttributeError(f"a text cannot be changed: {name}")


@lru_cache(maxsize=8192)
def _pieces(template: str) -> tuple[tuple[str, str | None, str], ...]:
    """Literal, name and format of each part: names only, neither attributes nor items. Raises ValueError."""
    pieces = tuple(_FORMATTER.parse(template))
    if any(conversion for _, _, _, conversion in pieces):
        raise ValueError("a template has no conversions")
    return tuple((literal, name, spec or "") for literal, name, spec, _ in pieces)


def _formatted(template: str, words: Mapping[str, Value]) -> str:
    """The template with its values. Raises KeyError for a name without a value, ValueError for another format."""
    return "".join(
        literal if name is None else literal + format(words[name], spec) for literal, name, spec in _pieces(template)
    )


def _word(value: Value, language: str) -> Value:
    """A value as it is put into a sentence: a text within a text is rendered first."""
    return value._render(language) if isinstance(value, Text) else value


def verbatim(word: str) -> Text:
    """A text for a name that reads the same in every language."""
    return Text("{word}", word=word)


def listed(texts: Sequence[Text]) -> Text:
    """One text of one or more, separated by semicolons. Raises ValueError for none."""
    first, *rest = texts
    for text in rest:
        first = Text("{first}; {then}", first=first, then=text)
    return first


def enumerated(texts: Sequence[Text]) -> Text:
    """One text of one or more names, separated by commas. Raises ValueError for none."""
    first, *rest = texts
    for text in rest:
        first = Text("{first}, {then}", first=first, then=text)
    return first
