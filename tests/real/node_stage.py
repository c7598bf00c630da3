"""A stage on which a Kubernetes node can stand, or why there is none."""

import os
from collections.abc import Iterator

import pytest

from lab.stage.node import can_run
from lab.stage.programs import Stage


@pytest.fixture
def node_stage() -> Iterator[Stage]:
    """Left out where something is missing, except where everything has to run."""
    if missing := can_run():
        left_out = pytest.fail if os.environ.get("CI") else pytest.skip
        left_out(f"the Kubernetes node is left out: {missing}")
    with Stage(on_disk=True) as made:
        yield made
