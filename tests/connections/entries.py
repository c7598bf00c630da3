"""One entry of each table of the connections file, and what becomes of a text."""

from pathlib import Path

import pytest

from connections.file import decode
from domain.connections import Connections
from domain.errors import Malformed
from ingest.sources import all_sources

SOURCE = '[[source]]\nkind = "alertmanager"\nname = "prod"\n'
PROMETHEUS = '[[prometheus]]\nname = "main"\nurl = "http://127.0.0.1:9090"\n'
ETCD = '[[etcd]]\nname = "etcd-prod"\n'
MEMBER = '[[etcd.member]]\nname = "e1"\nendpoint = "http://127.0.0.1:2379"\n'
BLACKBOX = f'{PROMETHEUS}[[blackbox]]\nname = "probes"\nprometheus = "main"\n'
KUBERNETES = '[[kubernetes]]\nname = "prod-a"\n'
TARGET = '[[target]]\nname = "cart"\nurl = "http://10.0.0.7/"\npod = "cart-1"\n'
TICKET = '[[ticket]]\nkind = "jira"\nname = "ops"\nurl = "http://127.0.0.1:8081"\n'
CHAT = '[[chat]]\nkind = "webhook"\nname = "own"\nurl = "http://127.0.0.1:8082"\n'
SECTIONS = {
    "source": SOURCE, "prometheus": PROMETHEUS, "etcd": ETCD, "blackbox": BLACKBOX, "kubernetes": KUBERNETES,
    "target": TARGET, "ticket": TICKET, "chat": CHAT,
}  # fmt: skip


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "there").write_text("a secret of some length")
    return tmp_path


def accepted(text: str, folder: Path) -> Connections:
    return decode(text, folder, all_sources())


def refusals(text: str, folder: Path) -> list[str]:
    """The faults, one a line, without the name of the whole."""
    with pytest.raises(Malformed) as caught:
        accepted(text, folder)
    assert caught.value.field == "connections file"
    return caught.value.reason.splitlines()


def refused(text: str, folder: Path) -> str:
    (fault,) = refusals(text, folder)
    return fault
