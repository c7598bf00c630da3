"""Runs every check that applies, in parallel, each within its own time limit."""

import time
from collections.abc import Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass

from domain.findings import Finding
from domain.scope import Scope
from domain.text import Text
from evidence.check import Ask, Check, finding, run, unknown
from evidence.checks import all_checks
from evidence.fault_time import with_fault_time
from evidence.memo import Memo
from evidence.recording import Answer, Transports

WORKERS = 8
BUDGET_S = 30.0


@dataclass(frozen=True, slots=True)
class Collected:
    """Findings in order of their measure, and every answer they rest on in order of its question."""

    findings: tuple[Finding, ...]
    answers: tuple[Answer, ...]


def collect(scope: Scope, transports: Transports, *, budget_s: float = BUDGET_S) -> Collected:
    """One finding for each measure of each check that applies; what is late is unknown."""
    scope = with_fault_time(scope, transports)
    checks = [check for check in all_checks() if check.applies(scope)]
    pool = ThreadPoolExecutor(max_workers=WORKERS)
    memo = Memo()
    running = {check.slug: pool.submit(run, check, Ask(scope, transports, check.before, memo)) for check in checks}
    _wait(checks, running, budget_s)
    found = [f for check in checks for f in _result(check, running[check.slug], Ask(scope, transports, check.before))]
    # A hanging witness costs its own limit; its thread ends with the client's own timeout.
    pool.shutdown(wait=False, cancel_futures=True)
    return Collected(tuple(sorted(found, key=lambda f: f.measure)), transports.answers())


def _wait(checks: Sequence[Check], running: "Mapping[str, Future[list[Finding]]]", budget_s: float) -> None:
    """For every check as long as its own limit, and for all of them no longer than the budget.

    A replay gives itself more time than any live look; there only the budget counts.
    """
    began = time.monotonic()
    for check in sorted(checks, key=lambda c: (c.limit_s, c.slug)):
        limit = budget_s if budget_s > BUDGET_S else min(check.limit_s, budget_s)
        wait([running[check.slug]], timeout=max(0.0, began + limit - time.monotonic()))


def _result(check: Check, future: "Future[list[Finding]]", ask: Ask) -> list[Finding]:
    if future.done() and not future.cancelled() and future.exception() is None:
        return future.result()
    late = not future.done() or future.cancelled()
    why = (
        Text("it did not answer within its time limit")
        if late
        else Text("the check failed ({error})", error=type(future.exception()).__name__)
    )
    return [finding(check, measure, unknown(measure, why), ask) for measure in check.measures]
