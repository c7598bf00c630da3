"""A sentence as an English template with named values; it is put into a language where it is shown."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from string import Formatter
from typing import NoReturn, TypeAlias

from domain.translations import CHINESE, ENGLISH, language_of, translated

Value: TypeAlias = "str | int | float | bool | datetime | Text | None"


class Text:
    """One sentence: its template is the key of the catalogues, its values keep their types.

    A value is put in where the template says `{name}` or `{name:.1f}`; one whose name is no identifier, like `<pod>`,
    where those letters stand, for commands are full of braces. Without values the template is taken literally.
    `context` tells two meanings of the same English apart.
    """

    __slots__ = ("context", "template", "told", "values")
    template: str
    values: Mapping[str, Value]
    context: str
    told: Mapping[str, str]  # only of what was put into words before: language to sentence

    def __init__(self, template: str, /, *, context: str = "", **values: Value) -> None:
        self._set(template, values, context, {})

    @classmethod
    def made(
        cls, template: str, values: Mapping[str, Value], context: str = "", told: Mapping[str, str] | None = None
    ) -> "Text":
        """Of parts, as they were kept; the code says its templates as literals."""
        text = cls.__new__(cls)
        text._set(template, values, context, told or {})
        return text

    @classmethod
    def rendered(cls, en: str, zh: str, **more: str) -> "Text":
        """What is in words already, with no template: as verdicts were kept before they had any, or cut to a length."""
        return cls.made(en, {}, "", {ENGLISH: en, CHINESE: zh, **more})

    @property
    def placeholders(self) -> frozenset[str]:
        """The names in braces that the template has room for."""
        return frozenset(name for _, name, _, _ in _PLAIN.parse(self.template) if name is not None)

    @property
    def en(self) -> str:
        """In English."""
        return self.in_language(ENGLISH)

    def in_language(self, code: str) -> str:
        """In the language of a reader; in English where there is no catalogue of it."""
        return self._render(language_of(code))

    def format(self, **values: Value) -> "Text":
        """With these values put in too."""
        return self.made(self.template, {**self.values, **values}, self.context, self.told)

    def _set(self, template: str, values: Mapping[str, Value], context: str, told: Mapping[str, str]) -> None:
        for name, value in (("template", template), ("values", values), ("context", context), ("told", told)):
            object.__setattr__(self, name, value)

    def _render(self, language: str) -> str:
        if self.told:
            said = self.told.get(language, self.template)
        else:
            said = translated(self.template, language, self.context)
        if not self.values:
            return said
        words = {n: v._render(language) if isinstance(v, Text) else v for n, v in self.values.items()}
        if any(name.isidentifier() for name in words):
            said = _PLAIN.vformat(said, (), words)
        for mark, word in words.items():
            if not mark.isidentifier():
                said = said.replace(translated(mark, language), str(word))
        return said

    def __str__(self) -> str:
        return self.en

    def __repr__(self) -> str:
        if self.told:
            return f"Text.rendered({', '.join(repr(said) for said in self.told.values())})"
        more = {"context": self.context} if self.context else {}
        return f"Text({', '.join([repr(self.template), *(f'{n}={v!r}' for n, v in {**more, **self.values}.items())])})"

    def __eq__(self, other: object) -> bool:
        return self._key() == other._key() if isinstance(other, Text) else NotImplemented

    def __hash__(self) -> int:
        return hash((self.template, self.context, frozenset(self.values.items()), frozenset(self.told.items())))

    def _key(self) -> tuple[object, ...]:
        return self.template, self.values, self.context, self.told

    def __reduce__(self) -> tuple[object, ...]:
        return Text.made, self._key()

    def __setattr__(self, name: str, value: object) -> NoReturn:
        raise AttributeError(f"a text cannot be changed: {name}")

    def __delattr__(self, name: str) -> NoReturn:
        raise AttributeError(f"a text cannot be changed: {name}")


def verbatim(word: str) -> Text:
    """A name that reads the same in every language."""
    return Text("{word}", word=word)


def listed(texts: Sequence[Text]) -> Text:
    """One or more texts one after the other, with semicolons."""
    first, *rest = texts
    for text in rest:
        first = Text("{first}; {then}", first=first, then=text)
    return first


def enumerated(texts: Sequence[Text]) -> Text:
    """One or more names, with commas."""
    first, *rest = texts
    for text in rest:
        first = Text("{first}, {then}", first=first, then=text)
    return first


class _Plain(Formatter):
    """Names only: neither attributes nor items of a value."""

    def get_field(self, field_name: str, args: object, kwargs: Mapping[str, object]) -> tuple[object, str]:
        return kwargs[field_name], field_name


_PLAIN = _Plain()
