"""Refusals in both languages, and what a connection's page shows of an error."""

from domain.errors import ProductError, Refused
from domain.text import Text
from tickets.system import Problem


class RefusedWithText(Refused):
    """A refusal whose sentence is there in both languages."""

    def __init__(self, text: Text) -> None:
        super().__init__(text.en)
        self.text = text


def problem_of(error: ProductError) -> Problem:
    """The error's own sentence in both languages; where it has only one, that it came in a check."""
    sentence = (
        error.text
        if isinstance(error, RefusedWithText)
        else Text("{reason}", context="why a check failed", reason=str(error))
    )
    return Problem(sentence)
