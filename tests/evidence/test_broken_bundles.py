"""A bundle that is not what it says is refused in one sentence, whatever is wrong with its bytes."""

import gzip
import io
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from domain.errors import Malformed
from evidence import bundles
from evidence.bundles import Bundle

GOOD = sorted((Path(__file__).parents[2] / "bundles").rglob("*.zip"))[0]


def members() -> dict[str, bytes]:
    with zipfile.ZipFile(GOOD) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def zipped(files: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return buffer.getvalue()


def answer(content: bytes) -> Callable[[], bytes]:
    return lambda: zipped(members() | {"answers/0001.json.gz": content})


def encrypted() -> bytes:
    """The flag that members are encrypted, set in every header."""
    raw = bytearray(zipped(members()))
    for mark, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        at = raw.find(mark)
        while at >= 0:
            raw[at + offset] |= 1
            at = raw.find(mark, at + 4)
    return bytes(raw)


def bent() -> bytes:
    """Every tenth byte of the middle turned."""
    raw = bytearray(GOOD.read_bytes())
    for at in range(200, len(raw) - 2000, 10):
        raw[at] ^= 0xFF
    return bytes(raw)


def test_answers_that_are_small_only_while_packed_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = b'{"connection":"c","method":"GET","path":"/","params":"","body":"","status":200,"answer":"'
    one = gzip.compress(asked + b"x" * 1_000_000 + b'"}')
    few, many = ({f"answers/9{n:03}.json.gz": one for n in range(number)} for number in (3, 5))
    monkeypatch.setattr(bundles, "TOTAL_LIMIT", 4_500_000)
    (tmp_path / "b.zip").write_bytes(zipped(members() | few))
    assert len(Bundle.load(tmp_path / "b.zip").answers) > 3
    (tmp_path / "b.zip").write_bytes(zipped(members() | many))
    with pytest.raises(Malformed, match="larger than"):
        Bundle.load(tmp_path / "b.zip")


@pytest.mark.parametrize(
    "made",
    [
        encrypted, bent, lambda: b"PK\x03\x04", lambda: b"", lambda: GOOD.read_bytes()[:-100],
        answer(b"not gzip"),
        lambda: zipped(members() | {"bundle.json": b'{"x":' + b"[" * 100_000 + b"]" * 100_000 + b"}"}),
        answer(gzip.compress(b'{"x":' + b"[" * 100_000 + b"]" * 100_000 + b"}")), answer(gzip.compress(b"{}")[:-6]), answer(gzip.compress(b"\xff\xfe{")),
        answer(gzip.compress(b"{}")[:12] + b"\xff" * 20), lambda: zipped({"other.json": b"{}"}),
        lambda: zipped(members() | {"bundle.json": b"[]"}), lambda: zipped(members() | {"deliveries/0001.json": b"\xff"}),
    ],
)  # fmt: skip
def test_broken_bytes_are_malformed_and_nothing_else(tmp_path: Path, made: Callable[[], bytes]) -> None:
    (tmp_path / "b.zip").write_bytes(made())
    with pytest.raises(Malformed):
        Bundle.load(tmp_path / "b.zip")


def test_a_small_zip_that_grows_is_refused_before_it_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bundles, "MEMBER_LIMIT", 1000)
    (tmp_path / "b.zip").write_bytes(answer(gzip.compress(b" " * 10_000))())
    with pytest.raises(Malformed, match="larger than"):
        Bundle.load(tmp_path / "b.zip")


def test_names_that_climb_out_write_nothing(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "b.zip").write_bytes(zipped(members() | {"../climbed": b"x", "/etc/climbed": b"x"}))
    Bundle.load(tmp_path / "in" / "b.zip")
    assert sorted(p.name for p in tmp_path.rglob("*")) == ["b.zip", "in"]
