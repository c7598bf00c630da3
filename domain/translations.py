"""The catalogues of sentences in other languages than English: `locale/<language>/LC_MESSAGES/django.mo`."""

from functools import cache
from gettext import NullTranslations, translation
from pathlib import Path

FOLDER = Path(__file__).parents[1] / "locale"
DOMAIN = "django"
ENGLISH, CHINESE = "en", "zh_Hans"


@cache
def languages() -> tuple[str, ...]:
    """The languages that have a catalogue, by the names of their folders."""
    return tuple(sorted(p.parents[1].name for p in FOLDER.glob(f"*/LC_MESSAGES/{DOMAIN}.mo")))


@cache
def language_of(code: str) -> str:
    """The language to use for a reader's code, like `zh-cn` or `de-AT`; English where there is no catalogue."""
    asked = code.replace("-", "_").lower()
    if asked.split("_")[0] == "zh":
        return CHINESE
    known = {name.lower(): name for name in languages()}
    return known.get(asked) or known.get(asked.split("_")[0]) or ENGLISH


def translated(template: str, language: str, context: str = "") -> str:
    """The template in a language of `language_of`; as it is where the catalogue does not know it."""
    if not template or language == ENGLISH:
        return template
    catalogue = _catalogue(language)
    return catalogue.pgettext(context, template) if context else catalogue.gettext(template)


@cache
def _catalogue(language: str) -> NullTranslations:
    return translation(DOMAIN, FOLDER, [language])
