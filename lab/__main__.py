"""`python -m lab record NAME [--out DIR]`, `ask NAME`, `list`: see docs of lab/recording.py."""

import argparse
import sys
from pathlib import Path

from lab.episodes import all_episodes
from lab.history import write
from lab.recording import ask, inspect, play


def main(argv: list[str]) -> int:
    """Runs one verb; 0 done, 1 not done, 2 wrong call."""
    parser = argparse.ArgumentParser(prog="python -m lab", description=__doc__)
    verbs = parser.add_subparsers(dest="verb", required=True)
    for verb, text in (("record", "play the fault, then write the bundle"), ("ask", "ask a kept recording again"),
                       ("show", "what a kept recording holds")):  # fmt: skip
        sub = verbs.add_parser(verb, help=text)
        sub.add_argument("name", choices=sorted(all_episodes()))
        sub.add_argument("--out", type=Path)
    verbs.add_parser("history", help="write bundles/history.json from the recorded bundles")
    verbs.add_parser("list", help="all episodes")
    wanted = parser.parse_args(argv)
    if wanted.verb == "list":
        print("\n".join(f"{e.name}: {e.title}" for e in all_episodes().values()))
        return 0
    if wanted.verb == "history":
        print(f"{write(Path('bundles'))} earlier incidents")
        return 0
    if wanted.verb == "show":
        print(inspect(wanted.name))
        return 0
    if wanted.verb == "record":
        play(wanted.name)
    ask(wanted.name, wanted.out or Path("bundles") / wanted.name)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
