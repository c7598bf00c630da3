"""Keeps raw recordings, and runs the product's own checks on them to make bundles.

A raw recording (deliveries, live answers and the folder of the metrics store) stays in the cache folder. When a check
changes, its bundle can be made again without playing the fault again.
"""

import json
import shutil
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

import httpx
import msgspec

from domain.alerts import ParsedAlert
from domain.connections import Access, Connections, EtcdDecl, PrometheusDecl
from domain.scope import ChangeRef, Scope
from evidence.bundles import Bundle, RecordedDelivery, Truth
from evidence.clients.scrub import scrubbed
from evidence.collect import collect
from evidence.recording import Answer, LiveTransports, ReplayTransports
from incidents.assemble import scope_of
from ingest.sources import all_sources
from lab.episodes import all_episodes
from lab.stage import monitoring
from lab.stage.images import cache
from lab.stage.programs import Stage, log_progress
from lab.stage.sink import Taken

BUNDLES = Path(__file__).parents[1] / "bundles"
# Seeds of the development set. Higher ones are the kept set, which is measured for a release and not tuned on.
DEVELOPMENT = (1, 2)


@dataclass(frozen=True)
class Raw:
    """The raw recording of one played episode, without the folder of its metrics store.

    `store` is the same for recordings that share one metrics store.
    """

    name: str
    title: str
    as_of: datetime
    connections: Connections
    truth: Truth | None
    notes: str
    deliveries: tuple[RecordedDelivery, ...]
    answers: tuple[Answer, ...]
    seed: int = 0
    family: str = ""
    stage: str = ""
    changes: tuple[ChangeRef, ...] = ()
    store: str = ""

    @property
    def key(self) -> str:
        """The name of its folder and of its bundle."""
        return key_of(self.name, self.seed)


class AskedAgain:
    """Transports that ask a server on the kept metrics store; all other answers are the recorded ones."""

    def __init__(self, live: LiveTransports, kept: ReplayTransports, metrics: set[str]) -> None:
        self._live, self._kept, self._metrics = live, kept, metrics

    def client(self, connection: str, base_url: str, access: Access) -> httpx.Client:
        """The live client for a metrics connection, the replaying one for others."""
        chosen = self._live if connection in self._metrics else self._kept
        return chosen.client(connection, base_url, access)

    def run(self, etcd: EtcdDecl, action: str) -> Answer:
        """The recorded answer of a program."""
        return self._kept.run(etcd, action)

    def answers(self) -> tuple[Answer, ...]:
        """The live answers and the recorded ones."""
        return (*self._live.answers(), *self._kept.answers())


def key_of(name: str, seed: int) -> str:
    """`NAME-sSEED`; seed 0 is the demo's recording, which has the name alone."""
    return f"{name}-s{seed}" if seed else name


def folder_of(key: str) -> Path:
    """Where the raw recording of that key is kept."""
    return cache() / "recordings" / key


def place_of(name: str, seed: int) -> Path:
    """The path of a bundle: a folder for the demo's, a zip in one of the two sets for an episode's."""
    if seed == 0:
        return BUNDLES / name
    part = "development" if seed in DEVELOPMENT else "kept"
    return BUNDLES / ("field" if name.startswith("field-") else "episodes") / part / f"{key_of(name, seed)}.zip"


def keep(raws: Sequence[Raw], tsdb: Path) -> None:
    """Write raw recordings that share one stopped metrics store; the copies of the store are hard links."""
    first: Path | None = None
    for raw in raws:
        folder = folder_of(raw.key)
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        if first is None:
            shutil.copytree(tsdb, folder / "tsdb", ignore=shutil.ignore_patterns("lock"))
            first = folder / "tsdb"
        else:
            shutil.copytree(first, folder / "tsdb", copy_function=_hard_link)
        (folder / "raw.json").write_bytes(msgspec.json.encode(raw))
        log_progress(f"{raw.key}: {len(raw.deliveries)} deliveries kept in {folder}")


def _hard_link(source: str, target: str) -> None:
    Path(target).hardlink_to(source)


def load(key: str) -> Raw:
    """The kept recording of that key."""
    return msgspec.json.decode((folder_of(key) / "raw.json").read_bytes(), type=Raw)


def kept() -> list[Raw]:
    """All kept recordings in order of their keys."""
    return [load(p.parent.name) for p in sorted((cache() / "recordings").glob("*/raw.json"))]


def ask(raws: Iterable[Raw], out: Path | None = None) -> list[Path]:
    """Run the product's checks on kept recordings and write their bundles; each store is opened once."""
    stores: dict[str, list[Raw]] = {}
    for raw in raws:
        stores.setdefault(raw.store or raw.key, []).append(raw)
    written = []
    for same in stores.values():
        with _opened(folder_of(same[0].key) / "tsdb") as url:
            written += [_asked(raw, url, out or place_of(raw.name, raw.seed)) for raw in same]
    return written


@contextmanager
def _opened(tsdb: Path) -> Iterator[str]:
    """The URL of a Prometheus on a copy of the store, as a server writes to the store that it opens."""
    with Stage() as stage:
        shutil.copytree(tsdb, stage.folder / "tsdb")
        yield monitoring.reopen(stage)


def _asked(raw: Raw, url: str, out: Path) -> Path:
    connections = _with_url(_plain(raw.connections), url)
    metrics = {p.name for p in connections.prometheus}
    listed = [_clean(a) for a in raw.answers if a.connection in {k.name for k in connections.kubernetes}]
    known = {a.key: a for a in (*raw.answers, *listed)}
    transports = AskedAgain(LiveTransports(connections), ReplayTransports(known.values()), metrics)
    collect(scope(raw, connections), transports)
    answers = {a.key: a for a in (*listed, *transports.answers())}
    bundle = Bundle(
        title=raw.title, as_of=raw.as_of, connections=_plain(raw.connections),
        truth=_truth(raw), similar=(), deliveries=raw.deliveries, answers=tuple(answers.values()), notes=raw.notes,
        changes=raw.changes, declaration=raw.name, seed=raw.seed, family=raw.family, stage=raw.stage,
    )  # fmt: skip
    if out.suffix != ".zip":
        shutil.rmtree(out, ignore_errors=True)
    out.parent.mkdir(parents=True, exist_ok=True)
    bundle.save(out)
    size = sum(p.stat().st_size for p in ([out] if out.is_file() else out.rglob("*")) if p.is_file())
    log_progress(f"{out}: {len(bundle.answers)} answers, {size / 1024:.0f} KiB")
    return out


def _truth(raw: Raw) -> Truth | None:
    """What was played, with all causes that are accepted for it today: one may have come into the catalogue since."""
    episode = all_episodes().get(raw.name)
    if raw.truth is None or episode is None or not episode.accept:
        return raw.truth
    return replace(raw.truth, cause=episode.cause, accept=episode.accept)


def _clean(answer: Answer) -> Answer:
    """A list of the Kubernetes API as the product's own client records it: without possible secrets."""
    if answer.status != 200:
        return answer
    return replace(answer, answer=json.dumps(scrubbed(json.loads(answer.answer)), separators=(",", ":")))


def delivery(taken: Taken) -> RecordedDelivery:
    """A taken delivery as a bundle keeps it."""
    return RecordedDelivery(taken.kind, taken.name, taken.received_at, taken.headers, taken.body.decode())


def scope(raw: Raw, connections: Connections) -> Scope:
    """The scope of the recorded incident with these connections."""
    alerts: list[ParsedAlert] = []
    for recorded in raw.deliveries:
        parse = all_sources()[recorded.kind].parse
        alerts += parse(recorded.body.encode(), recorded.received_at).alerts
    return scope_of(raw.name, alerts, connections, raw.as_of, raw.changes)


def _with_url(connections: Connections, url: str) -> Connections:
    moved: list[PrometheusDecl] = [msgspec.structs.replace(p, url=url) for p in connections.prometheus]
    return msgspec.structs.replace(connections, prometheus=moved)


def _plain(connections: Connections) -> Connections:
    """The connections as a bundle declares them: no addresses of this machine, and a recorded Kubernetes API."""
    moved = _with_url(connections, "http://127.0.0.1:9090")
    blackbox = [msgspec.structs.replace(b, url="http://127.0.0.1:9115" if b.url else "") for b in moved.blackbox]
    asked = [
        msgspec.structs.replace(k, kubeconfig_file="", api=True) if k.kubeconfig_file else k for k in moved.kubernetes
    ]
    return msgspec.structs.replace(moved, blackbox=blackbox, kubernetes=asked)


def inspect(key: str) -> str:
    """What a raw recording holds, as JSON for a person."""
    raw = load(key)
    return json.dumps({"as_of": str(raw.as_of), "truth": msgspec.to_builtins(raw.truth), "notes": raw.notes,
                       "deliveries": len(raw.deliveries), "answers": len(raw.answers)})  # fmt: skip
