"""One hash over everything a verdict rests on: two verdicts with the same hash answer the same question."""

import hashlib
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import TypeVar

from causes.catalogue import all_causes
from causes.cause import Cause
from domain import codec
from domain.findings import Finding
from domain.scope import Scope

T = TypeVar("T")


def encoded(content: object) -> bytes:
    """JSON bytes that depend on the content only, not on the order of keys."""
    return codec.fingerprinted(content)


def in_stable_order(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Findings in an order that depends on their content only."""
    given = list(findings)
    occurrences = Counter(f.measure for f in given)
    return tuple(sorted(given, key=lambda f: (f.measure, encoded(f) if occurrences[f.measure] > 1 else b"")))


def input_hash(scope: Scope, findings: Sequence[Finding]) -> str:
    """`sha256:<hex>` over scope and findings; the incident's id is random and stays out."""
    content = (
        scope.started_at, scope.as_of, _sorted(scope.alerts), _sorted(scope.entities), scope.connections,
        _sorted(scope.relations), _sorted(scope.changes), in_stable_order(findings),
    )  # fmt: skip
    return f"sha256:{hashlib.sha256(encoded(content)).hexdigest()}"


def catalogue_mark() -> str:
    """Eight hex digits that change with any cause's prior, weight, condition or exclusion, and with no text."""
    content = [_without_text(cause) for cause in all_causes().values()]
    return hashlib.sha256(encoded(content)).hexdigest()[:8]


def _without_text(cause: Cause) -> list[object]:
    return [
        cause.slug, cause.layer, cause.prior, cause.no_fault, sorted(cause.symptoms), sorted(cause.change_kinds),
        [(t.measure, t.supports, t.opposes, t.when, t.limit, t.counted_as) for t in cause.terms],
        [tuple(exclusion.when.items()) for exclusion in cause.exclusions],
    ]  # fmt: skip


def _sorted(items: Iterable[T]) -> list[T]:
    return sorted(items, key=encoded)
