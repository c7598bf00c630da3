"""An exporter of network counters, named like node_exporter's: of each pod's network namespace, and of the host's."""

from collections.abc import Callable
from pathlib import Path

from lab.stage import pages

WANTED = {
    "TcpExt": ("ListenOverflows", "ListenDrops", "TCPTimeouts", "TCPSynRetrans"),
    "Tcp": ("RetransSegs", "OutSegs", "InErrs", "OutRsts", "CurrEstab"),
}
CONNTRACK_LIMIT = Path("/proc/sys/net/netfilter/nf_conntrack_max")


def counters(pid: int) -> dict[str, int]:
    """The wanted counters of the network namespace of `pid`."""
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
    """Start the exporter; its port. `places` returns a process of each namespace and the labels of its series."""

    def page(_: str) -> str:
        return "".join(line for pid, labels in places() for line in _lines(pid, labels))

    return pages.serve(page, "text/plain; version=0.0.4")


def _lines(pid: int, labels: dict[str, str]) -> list[str]:
    """The series of one namespace; none if its process has just ended."""
    text = ",".join(f'{k}="{v}"' for k, v in sorted(labels.items()))
    try:
        return [f"{name}{{{text}}} {value}\n" for name, value in counters(pid).items()]
    except (OSError, ValueError, IndexError):
        return []
