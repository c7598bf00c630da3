"""New commits say in which room they work and why; where there is no history there is nothing to check."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tools import check_commits

ROOMS = {"web", "ingest"}
WHY = "\n\nBecause it was missing."


@pytest.mark.parametrize("subject", ["web: Show the page", "notify: Tell once", "all: Re-order imports", "web: " + "A" * 30 + " " + "b" * 36])  # fmt: skip
def test_a_message_in_the_form_is_accepted(subject: str) -> None:
    assert check_commits.faults(subject + WHY, ROOMS) == []


@pytest.mark.parametrize(
    "message, fault",
    [
        ("The page shows more" + WHY, "not of the form"),
        ("web: shows the page" + WHY, "not of the form"),
        ("web: Show" + WHY, "not of the form"),
        ("web: Show the page." + WHY, "not of the form"),
        ("kitchen: Show the page" + WHY, "no room `kitchen`"),
        ("web: Show " + "x" * 63 + WHY, "73 characters"),
        ("web: Show the page", "body is empty"),
        ("web: Show the page\n\n  \n", "body is empty"),
        ("web: Show the page\nat once", "empty line"),
    ],
)
def test_what_is_wrong_is_named(message: str, fault: str) -> None:
    found = check_commits.faults(message, ROOMS)
    assert len(found) == 1 and fault in found[0]


def git(folder: Path, *args: str) -> str:
    env = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    env |= {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull}
    who = ["-c", "user.name=x", "-c", "user.email=x@x.example", "-c", "protocol.file.allow=always"]
    return subprocess.run(["git", *who, *args], cwd=folder, env=env, check=True, capture_output=True, text=True).stdout


@pytest.fixture
def history(tmp_path: Path) -> Path:
    """An old commit, one in the form, one without, and a merge; a folder that has another name in the end."""
    folder = tmp_path / "origin"
    folder.mkdir()
    git(folder, "init", "-q", "-b", "main")
    (folder / "kitchen").mkdir()
    (folder / "kitchen" / "a").write_text("a")
    git(folder, "add", ".")
    git(folder, "commit", "-q", "-m", "The first words")
    git(folder, "commit", "-q", "--allow-empty", "-m", "kitchen: Cook a meal" + WHY)
    git(folder, "mv", "kitchen", "galley")
    git(folder, "commit", "-q", "-m", "kitchen: Become a galley" + WHY)
    git(folder, "commit", "-q", "--allow-empty", "-m", "Anything goes")
    git(folder, "checkout", "-q", "-b", "side", "HEAD~1")
    git(folder, "commit", "-q", "--allow-empty", "-m", "galley: Wash up" + WHY)
    git(folder, "checkout", "-q", "main")
    git(folder, "merge", "-q", "--no-ff", "-m", "Merge side", "side")
    return folder


def test_only_new_commits_are_looked_at(history: Path) -> None:
    first = git(history, "rev-list", "--max-parents=0", "HEAD").strip()
    wrong, looked_at = check_commits.checked(history, first)
    assert looked_at == "4 new commits checked"
    assert len(wrong) == 2 and all("Anything goes" in line for line in wrong)
    assert check_commits.checked(history, git(history, "rev-parse", "HEAD").strip()) == ([], "0 new commits checked")


def test_a_shallow_clone_is_checked_as_far_as_it_goes(history: Path, tmp_path: Path) -> None:
    first = git(history, "rev-list", "--max-parents=0", "HEAD").strip()
    git(tmp_path, "clone", "-q", "--depth", "2", history.as_uri(), "shallow")
    wrong, looked_at = check_commits.checked(tmp_path / "shallow", first)
    assert looked_at == "2 new commits checked" and len(wrong) == 2


def test_without_a_history_it_prints_that_and_passes(history: Path, tmp_path: Path) -> None:
    assert "no git checkout" in check_commits.checked(tmp_path)[1]
    (history / "unpacked").mkdir()
    assert "no git checkout" in check_commits.checked(history / "unpacked")[1]
    assert check_commits.checked(history, "1" * 40) == ([], "no commits to check: the history does not hold 1111111111")
    (tmp_path / "tools").mkdir()
    script = shutil.copy(check_commits.__file__, tmp_path / "tools")
    done = subprocess.run([sys.executable, script], capture_output=True, text=True, check=False)
    assert done.returncode == 0 and "no git checkout" in done.stdout
