"""What a text says in the languages of the product."""

from domain.text import Text


def in_both(text: Text) -> tuple[str, str]:
    """English and Chinese."""
    return text.en, text.in_language("zh")
