"""What an executor is: it runs one action of a fixed table for one declared cluster, bounded and audited."""

import hashlib
import os
import re
import stat
from collections.abc import Callable
from dataclasses import dataclass

from domain.connections import EtcdDecl
from domain.errors import Refused
from domain.secrets import ReadSecret

# A run is killed after this long; a cluster then rests, so that diagnosis never becomes the load.
LIMIT_S, REST_S = 15.0, 60.0
PLAIN = re.compile(r"https?://(\[[0-9A-Fa-f:]+\]|[A-Za-z0-9._-]+):[0-9]{1,5}/?")


@dataclass(frozen=True, slots=True)
class Action:
    """One thing that may be run: the arguments after etcdctl's own flags. All of them only read."""

    id: str
    arguments: tuple[str, ...]


# The whole table. What is not here cannot be run: nothing that writes, moves a leader, compacts or disarms.
ACTIONS = {
    action.id: action
    for action in (
        Action("endpoint-health", ("endpoint", "health", "-w", "json")),
        Action("endpoint-status", ("endpoint", "status", "-w", "json")),
        Action("endpoint-hashkv", ("endpoint", "hashkv", "-w", "json")),
        Action("member-list", ("member", "list", "-w", "json")),
        Action("alarm-list", ("alarm", "list", "-w", "json")),
        Action("version", ("version",)),
    )
}


@dataclass(frozen=True, slots=True)
class Ran:
    """The outcome of a run. `rc` is None when it was killed; then `error` gives the reason. No secret is in `argv`."""

    argv: tuple[str, ...]
    rc: int | None
    stdout: str
    error: str
    at_ms: int
    took_ms: int

    @property
    def digest(self) -> str:
        """SHA-256 of the output, for the audit trail."""
        return hashlib.sha256(self.stdout.encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class RunRecord:
    """One run for the audit trail: what was run where for which incident, and how it ended."""

    executor: str
    cluster: str
    action: str
    incident: str
    ran: Ran


@dataclass(frozen=True, slots=True)
class Executor:
    """One way of running an action. Both raise Refused with the remedy when the declaration cannot be used.

    `ready` looks whether all is there, and runs nothing.
    """

    slug: str
    run: Callable[[EtcdDecl, Action, ReadSecret], Ran]
    ready: Callable[[EtcdDecl], None]


@dataclass(frozen=True, slots=True)
class Permit:
    """Who lets runs happen: `admit` is asked once per investigation and cluster, `audit` gets every run.

    `admit(cluster, rest_s)` says no while another run of the cluster is younger than `rest_s` seconds.
    """

    incident: str
    admit: Callable[[str, float], bool]
    audit: Callable[[RunRecord], None]


def endpoints_of(etcd: EtcdDecl) -> tuple[str, ...]:
    """The declared endpoints, each a plain scheme, host and port. Raises Refused for anything else."""
    for member in etcd.member:
        if not PLAIN.fullmatch(member.endpoint):
            raise Refused(f"the endpoint of {member.name} is not http(s)://host:port; correct [[etcd.member]]")
    if not etcd.member:
        raise Refused("no etcd members are declared; add [[etcd.member]] with their endpoints")
    return tuple(member.endpoint.rstrip("/") for member in etcd.member)


def trusted_file(path: str, key: str, *, program: bool = False) -> str:
    """The path when it is absolute and only its owner may change it. Raises Refused with the remedy."""
    if not os.path.isabs(path):
        raise Refused(f"{key} is not an absolute path; write it from the root")
    try:
        mode = os.stat(path).st_mode
    except OSError as error:
        raise Refused(f"{key} cannot be used ({error.strerror}); correct the path") from error
    if not stat.S_ISREG(mode) or (program and not os.access(path, os.X_OK)):
        raise Refused(f"{key} is not a {'program' if program else 'file'}; correct the path")
    if mode & (stat.S_IWGRP | stat.S_IWOTH):
        raise Refused(f"{key} may be changed by others than its owner; chmod go-w it")
    return path


def not_permitted(etcd: EtcdDecl, action: str, read: ReadSecret) -> Ran:
    """Without an audit trail nothing runs."""
    raise Refused(f"{action} of etcd {etcd.name} runs only within an investigation")
