"""Whether the new commits say in which room they work, and why: `room: Verb ...`, at most 72 characters, then a body.

Run by `make check`. New is what HEAD has and `START` has not: older ones were written before the rule.
"""

import re
import subprocess
import sys
from pathlib import Path

START = "76a1b05283e840c6a0d3048190fd190b7fdf2f8b"
LIMIT = 72
ROOT = Path(__file__).parents[1]
# Work that is wider or narrower than a folder.
OTHER_ROOMS = {"all", "build", "ci", "connections", "docs", "evaluate", "investigate", "notify", "tests"}
FORM = re.compile(r"(?P<room>[a-z_]+): [A-Z][A-Za-z-]* \S.*[^.\s]")


def git(root: Path, *args: str) -> str:
    """What git prints; nothing where it fails, or where there is none."""
    try:
        done = subprocess.run(["git", "-C", str(root), *args], capture_output=True, text=True, check=False)
    except OSError:
        return ""
    return done.stdout if done.returncode == 0 else ""


def rooms(root: Path, commit: str) -> set[str]:
    """The folders at the top of that commit."""
    return set(git(root, "ls-tree", "-d", "--name-only", commit).split())


def faults(message: str, allowed: set[str]) -> list[str]:
    """What is wrong with one commit's message."""
    subject, *rest = message.rstrip().split("\n")
    form = FORM.fullmatch(subject)
    found = []
    if form is None:
        found.append("the subject is not of the form `room: Verb ...` without a full stop")
    elif form["room"] not in allowed | OTHER_ROOMS:
        found.append(f"there is no room `{form['room']}`; there are {', '.join(sorted(allowed | OTHER_ROOMS))}")
    if len(subject) > LIMIT:
        found.append(f"the subject has {len(subject)} characters, {LIMIT} are the most")
    if not any(line.strip() for line in rest):
        found.append("the body is empty: say why")
    elif rest[0].strip():
        found.append("an empty line must stand between subject and body")
    return found


def checked(root: Path, start: str = START) -> tuple[list[str], str]:
    """All faults, and what was looked at."""
    top = git(root, "rev-parse", "--show-toplevel").strip()
    if not top or Path(top).resolve() != root.resolve():
        return [], "no commits to check: this is no git checkout"
    known = bool(git(root, "rev-parse", "--verify", "--quiet", f"{start}^{{commit}}"))
    if not known and git(root, "rev-parse", "--is-shallow-repository").strip() != "true":
        return [], f"no commits to check: the history does not hold {start[:10]}"
    # A shallow clone without the start ends after it: all that it holds is new.
    new = git(root, "rev-list", "--no-merges", *([f"{start}..HEAD"] if known else ["HEAD"])).split()
    found = []
    for commit in new:
        message = git(root, "show", "--no-patch", "--format=%B", commit)
        # A folder may have got another name since, or in this very commit.
        allowed = rooms(root, "HEAD") | rooms(root, commit) | rooms(root, f"{commit}^")
        subject = message.partition("\n")[0]
        found += [f"{commit[:10]} `{subject}`: {fault}" for fault in faults(message, allowed)]
    return found, f"{len(new)} new commits checked"


if __name__ == "__main__":
    wrong, looked_at = checked(ROOT)
    sys.stdout.write("\n".join([*wrong, looked_at, ""]))
    sys.exit(bool(wrong))
