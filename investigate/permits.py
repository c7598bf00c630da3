"""Admits and audits the programs that an investigation runs, in the record and from any thread."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection

from evidence.executors.executor import Permit, RunRecord
from incidents import audit

BY = "investigation"


def permit(incident: str) -> Permit:
    """The permit of one investigation: across all workers one run at a time per cluster, and a rest after it."""
    return Permit(incident, _admit, _audit)


def _admit(cluster: str, rest_s: float) -> bool:
    with _own_connection():
        return audit.admit_run(cluster, rest_s, BY)


def _audit(run: RunRecord) -> None:
    """Write a run to the audit trail: incident, arguments, exit code, duration and the digest of its output."""
    ran = run.ran
    detail = {
        "incident": run.incident, "argv": " ".join(ran.argv)[:2000], "rc": "killed" if ran.rc is None else str(ran.rc),
        "took_ms": str(ran.took_ms), "digest": f"sha256:{ran.digest}", "error": ran.error,
    }  # fmt: skip
    with _own_connection():
        audit.write(BY, f"run {run.executor} {run.action}", run.cluster, detail)


@contextmanager
def _own_connection() -> Iterator[None]:
    """Close the database connection of a check's own thread afterwards, as nobody else would."""
    try:
        yield
    finally:
        if threading.current_thread() is not threading.main_thread():
            connection.close()
