"""A local `etcdctl`, started by an argument list; the password goes by the environment, never by the arguments."""

import shutil
import tempfile

from domain.connections import EtcdDecl
from domain.errors import Refused
from domain.secrets import ReadSecret
from evidence.executors import process
from evidence.executors.executor import Action, Executor, Ran, endpoints_of, trusted_file

# Below the hard limit, so that a dead member costs its own time-out and the answer still comes.
TIMEOUTS = ("--dial-timeout=3s", "--command-timeout=5s")


def _run(etcd: EtcdDecl, action: Action, read: ReadSecret) -> Ran:
    argv = [program(etcd), *flags(etcd), *certificates(etcd), *action.arguments]
    with tempfile.TemporaryDirectory(prefix="etcdctl-") as folder:
        return process.run(argv, environment(etcd, read), folder)


def program(etcd: EtcdDecl) -> str:
    """The declared program, or the one that the system has. Raises Refused when there is none."""
    found = etcd.etcdctl_path or shutil.which("etcdctl", path=process.CLEAN["PATH"])
    if not found:
        raise Refused("there is no etcdctl on this machine; install etcd-client or set `etcdctl_path`")
    return trusted_file(found, "etcdctl_path", program=True)


def flags(etcd: EtcdDecl) -> tuple[str, ...]:
    """All declared endpoints, always: a member list cannot be had from a cluster without a quorum."""
    return (f"--endpoints={','.join(endpoints_of(etcd))}", *TIMEOUTS)


def certificates(etcd: EtcdDecl) -> list[str]:
    """The declared files by name."""
    named = (("--cacert", etcd.ca_file), ("--cert", etcd.client_cert_file), ("--key", etcd.client_key_file))
    return [f"{flag}={file}" for flag, file in named if file]


def environment(etcd: EtcdDecl, read: ReadSecret) -> dict[str, str]:
    """User and password where declared: arguments are visible to everyone on the machine, the environment is not."""
    password = read(etcd, "password")
    user = {"ETCDCTL_USER": etcd.user, "ETCDCTL_PASSWORD": password} if password else {}
    return {"ETCDCTL_API": "3", **user}


def _ready(etcd: EtcdDecl) -> None:
    program(etcd)
    endpoints_of(etcd)


EXECUTOR = Executor("etcdctl", _run, _ready)
