"""One hash over everything a verdict rests on, so that two verdicts can be known to answer the same question."""

import hashlib
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import TypeVar

from causes.catalogue import all_causes
from domain import codec
from domain.findings import Finding
from domain.scope import Scope

T = TypeVar("T")


def encoded(thing: object) -> bytes:
    """JSON bytes that depend on the content only, not on the order of keys."""
    return codec.fingerprinted(thing)


def stable(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Findings in an order that depends on their content only."""
    rows = list(findings)
    times = Counter(f.measure for f in rows)
    return tuple(sorted(rows, key=lambda f: (f.measure, encoded(f) if times[f.measure] > 1 else b"")))


def input_hash(scope: Scope, findings: Sequence[Finding]) -> str:
    """`sha256:<hex>` over scope and findings; the incident's id is random and stays out."""
    content = (
        scope.started_at, scope.as_of, _sorted(scope.alerts), _sorted(scope.entities), scope.connections,
        _sorted(scope.relations), _sorted(scope.changes), stable(findings),
    )  # fmt: skip
    return f"sha256:{hashlib.sha256(encoded(content)).hexdigest()}"


def catalogue_mark() -> str:
    """Eight hex digits that change with any cause's prior, weight, condition or exclusion, and with no text."""
    content = [
        (c.slug, c.layer, c.prior, c.no_fault, sorted(c.symptoms), sorted(c.change_kinds),
         [(t.measure, t.supports, t.opposes, t.when, t.limit, t.counted_as) for t in c.terms],
         [tuple(e.when.items()) for e in c.exclusions])
        for c in all_causes().values()
    ]  # fmt: skip
    return hashlib.sha256(encoded(content)).hexdigest()[:8]


def _sorted(things: Iterable[T]) -> list[T]:
    return sorted(things, key=encoded)
