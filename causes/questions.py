"""The question behind each measure, in the words of the check that answers it."""

from functools import cache

from domain.text import Text
from evidence.checks import all_measures


@cache
def questions() -> dict[str, Text]:
    """Question by measure slug, from every check."""
    return {slug: measure.question for slug, measure in all_measures().items()}


def question(measure: str) -> Text:
    """The question of one measure; a measure without a check is named by its slug."""
    return questions().get(measure) or Text("{measure}?", measure=measure)
