"""Did the cluster's membership change: does a member have another id than before, or do its peers know a new one?"""

from collections.abc import Iterable

from evidence.clients.prometheus import Line
from evidence.etcd_series import STARTUP_MS, Members

ID, ACTIVE = "etcd_server_id", "etcd_network_active_peers"


def replaced(members: Members, ids: Iterable[Line]) -> dict[str, int]:
    """Members that report another id than before in the window, and since when (epoch ms): the data is a new one."""
    firsts: dict[str, list[int]] = {}
    for line in ids:
        if line.points and line.labels.get("server_id"):
            firsts.setdefault(members.member(line), []).append(line.points[0].at_ms)
    return {name: max(times) for name, times in firsts.items() if len(times) > 1 and max(times) >= members.onset_ms}


def added(members: Members) -> dict[str, int]:
    """Ids of peers that a member knows only since the onset, though it ran before, and since when (epoch ms)."""
    found: dict[str, int] = {}
    for line in members.of(ACTIVE):
        owner, peer = members.member(line), line.labels.get("Remote", "")
        first = line.points[0].at_ms if line.points else 0
        is_new = first >= members.onset_ms and first > members.seen_since(owner) + STARTUP_MS
        if peer and is_new and not members.starts(owner):
            found[peer] = min(first, found.get(peer, first))
    return found
