"""Plays declarations of the field at once on one field stage, and keeps their raw recordings."""

import threading
import time
import traceback
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from lab import recording
from lab.episode import Episode, drawing
from lab.field.ground import SCRAPES
from lab.field.pool import FieldPool
from lab.playing import imported, seen
from lab.recording import Raw
from lab.stage.programs import Stage, log_progress
from lab.stage.sink import Sink

APART_S = 0.8
# Declarations of these names need no node.
NO_NODE = "field-etcd-"


def play_field(plays: Sequence[tuple[Episode, int]]) -> tuple[list[Raw], dict[str, str]]:
    """Play (declaration, seed) pairs at once; the kept recordings, and the errors of those that failed, by key."""
    imported()
    sink = Sink()
    keys = [recording.key_of(episode.name, seed) for episode, seed in plays]
    with Stage(on_disk=True) as stage:
        pool = FieldPool(stage, sink, drawing("+".join(keys), 0))
        pool.start(bare=all(episode.name.startswith(NO_NODE) for episode, _ in plays))
        done = _at_once(pool, plays)
        failed = {key: _why(error) for key, error in done.items() if isinstance(error, BaseException)}
        _keep(pool, [raw for raw in done.values() if isinstance(raw, Raw)])
    sink.close()
    return [raw for raw in done.values() if isinstance(raw, Raw)], failed


def _at_once(pool: FieldPool, plays: Sequence[tuple[Episode, int]]) -> dict[str, Raw | BaseException]:
    """Play each in a daemon thread, begun one after the other as a node cannot start all pods at the same time."""
    done: dict[str, Raw | BaseException] = {}

    def run(episode: Episode, seed: int) -> None:
        key = recording.key_of(episode.name, seed)
        try:
            done[key] = _play_on(pool, episode, seed)
        except Exception as error:  # noqa: BLE001 - one that fails must not end the others
            log_progress(f"{key}: {_why(error)}")
            done[key] = error

    threads = [threading.Thread(target=run, args=play, daemon=True) for play in plays]
    for thread in threads:
        thread.start()
        time.sleep(APART_S)
    pool.watch(SCRAPES)
    for thread in threads:
        thread.join()
    return done


def _play_on(pool: FieldPool, episode: Episode, seed: int) -> Raw:
    setting = episode.play(pool, pool.sink, drawing(episode.name, seed))
    try:
        raw = seen(episode, seed, setting, pool.sink)
        listed = pool.lists(setting.namespace)
    finally:
        setting.end()
    known = {a.key for a in listed}
    return replace(raw, answers=(*listed, *(a for a in raw.answers if a.key not in known)))


def _keep(pool: FieldPool, raws: list[Raw]) -> None:
    """Keep the recordings, each with the store of the Prometheus that it was seen by."""
    for watcher in pool.watchers():
        if process := pool.stage.process(f"prometheus-{watcher.name}"):
            pool.stage.end(process)
        mine = [raw for raw in raws if raw.connections.prometheus[0].url == watcher.monitoring.prometheus]
        if mine:
            store = f"{mine[0].key}+{len(mine)}-{watcher.name}"
            recording.keep([replace(raw, store=store) for raw in mine], watcher.tsdb)


def _why(error: BaseException) -> str:
    """The error's text, and the line of the declaration in which it was raised."""
    frames = [f for f in traceback.extract_tb(error.__traceback__) if "/episodes/" in f.filename]
    where = f" ({Path(frames[-1].filename).name}:{frames[-1].lineno})" if frames else ""
    return "".join(traceback.format_exception_only(error)).strip() + where
