"""A sentence in the two languages of the product."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Text:
    """English and Simplified Chinese of one sentence; both are always given."""

    en: str
    zh: str

    def __str__(self) -> str:
        return self.en

    def in_language(self, language: str) -> str:
        """The Chinese text for any `zh...` code, otherwise the English one."""
        return self.zh if language.lower().startswith("zh") else self.en

    def format(self, **values: object) -> "Text":
        """Both languages with the same values put in; a text among them in its own language."""
        en, zh = (
            {name: v.in_language(language) if isinstance(v, Text) else v for name, v in values.items()}
            for language in ("en", "zh")
        )
        return Text(self.en.format(**en), self.zh.format(**zh))
