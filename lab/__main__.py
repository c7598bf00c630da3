"""`python -m lab list`: the verbs are described in lab/README.md."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from lab import listing, playing, recording
from lab.episodes import all_episodes
from lab.field.playing import play_field
from lab.planning import record_all
from lab.stage.programs import log_progress


def main(argv: list[str]) -> int:
    """Run one verb; exit code 0 for success, 1 for failure, 2 for a wrong call."""
    wanted = _parser().parse_args(argv)
    if wanted.verb == "list":
        print("\n".join(f"{e.name}: {e.title}" for e in all_episodes().values()))
    elif wanted.verb == "readme":
        listing.write()
    elif wanted.verb == "show":
        print(recording.inspect(recording.key_of(wanted.name, wanted.seed)))
    elif wanted.verb == "record":
        recording.ask(playing.play(wanted.name, wanted.seed), wanted.out)
    elif wanted.verb == "round":
        return _round(wanted.names, wanted.seed)
    elif wanted.verb == "field":
        return _field(wanted.names, wanted.seeds)
    elif wanted.verb == "all":
        return record_all(wanted.seeds, wanted.only)
    else:
        _ask(wanted)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m lab", description=__doc__)
    verbs = parser.add_subparsers(dest="verb", required=True)
    names = sorted(all_episodes())
    for verb, text in (("record", "play the fault, then write the bundle"), ("ask", "ask a kept recording again"),
                       ("show", "what a kept recording holds")):  # fmt: skip
        sub = verbs.add_parser(verb, help=text)
        sub.add_argument("name", choices=[*names, ""], nargs="?" if verb == "ask" else None, default="")
        sub.add_argument("--seed", type=int, default=0)
        sub.add_argument("--out", type=Path)
        if verb == "ask":
            sub.add_argument("--all", action="store_true", help="every kept recording that has a seed")
            sub.add_argument("--like", default="", help="with --all: only those whose name begins so")
    sub = verbs.add_parser("round", help="several probe episodes at once on one node")
    sub.add_argument("--seed", type=int, required=True)
    sub.add_argument("names", nargs="+", choices=names)
    sub = verbs.add_parser("field", help="several declarations of the field at once on one node")
    sub.add_argument("--seeds", type=int, nargs="+", required=True)
    sub.add_argument("names", nargs="+", choices=[n for n in names if n.startswith("field-")], metavar="NAME")
    sub = verbs.add_parser("all", help="every episode that has no bundle yet, round after round")
    sub.add_argument("--seeds", type=int, nargs="+", required=True)
    sub.add_argument("--only", nargs="+", choices=names, default=names, metavar="NAME")
    verbs.add_parser("list", help="all episodes")
    verbs.add_parser("readme", help="bring the table of lab/README.md in step")
    return parser


def _round(names: Sequence[str], seed: int) -> int:
    kept, failed = playing.play_round(names, seed)
    recording.ask(kept)
    for name, why in failed.items():
        log_progress(f"{name}: FAILED: {why}")
    return 1 if failed else 0


def _field(names: Sequence[str], seeds: Sequence[int]) -> int:
    """Play and record each name with each seed; those that failed leave no bundle."""
    kept, failed = play_field([(all_episodes()[name], seed) for name in names for seed in seeds])
    recording.ask(kept)
    for key, why in failed.items():
        log_progress(f"{key}: FAILED: {why}")
    return 1 if failed else 0


def _ask(wanted: argparse.Namespace) -> None:
    if wanted.all:
        recording.ask(raw for raw in recording.kept() if raw.seed and raw.name.startswith(wanted.like))
    else:
        recording.ask([recording.load(recording.key_of(wanted.name, wanted.seed))], wanted.out)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
