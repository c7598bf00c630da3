"""What docs/jira.md shows can be declared as it stands."""

import re
from pathlib import Path

from connections import file
from domain.connections import Connections
from ingest.sources import all_sources
from tickets.jira.check import NEEDED, PHASES

TEXT = (Path(__file__).parents[2] / "docs" / "jira.md").read_text(encoding="utf-8")


def example(folder: Path, *, whole: bool) -> Connections:
    """The first TOML block; `whole` takes the lines that are commented out too."""
    (block,) = re.findall(r"```toml\n(.*?)```", TEXT, re.DOTALL)
    text = re.sub(r"^# (?=\w+ = )", "", block, flags=re.MULTILINE) if whole else block
    for name in re.findall(r'_file = "([^"]+)"', text):
        (folder / name).write_text("x")
    return file.decode(text, folder, all_sources())


def test_the_example_is_taken(tmp_path: Path) -> None:
    (declared,) = example(tmp_path, whole=False).ticket
    assert (declared.kind, declared.mode) == ("jira", "dry-run")
    assert set(declared.transitions) <= PHASES


def test_what_is_commented_out_is_taken_as_well(tmp_path: Path) -> None:
    (declared,) = example(tmp_path, whole=True).ticket
    assert declared.set == {"components": [{"name": "etcd"}]}
    assert declared.webhook_path_file.endswith("jira.path")


def test_each_permission_that_is_checked_is_named() -> None:
    for permission in NEEDED:
        assert permission.replace("_", " ").replace("PROJECTS", "Projects").title() in TEXT, permission
