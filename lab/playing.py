"""Plays episodes: one on a stage of its own, or a round of several at once on a shared node."""

import threading
import time
import traceback
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from evidence.bundles import Truth
from evidence.checks import all_checks
from evidence.collect import collect
from evidence.recording import LiveTransports
from ingest.sources import all_sources
from lab import recording
from lab.episode import Episode, Setting, drawing
from lab.episodes import all_episodes
from lab.recording import Raw
from lab.stage.node_pool import NodePool
from lab.stage.programs import Stage, StageBroken, log_progress
from lab.stage.sink import Sink, Taken


def play(name: str, seed: int = 0) -> list[Raw]:
    """Play one episode and keep its raw recording. Raises StageBroken, or the error of the episode."""
    episode = all_episodes()[name]
    if episode.node:
        kept, failed = play_round([name], seed)
        if failed:
            raise StageBroken(failed[name])
        return kept
    imported()
    sink = Sink()
    with Stage(on_disk=episode.on_disk) as stage:
        log_progress(f"{name}: the stage is being set")
        raw = seen(episode, seed, episode.play(stage, sink, drawing(name, seed)), sink)
        _keep(stage, [raw])
    sink.close()
    return [raw]


def play_round(names: Sequence[str], seed: int) -> tuple[list[Raw], dict[str, str]]:
    """Play episodes at once on one node; the kept recordings, and the errors of those that failed, by name."""
    episodes = [all_episodes()[name] for name in names]
    imported()
    sink = Sink()
    with Stage(on_disk=True) as stage:
        pool = NodePool(stage, sink, drawing(",".join(names), seed))
        pool.start(episodes)
        done = _at_once(pool, episodes, seed)
        failed = {name: _why(error) for name, error in done.items() if isinstance(error, BaseException)}
        store = f"{'+'.join(names)[:200]}-s{seed}"
        kept = [replace(raw, store=store) for raw in done.values() if isinstance(raw, Raw)]
        if kept:
            _keep(stage, kept)
    sink.close()
    return kept, failed


def _at_once(pool: NodePool, episodes: Sequence[Episode], seed: int) -> dict[str, Raw | BaseException]:
    """Play each episode in a daemon thread, so that an interrupted recorder need not wait for it."""
    done: dict[str, Raw | BaseException] = {}

    def run(episode: Episode) -> None:
        try:
            done[episode.name] = _play_on(pool, episode, seed, pool.sink)
        except Exception as error:  # noqa: BLE001 - one that fails must not end the others
            done[episode.name] = error

    threads = [threading.Thread(target=run, args=(e,), daemon=True) for e in episodes]
    for thread in threads:
        thread.start()
    time.sleep(12)  # until their pods are made
    pool.watch()
    for thread in threads:
        thread.join()
    return done


def _play_on(pool: NodePool, episode: Episode, seed: int, sink: Sink) -> Raw:
    setting = episode.play(pool, sink, drawing(episode.name, seed))
    try:
        raw = seen(episode, seed, setting, sink)
        listed = pool.lists(setting.namespace) if setting.namespace else ()
    finally:
        setting.end()
    known = {a.key for a in listed}
    return replace(raw, answers=(*listed, *(a for a in raw.answers if a.key not in known)))


def seen(episode: Episode, seed: int, setting: Setting, sink: Sink) -> Raw:
    """The recording of an episode as the product sees it now, with the live answers to all checks."""
    if setting.truth.cause != episode.cause:
        raise StageBroken(f"{episode.name} is declared as {episode.cause!r}, and played {setting.truth.cause!r}")
    time.sleep(1.2)  # as_of is a whole second and must be after the last delivery
    as_of = datetime.now(UTC).replace(microsecond=0)
    deliveries = [
        recording.delivery(t) for t in sink.taken if t.received_at <= as_of and (episode.alone or _concerns(t, setting))
    ]
    if not deliveries:
        raise StageBroken(f"{episode.name}: no delivery")
    true = setting.truth
    truth = Truth(true.cause, true.entity, true.source, true.accept) if true.cause or true.accept else None
    raw = Raw(episode.name, episode.title, as_of, setting.connections, truth, " ".join(setting.notes),
              tuple(deliveries), (), seed, episode.family, episode.stage, setting.changes)  # fmt: skip
    live = LiveTransports(setting.connections)
    collect(recording.scope(raw, setting.connections), live)
    return replace(raw, answers=live.answers())


def _concerns(taken: Taken, setting: Setting) -> bool:
    """Alerts are grouped by namespace, so a delivery belongs to one episode of a shared node."""
    if setting.reporters and (taken.kind, taken.name) not in setting.reporters:
        return False
    if setting.since and taken.received_at < setting.since:
        return False
    if setting.strange and setting.strange.encode() in taken.body:
        return False
    return not setting.namespace or f'"namespace":"{setting.namespace}"'.encode() in taken.body


def _keep(stage: Stage, raws: list[Raw]) -> None:
    if process := stage.process("prometheus"):
        stage.end(process)
    recording.keep(raws, stage.folder / "tsdb")


def imported() -> None:
    """Import what the recording needs later, so that an error shows before the fault is made."""
    all_sources()
    all_checks()


def _why(error: BaseException) -> str:
    """The error's text, and the line of the episode in which it was raised."""
    frames = [f for f in traceback.extract_tb(error.__traceback__) if "/episodes/" in f.filename]
    where = f" ({Path(frames[-1].filename).name}:{frames[-1].lineno})" if frames else ""
    return "".join(traceback.format_exception_only(error)).strip() + where
