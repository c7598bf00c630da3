"""The record's and the doors' own tests once more, on a scratch PostgreSQL server."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.real.postgresql import running_postgresql

pytestmark = pytest.mark.real

ROOT = Path(__file__).parents[2]
ON_THE_RECORD = (
    "tests/incidents", "tests/ingest", "tests/notify", "tests/investigate", "tests/connections",
    "tests/web/test_idempotency.py",
)  # fmt: skip


@pytest.fixture(scope="module")
def database_url() -> Iterator[str]:
    with running_postgresql() as url:
        yield url


def test_the_record_and_the_doors_pass_their_own_tests_on_postgresql(database_url: str, tmp_path: Path) -> None:
    environment = {**os.environ, "DATABASE_URL": database_url, "INCIDENT_GRAPH_HOME": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *ON_THE_RECORD, "-q", "-p", "no:cacheprovider"],
        cwd=ROOT, env=environment, capture_output=True, text=True, timeout=600, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]
    assert "passed" in done.stdout or "[100%]" in done.stdout
