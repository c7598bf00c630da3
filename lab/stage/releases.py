"""The oldest and the newest versions of programs that a stage can run: Debian's packages and pinned Go modules."""

import re
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from lab.stage.images import NEEDED, program


@dataclass(frozen=True)
class Release:
    """Names of programs, see `located`; `known_versions` is the text of `versions`, empty to ask the programs."""

    etcd: str = "etcd"
    etcdctl: str = "etcdctl"
    prometheus: str = "prometheus"
    alertmanager: str = "prometheus-alertmanager"
    known_versions: str = ""

    def versions(self) -> str:
        """`etcd 3.4.23, Prometheus 2.42.0, Alertmanager 0.25.0`."""
        return self.known_versions or ", ".join((
            f"etcd {_version(self.etcd)}", f"Prometheus {_version(self.prometheus)}",
            f"Alertmanager {_version(self.alertmanager)}",
        ))  # fmt: skip


DEBIAN = Release()
PINNED = Release("etcd36", "etcdctl36", "prometheus3", "alertmanager28",
                 "etcd 3.6.5, Prometheus 3.5.0, Alertmanager 0.28.1")  # fmt: skip


@dataclass(frozen=True)
class Watchers:
    """How Prometheus and Alertmanager of a stage run; `groups` are groups of rules beside the stage's own."""

    release: Release = field(default_factory=Release)
    scrape_s: int = 1
    groups: Sequence[Mapping[str, Any]] = ()


def located(name: str) -> str:
    """The path of the built program if lab/programs pins it (builds it if necessary), else the name itself."""
    return str(program(name)) if name in NEEDED else name


def _version(name: str) -> str:
    done = subprocess.run([name, "--version"], capture_output=True, text=True, check=True)
    found = re.search(r"\d+\.\d+\.\d+", done.stdout + done.stderr)
    return found.group() if found else "?"
