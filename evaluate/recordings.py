"""Plays recorded incidents on the running service: sends their deliveries, waits for verdicts, loads a history."""

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import httpx
from django.conf import settings

from causes.catalogue import is_kind_of
from causes.rank import rank
from domain.errors import Malformed, Refused, Unreachable
from domain.verdict import Verdict, VerdictState
from evaluate.sets import Replay
from evidence.bundles import Bundle
from incidents import connections, graph_queue, queries, sources
from incidents.deliveries import all_done, stuck_delivery
from incidents.entities import store_topology
from incidents.history import Past, remember_past
from incidents.models import Incident

FOLDER = settings.BASE_DIR / "bundles"
HISTORY = 17
# Far enough apart that no past incident can be taken for a part of another.
APART = timedelta(days=9)
POLL_S = 0.25


@dataclass(frozen=True, slots=True)
class Recording:
    """One bundle and its path; the path's name is its slug."""

    path: Path
    bundle: Bundle

    @property
    def slug(self) -> str:
        """The name of its folder or zip without the extension, which is used in URLs."""
        return self.path.stem


@dataclass(frozen=True, slots=True)
class Result:
    """The service's verdict on one incident of a recording."""

    recording: Recording
    incident: Incident
    verdict: Verdict

    @property
    def holds(self) -> bool:
        """Whether the verdict does not contradict the recorded truth: it names the same cause, or is unknown."""
        truth = self.recording.bundle.truth
        if truth is None or self.verdict.state is VerdictState.UNKNOWN:
            return True
        if self.verdict.state is VerdictState.NO_FAULT and truth.cause == "no-fault":
            return True
        first = self.verdict.causes[0].cause if self.verdict.causes else ""
        return first == truth.cause or is_kind_of(first, truth.cause)


def recordings(folder: Path = FOLDER) -> list[Recording]:
    """All bundles of a folder by name. Raises Malformed when there is none or one cannot be read."""
    paths = sorted(p for p in folder.glob("*") if (p / "bundle.json").is_file() or p.suffix == ".zip")
    if not paths:
        raise Malformed("holds no bundle; get the whole repository", str(folder))
    return [Recording(path, Bundle.load(path)) for path in paths]


def open_doors(recording: Recording) -> dict[tuple[str, str], tuple[str, str]]:
    """Make a source for each recorded one, with answers from the bundle; (kind, name) to (path, token)."""
    store_topology(recording.bundle.connections)
    doors = {}
    for kind, name in sorted({(d.kind, d.name) for d in recording.bundle.deliveries}):
        source, token = sources.make_source(kind, f"{recording.slug}-{name}"[:80])
        connections.put_recording(source, recording.path)
        doors[kind, name] = (f"/ingest/{source.kind}/{source.name}", token)
    return doors


def send(recording: Recording, address: str) -> list[str]:
    """Post the recorded deliveries to the real doors; their ids. Raises Refused or Unreachable."""
    doors = open_doors(recording)
    with httpx.Client(base_url=address, timeout=30.0, trust_env=False) as client:
        return [_post(client, *doors[d.kind, d.name], d.body) for d in recording.bundle.deliveries]


def _post(client: httpx.Client, path: str, token: str, body: str) -> str:
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    try:
        answer = client.post(path, content=body.encode(), headers=headers)
    except httpx.HTTPError as error:
        raise Unreachable(f"the door {path} does not answer ({error}); see the log of `up`") from error
    if answer.status_code // 100 != 2:
        raise Refused(f"the door {path} answered {answer.status_code}: {answer.text[:200]}")
    return str(answer.json()["id"])


def await_results(recording: Recording, deliveries: Sequence[str], limit_s: float) -> list[Result]:
    """The verdicts, once every delivery is in and no investigation of their incidents waits.

    Raises Unreachable when that takes longer than `limit_s` seconds, or a delivery was parked.
    """
    end = time.monotonic() + limit_s
    while time.monotonic() < end:
        if stuck := stuck_delivery(deliveries):
            raise Refused(f"{recording.slug}: a delivery is {stuck.state}: {stuck.reason}")
        if results := _finished(recording, deliveries):
            return results
        time.sleep(POLL_S)
    raise Unreachable(f"{recording.slug}: no verdict within {limit_s:.0f} s; see the log of the workers")


def _finished(recording: Recording, deliveries: Sequence[str]) -> list[Result]:
    if not all_done(deliveries):
        return []
    rows = queries.incidents_of_recording(str(recording.path.resolve()))
    busy = rows.filter(investigations__state__in=["asked", "running"]).exists()
    verdicts = [(row, queries.latest_verdict(row)) for row in rows]
    if busy or not all(verdict for _, verdict in verdicts):
        return []
    return [Result(recording, row, verdict) for row, verdict in verdicts if verdict]


def load_history(found: Sequence[Recording], replayed: Replay) -> int:
    """Earlier etcd incidents: the recorded ones again, days apart, each marked as a recurrence; how many are new."""
    etcd = [r for r in found if r.bundle.truth and r.bundle.connections.etcd]
    if not etcd:
        return 0
    source = sources.closed_source("history", "recorded")
    return sum(remember_past(past, source) is not None for past in _pasts(etcd, replayed))


def await_graph(limit_s: float) -> None:
    """Wait until the graph holds all incidents so far, so that the next one can be compared with them.

    After `limit_s` seconds it goes on: the verdicts then do without similar incidents.
    """
    end = time.monotonic() + limit_s
    while time.monotonic() < end and graph_queue.backlog().waiting:
        time.sleep(POLL_S)


def _pasts(etcd: Sequence[Recording], replayed: Replay) -> Iterator[Past]:
    looked = {r.slug: replayed(r.bundle) for r in etcd}
    for number in range(HISTORY):
        recording = etcd[number % len(etcd)]
        seen = looked[recording.slug]
        truth = recording.bundle.truth
        if truth is None:
            continue
        verdict = rank(seen.scope, seen.collected.findings, ())
        yield Past(
            recording.bundle.title, seen.scope, seen.collected.findings, verdict, truth.cause, truth.said_by,
            recurrence_of=recording.slug, back=APART * (number + 1),
        )  # fmt: skip
