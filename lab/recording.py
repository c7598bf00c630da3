"""Plays an episode once, keeps its raw recording, and asks the product's own checks for the bundle.

A raw recording (deliveries, the live answers, and the metrics store's folder) stays in the cache folder,
so a bundle can be asked for again when a check changes, without breaking anything a second time.
"""

import json
import shutil
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import httpx
import msgspec

from domain.alerts import ParsedAlert
from domain.connections import Access, Connections, PrometheusDecl
from domain.scope import Scope
from evidence.bundles import Bundle, RecordedDelivery, Truth
from evidence.checks import all_checks
from evidence.collect import collect
from evidence.recording import Answer, LiveTransports, ReplayTransports
from incidents.assemble import scope_of
from ingest.sources import all_sources
from lab.episodes import all_episodes
from lab.stage import monitoring
from lab.stage.images import cache
from lab.stage.programs import Stage, tell
from lab.stage.sink import Sink, Taken


@dataclass(frozen=True)
class Raw:
    """What was kept of one played episode, beside the metrics store's folder."""

    name: str
    title: str
    as_of: datetime
    connections: Connections
    truth: Truth | None
    notes: str
    deliveries: tuple[RecordedDelivery, ...]
    answers: tuple[Answer, ...]


class AskedAgain:
    """Metrics from a server that stands on the kept folder; every other witness from what it said then."""

    def __init__(self, live: LiveTransports, kept: ReplayTransports, metrics: set[str]) -> None:
        self._live, self._kept, self._metrics = live, kept, metrics

    def client(self, connection: str, base_url: str, access: Access) -> httpx.Client:
        """The live client for a metrics connection, the replaying one for others."""
        chosen = self._live if connection in self._metrics else self._kept
        return chosen.client(connection, base_url, access)

    def answers(self) -> tuple[Answer, ...]:
        """Both."""
        return (*self._live.answers(), *self._kept.answers())


def play(name: str) -> Path:
    """Plays the episode and returns the folder of its raw recording."""
    episode = all_episodes()[name]
    folder = cache() / "recordings" / name
    all_sources()  # what the recording needs later should fail now, not after the fault
    all_checks()
    sink = Sink()
    with Stage(on_disk=episode.on_disk) as stage:
        tell(f"{name}: the stage is being set")
        setting = episode.play(stage, sink)
        time.sleep(1.2)  # as_of is on a whole second, and the last delivery lies before it
        as_of = datetime.now(UTC).replace(microsecond=0)
        told = tuple(_delivery(t) for t in sink.taken if t.received_at <= as_of)
        connections = setting.connections
        live = LiveTransports(connections)
        collect(_scope(name, told, connections, as_of), live)
        truth = Truth(setting.truth.cause, setting.truth.entity, setting.truth.said_by) if setting.truth.cause else None
        raw = Raw(name, episode.title, as_of, connections, truth, " ".join(setting.notes), told, live.answers())
        if process := stage.process("prometheus"):
            stage.end(process)
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        shutil.copytree(stage.folder / "tsdb", folder / "tsdb", ignore=shutil.ignore_patterns("lock"))
        (folder / "raw.json").write_bytes(msgspec.json.encode(raw))
    sink.close()
    tell(f"{name}: {len(told)} deliveries kept in {folder}")
    return folder


def ask(name: str, out: Path) -> Bundle:
    """Asks the product's checks about a kept recording and writes the bundle."""
    folder = cache() / "recordings" / name
    raw = msgspec.json.decode((folder / "raw.json").read_bytes(), type=Raw)
    with Stage() as stage:
        shutil.copytree(folder / "tsdb", stage.folder / "tsdb")
        url = monitoring.reopen(stage)
        connections = _with_url(raw.connections, url)
        metrics = {p.name for p in connections.prometheus}
        transports = AskedAgain(LiveTransports(connections), ReplayTransports(raw.answers), metrics)
        collect(_scope(name, raw.deliveries, connections, raw.as_of), transports)
    plain = _with_url(raw.connections, "http://127.0.0.1:9090")
    bundle = Bundle(
        title=raw.title, as_of=raw.as_of, connections=plain, truth=raw.truth, similar=(),
        deliveries=raw.deliveries, answers=transports.answers(), notes=raw.notes,
    )  # fmt: skip
    shutil.rmtree(out, ignore_errors=True)
    bundle.save(out)
    size = sum(p.stat().st_size for p in out.rglob("*") if p.is_file())
    tell(f"{out}: {len(bundle.answers)} answers, {size / 1024:.0f} KiB")
    return bundle


def _delivery(taken: Taken) -> RecordedDelivery:
    body = taken.body.decode()
    return RecordedDelivery(taken.kind, taken.name, taken.received_at, taken.headers, body)


def _scope(name: str, deliveries: Sequence[RecordedDelivery], connections: Connections, as_of: datetime) -> Scope:
    alerts: list[ParsedAlert] = []
    for delivery in deliveries:
        parse = all_sources()[delivery.kind].parse
        alerts += parse(delivery.body.encode(), delivery.received_at).alerts
    return scope_of(name, alerts, connections, as_of)


def _with_url(connections: Connections, url: str) -> Connections:
    moved: list[PrometheusDecl] = [msgspec.structs.replace(p, url=url) for p in connections.prometheus]
    return msgspec.structs.replace(connections, prometheus=moved)


def inspect(name: str) -> str:
    """What a raw recording holds, as JSON for a person."""
    raw = msgspec.json.decode((cache() / "recordings" / name / "raw.json").read_bytes(), type=Raw)
    return json.dumps({"as_of": str(raw.as_of), "truth": msgspec.to_builtins(raw.truth),
                       "deliveries": len(raw.deliveries), "answers": len(raw.answers)})  # fmt: skip
