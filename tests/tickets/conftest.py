"""Fakes of Jira, both kinds, and a target state on the disk."""

import pytest

from tests.fakes.jira import CLOUD, DATA_CENTER, JiraFake
from tests.tickets.jira_scene import FileTargetState


@pytest.fixture(params=[CLOUD, DATA_CENTER])
def jira(request):
    with JiraFake(request.param) as served:
        yield served


@pytest.fixture
def cloud():
    with JiraFake() as served:
        yield served


@pytest.fixture
def target_state(tmp_path):
    return FileTargetState(tmp_path / "memory.json")
