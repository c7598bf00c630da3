"""A recorded incident as a folder or zip: deliveries, answers, topology and, if known, the truth."""

import gzip
import io
import json
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from domain import codec
from domain.connections import Connections
from domain.errors import Malformed
from domain.findings import Finding
from domain.scope import ChangeRef
from domain.similar import SimilarIncident
from evidence.recording import Answer, decode_answer, encode_answer

T = TypeVar("T")
FORMAT = 1
MEMBER_LIMIT = 32 * 1024 * 1024
TOTAL_LIMIT = 256 * 1024 * 1024
FILES_LIMIT = 5000


@dataclass(frozen=True, slots=True)
class RecordedDelivery:
    """One raw delivery as it came; `body` is its text."""

    kind: str
    name: str
    received_at: datetime
    headers: dict[str, str]
    body: str

    def key(self, identity: str) -> str:
        """Names an alert of this delivery among those of all sources."""
        return f"{self.kind}/{self.name}/{identity[:200]}"


@dataclass(frozen=True, slots=True)
class Truth:
    """What it really was: cause slug, entity key, and who confirmed it.

    `accept` are all slugs that count as right, best first; "unknown" among them means that no cause need be named.
    Without it only `cause` is right.
    """

    cause: str
    entity: str = ""
    said_by: str = ""
    accept: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Head:
    format: int
    title: str
    as_of: datetime
    connections: Connections
    truth: Truth | None = None
    similar: tuple[SimilarIncident, ...] = ()
    notes: str = ""
    changes: tuple[ChangeRef, ...] = ()
    declaration: str = ""
    seed: int = 0
    family: str = ""
    stage: str = ""
    alerts: tuple[str, ...] = ()
    earlier: tuple[Finding, ...] = ()


@dataclass(frozen=True, slots=True)
class Bundle:
    """A recorded incident. `as_of` is the time at which it was looked at; `similar` the history known then.

    `alerts` are the keys of those alerts of its deliveries that belong to it, since a group of Alertmanager may bring
    those of several incidents; without them all belong to it.

    `earlier` are findings of earlier looks that the verdict rests on, since the last one could not ask them again.

    `changes` are deploys and configuration changes that were known. A bundle of the lab says which `declaration` was
    played with which `seed`, to which `family` of faults it belongs, and what the `stage` was made of.
    """

    title: str
    as_of: datetime
    connections: Connections
    truth: Truth | None
    similar: tuple[SimilarIncident, ...]
    deliveries: tuple[RecordedDelivery, ...]
    answers: tuple[Answer, ...]
    notes: str = ""
    changes: tuple[ChangeRef, ...] = ()
    declaration: str = ""
    seed: int = 0
    family: str = ""
    stage: str = ""
    alerts: tuple[str, ...] = ()
    earlier: tuple[Finding, ...] = ()

    @classmethod
    def load(cls, path: Path) -> "Bundle":
        """Read a folder or a zip. Raises Malformed naming the file inside that cannot be used."""
        files = _folder(path) if path.is_dir() else _zipped(path)
        head = _decode("bundle.json", files.get("bundle.json"), _Head)
        if head.format != FORMAT:
            raise Malformed(f"is {head.format}, this version reads {FORMAT}; use a newer release", "format")
        deliveries = [_decode(n, files[n], RecordedDelivery) for n in sorted(files) if n.startswith("deliveries/")]
        answers = _answers({n: files[n] for n in sorted(files) if n.startswith("answers/")})
        return cls(
            head.title, head.as_of, head.connections, head.truth, head.similar,
            tuple(deliveries), tuple(answers), head.notes, head.changes,
            head.declaration, head.seed, head.family, head.stage, head.alerts, head.earlier,
        )  # fmt: skip

    def save(self, path: Path) -> None:
        """Write a zip where the name ends so, otherwise a folder. The same bundle gives the same bytes."""
        if path.suffix == ".zip":
            path.write_bytes(self.zipped())
            return
        for name, content in self._files():
            target = path / name
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(content)

    def zipped(self) -> bytes:
        """The bundle as a zip file."""
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, content in self._files():
                archive.writestr(zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0)), content, zipfile.ZIP_DEFLATED)
        return buffer.getvalue()

    def _files(self) -> Iterator[tuple[str, bytes]]:
        head = _Head(
            FORMAT, self.title, self.as_of, without_secrets(self.connections), self.truth, self.similar, self.notes,
            self.changes, self.declaration, self.seed, self.family, self.stage, self.alerts, self.earlier,
        )  # fmt: skip
        yield (
            "bundle.json",
            json.dumps(codec.to_builtins(head), indent=1, sort_keys=True, ensure_ascii=False).encode(),
        )
        for number, delivery in enumerate(self.deliveries, 1):
            yield f"deliveries/{number:04}.json", msgspec.json.encode(delivery)
        for number, answer in enumerate(sorted(self.answers, key=lambda a: a.key), 1):
            yield f"answers/{number:04}.json.gz", gzip.compress(encode_answer(answer), mtime=0)


def without_secrets(connections: Connections) -> Connections:
    """The declarations without anything that names or holds a secret."""

    def clean(value: Any) -> Any:
        if isinstance(value, list):
            return [clean(item) for item in value]
        if not isinstance(value, dict):
            return value
        secret = ("_file", "_env")
        if value.get("kubeconfig_file") or value.get("in_cluster"):
            value = {**{k: v for k, v in value.items() if k != "in_cluster"}, "api": True}
        return {
            k: clean(v)
            for k, v in value.items()
            if not k.endswith(secret) and k not in {"headers", "basic_user", "user"}
        }

    return msgspec.convert(clean(msgspec.to_builtins(connections)), Connections)


def pack_answers(answers: Sequence[Answer]) -> bytes:
    """All answers of an investigation in one compressed blob; empty for none."""
    return b"" if not answers else gzip.compress(msgspec.json.encode(list(answers)), compresslevel=3, mtime=0)


def unpack_answers(packed: bytes) -> tuple[Answer, ...]:
    """What `pack_answers` wrote; empty for nothing."""
    return tuple(msgspec.json.decode(gzip.decompress(packed), type=list[Answer])) if packed else ()


def _folder(path: Path) -> dict[str, bytes]:
    found = [p for p in sorted(path.rglob("*")) if p.is_file() and not p.is_symlink()][:FILES_LIMIT]
    if sum(p.stat().st_size for p in found) > TOTAL_LIMIT:
        raise Malformed(f"is larger than {TOTAL_LIMIT} bytes", str(path))
    return {p.relative_to(path).as_posix(): p.read_bytes() for p in found}


def _zipped(path: Path) -> dict[str, bytes]:
    """Members are read in memory and never written anywhere, so their names can do no harm."""
    try:
        with zipfile.ZipFile(path) as archive:
            members = archive.infolist()
            if len(members) > FILES_LIMIT or sum(m.file_size for m in members) > TOTAL_LIMIT:
                raise Malformed("is larger than a bundle may be", str(path))
            return {m.filename: archive.read(m) for m in members if not m.is_dir()}
    except (OSError, RuntimeError, EOFError, zlib.error, zipfile.BadZipFile) as error:
        raise Malformed(f"is neither a bundle's folder nor its zip ({error})", str(path)) from error


def _decode(name: str, raw: bytes | None, kind: type[T]) -> T:
    if raw is None:
        raise Malformed("is missing; this is not a bundle", name)
    try:
        return codec.decode(raw, kind)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Malformed(str(error), name) from error


def _answers(packed: dict[str, bytes]) -> list[Answer]:
    """Each within its limit, and all together within that of a bundle: both zip and gzip can hide a thousandfold."""
    found, left = [], TOTAL_LIMIT
    for name, raw in packed.items():
        content = _unzipped(name, raw)
        left -= len(content)
        if left < 0:
            raise Malformed(f"is, with the answers before it, larger than {TOTAL_LIMIT} bytes", name)
        found.append(_answer(name, content))
    return found


def _unzipped(name: str, raw: bytes) -> bytes:
    try:
        with gzip.GzipFile(fileobj=io.BytesIO(raw)) as stream:
            content = stream.read(MEMBER_LIMIT + 1)
    except (OSError, EOFError, zlib.error) as error:
        raise Malformed(str(error), name) from error
    if len(content) > MEMBER_LIMIT:
        raise Malformed(f"is larger than {MEMBER_LIMIT} bytes", name)
    return content


def _answer(name: str, content: bytes) -> Answer:
    try:
        return decode_answer(content)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Malformed(str(error), name) from error
