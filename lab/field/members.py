"""etcd clusters of the field: several, whose members share their names, with the labels of a stateful set's monitor."""

import shutil
import subprocess
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lab.stage.etcd import Etcd, Member, Seat, Shape
from lab.stage.programs import Stage

PORT = 2379


@dataclass
class Corner(Stage):
    """A part of another stage with a folder of its own in memory, so that clusters of the same names fit on it."""

    whole: Stage | None = None
    name: str = ""

    def __post_init__(self) -> None:
        base = "/dev/shm" if Path("/dev/shm").is_dir() else None
        self.folder = Path(tempfile.mkdtemp(prefix="ig-lab-", dir=base))
        self.folder.chmod(0o755)
        self.after(lambda: shutil.rmtree(self.folder, ignore_errors=True))

    def start(
        self, name: str, argv: Sequence[str], *, user: str = "", env: Mapping[str, str] | None = None
    ) -> subprocess.Popen[bytes]:
        """Start a program on the whole stage."""
        assert self.whole is not None
        return self.whole.start(f"{self.name}-{name}", argv, user=user, env=env)

    def after(self, undo: Callable[[], None]) -> None:
        """Undo something when the whole stage ends."""
        assert self.whole is not None
        self.whole.after(undo)

    def log_of(self, name: str, last: int = 1500) -> str:
        """The tail of a program's log."""
        assert self.whole is not None
        return self.whole.log_of(f"{self.name}-{name}", last)


def cluster(stage: Stage, namespace: str, third: int, shape: Mapping[str, Any]) -> Etcd:
    """A running cluster etcd-0 to etcd-2 in three zones, as a chart's stateful set names them."""
    seats = tuple(
        Seat(f"etcd-{n}", f"zone-{z}", f"10.{third}.{n + 4}.{20 + n}:{PORT}", f"10.{third}.{n + 4}.{20 + n}")
        for n, z in enumerate("abc")
    )
    made = Etcd(Corner(on_disk=False, whole=stage, name=namespace), Shape(
        cluster="", name=namespace, job="etcd", seats=seats, **{"puts_per_s": 6.0, **shape},
    ))  # fmt: skip
    made.start()
    return made


def targets(etcd: Etcd, namespace: str) -> list[dict[str, Any]]:
    """The members as Prometheus' discovery gives them, with the labels of a ServiceMonitor."""
    return [
        {"targets": [f"127.0.0.1:{m.watched.port}"], "labels": _labels(m, namespace)} for m in etcd.members
    ]  # fmt: skip


def _labels(member: Member, namespace: str) -> dict[str, str]:
    return {"job": "etcd", "namespace": namespace, "service": "etcd-headless", "endpoint": "client",
            "container": "etcd", "pod": member.name, "instance": member.seat.instance}  # fmt: skip
