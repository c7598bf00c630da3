"""Serves the network counters of each pod's own namespace under node_exporter's names, and the host's beside them."""

from collections.abc import Callable
from pathlib import Path

from lab.stage import pages

WANTED = {
    "TcpExt": ("ListenOverflows", "ListenDrops", "TCPTimeouts", "TCPSynRetrans"),
    "Tcp": ("RetransSegs", "OutSegs", "InErrs", "OutRsts", "CurrEstab"),
}
CONNTRACK_LIMIT = Path("/proc/sys/net/netfilter/nf_conntrack_max")


def counters(pid: int) -> dict[str, int]:
    """The wanted counters of the namespace that `pid` lives in."""
    found: dict[str, int] = {}
    for file in ("netstat", "snmp"):
        lines = [line.split() for line in Path(f"/proc/{pid}/net/{file}").read_text().splitlines()]
        for head, values in zip(lines[::2], lines[1::2], strict=True):
            group = head[0].removesuffix(":")
            numbers = dict(zip(head[1:], values[1:], strict=True))
            found |= {f"node_netstat_{group}_{n}": int(numbers[n]) for n in WANTED.get(group, ()) if n in numbers}
    return found | _conntrack(pid)


def _conntrack(pid: int) -> dict[str, int]:
    table = Path(f"/proc/{pid}/net/stat/nf_conntrack")
    if not table.exists() or not CONNTRACK_LIMIT.exists():
        return {}
    entries = int(table.read_text().splitlines()[1].split()[0], 16)
    return {"node_nf_conntrack_entries": entries, "node_nf_conntrack_entries_limit": int(CONNTRACK_LIMIT.read_text())}


def serve(places: Callable[[], list[tuple[int, dict[str, str]]]]) -> int:
    """Starts the exporter; its port. `places` gives a process of each namespace and the labels of its series."""

    def page(_: str) -> str:
        return "".join(line for pid, labels in places() for line in _lines(pid, labels))

    return pages.serve(page, "text/plain; version=0.0.4")


def _lines(pid: int, labels: dict[str, str]) -> list[str]:
    """Nothing for a namespace whose process has just ended."""
    told = ",".join(f'{k}="{v}"' for k, v in sorted(labels.items()))
    try:
        return [f"{name}{{{told}}} {value}\n" for name, value in counters(pid).items()]
    except (OSError, ValueError, IndexError):
        return []
