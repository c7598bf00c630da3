"""Plans rounds in which every episode without a bundle is recorded, and plays them one after the other."""

from collections.abc import Iterator, Sequence

from lab import playing, recording
from lab.episodes import all_episodes
from lab.field.playing import play_field
from lab.stage.programs import log_progress

AT_ONCE = 14
# Pods of the field have next to no traffic, and each declaration lasts as long as its rule's `for`.
IN_FIELD = 60
TRIES = 2


def rounds(names: Sequence[str], seed: int, *, again: bool = False) -> Iterator[list[str]]:
    """Rounds of names: episodes of a shared node together, others alone. Those with a bundle only with `again`."""
    missing = [n for n in names if again or not recording.place_of(n, seed).exists()]
    shared = [n for n in missing if all_episodes()[n].node and not all_episodes()[n].alone]
    yield from _together([n for n in shared if not all_episodes()[n].in_field], AT_ONCE)
    yield from _together([n for n in shared if all_episodes()[n].in_field], IN_FIELD)
    yield from ([n] for n in missing if n not in shared)


def _together(names: Sequence[str], most: int) -> Iterator[list[str]]:
    """Groups of about the same size, none larger than `most`."""
    many = -(-len(names) // most)
    yield from (list(names[number::many]) for number in range(many))


def record_all(seeds: Sequence[int], names: Sequence[str]) -> int:
    """Record all missing bundles; a failure does not end the other rounds and is tried `TRIES` times. The exit code."""
    for _ in range(TRIES):
        failures = [_recorded(episodes, seed) for seed in seeds for episodes in rounds(names, seed)]
        if not any(failures):
            return 0
    return 1


def _recorded(names: list[str], seed: int) -> dict[str, str]:
    """Play and record one round; the errors of the episodes that failed, by name."""
    log_progress(f"round with seed {seed}: {', '.join(names)}")
    try:
        failed = _played(names, seed)
    except Exception as error:  # noqa: BLE001 - a broken stage must not end the other rounds
        failed = dict.fromkeys(names, f"{type(error).__name__}: {error}")
    for name, why in failed.items():
        log_progress(f"FAILED {name}-s{seed}: {why}")
    return failed


def _played(names: list[str], seed: int) -> dict[str, str]:
    if all_episodes()[names[0]].in_field:
        kept, failed = play_field([(all_episodes()[name], seed) for name in names])
        recording.ask(kept)
        return {key.rpartition("-s")[0]: why for key, why in failed.items()}
    if not all_episodes()[names[0]].node:
        recording.ask(playing.play(names[0], seed))
        return {}
    kept, failed = playing.play_round(names, seed)
    recording.ask(kept)
    return failed
