"""The metrics in a rule's expression, as Prometheus links to it in `generatorURL`. Pure."""

import re
from collections.abc import Iterator
from urllib.parse import parse_qs, urlsplit

MOST = 16_384
# Strings are cut out first, as they may hold anything.
_STRING = re.compile(r'"(?:[^"\\]|\\.)*"|\'(?:[^\'\\]|\\.)*\'|`[^`]*`')
_LABELS_OF = re.compile(r"\b(?:by|without|on|ignoring|group_left|group_right)\s*\([^)]*\)", re.IGNORECASE)
_MATCHERS = re.compile(r"\{[^{}]*\}")
_NAME = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:]*(?!\s*\()(?![a-zA-Z0-9_:])")
_NUMBER_OR_RANGE = re.compile(r"\[[^\]]*\]|\b\d[\w.]*")


def metrics_of(url: str) -> Iterator[str]:
    """Names of metrics in the expression that an address holds."""
    return metrics_in(_expression(url))


def metrics_in(expression: str) -> Iterator[str]:
    """Names of metrics in the order of the expression; labels, functions and numbers are none."""
    for pattern in (_STRING, _MATCHERS, _LABELS_OF, _NUMBER_OR_RANGE):
        expression = pattern.sub(" ", expression)
    yield from dict.fromkeys(name for name in _NAME.findall(expression) if "_" in name or ":" in name or name == "up")


def _expression(url: str) -> str:
    """The expression in the address, empty when it has none."""
    try:
        query = parse_qs(urlsplit(url[:MOST]).query, max_num_fields=50)
    except ValueError:
        return ""
    return next((query[key][0] for key in ("g0.expr", "expr", "query") if query.get(key)), "")
