"""What an alerting rule's expression looks at: the part before its limit."""

import re
from collections.abc import Mapping

from evidence.clients.prometheus import escape

OPEN, CLOSE = "([{", ")]}"
SET_WORDS = re.compile(r"(?:and|or|unless)\b")
COMPARISON = re.compile(r"(?:==|!=|>=|<=|>|<)\s*(?:bool\s+)?")
NUMBER = re.compile(r"[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?\s*$")
LONGEST = 4000


def left_side(expression: str) -> str:
    """The value that is compared: `rate(x[5m])` of `rate(x[5m]) > 0.5 and on (job) up`; empty where none is.

    Only a comparison with a number, outside of all parentheses, has a side that is a value of its own.
    """
    first = _first_operand(expression[:LONGEST]) if len(expression) <= LONGEST else ""
    found = [(at, length) for at, length in _top_level(first, COMPARISON)]
    if len(found) != 1:
        return ""
    at, length = found[0]
    return first[:at].strip() if NUMBER.match(first[at + length :]) else ""


def only_with(expression: str, labels: Mapping[str, str]) -> str:
    """The expression, of which only the series with these labels come back, so that a large cluster sends one."""
    if not labels:
        return expression
    one = "vector(1)"
    for name, value in sorted(labels.items()):
        replacement = escape(value.replace("$", "$$"))
        one = f'label_replace({one}, "{name}", "{replacement}", "", "")'
    return f"({expression}) and on ({', '.join(sorted(labels))}) {one}"


def _first_operand(expression: str) -> str:
    """What stands before the first set operator outside of all parentheses."""
    words = [at for at, _ in _top_level(expression, SET_WORDS) if at and not _in_word(expression[at - 1])]
    return expression[: words[0]] if words else expression


def _in_word(character: str) -> bool:
    return character.isalnum() or character in "_:"


def _top_level(expression: str, pattern: re.Pattern[str]) -> list[tuple[int, int]]:
    """Where the pattern stands outside of parentheses and quotes, and how long it is there."""
    found, depth, quote, at = [], 0, "", 0
    while at < len(expression):
        character = expression[at]
        if quote:
            at += 1 + (character == "\\")
            quote = "" if character == quote else quote
            continue
        if character in "\"'`":
            quote = character
        depth += (character in OPEN) - (character in CLOSE)
        matched = pattern.match(expression, at) if depth == 0 else None
        if matched:
            found.append((at, len(matched.group())))
        at += len(matched.group()) if matched else 1
    return found
