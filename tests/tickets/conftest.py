"""Fakes of Jira, both kinds, and a memory on the disk."""

import pytest

from tests.fakes.jira import CLOUD, DATA_CENTER, JiraFake
from tests.tickets.jira_scene import FileMemory


@pytest.fixture(params=[CLOUD, DATA_CENTER])
def jira(request):
    with JiraFake(request.param) as served:
        yield served


@pytest.fixture
def cloud():
    with JiraFake() as served:
        yield served


@pytest.fixture
def memory(tmp_path):
    return FileMemory(tmp_path / "memory.json")
