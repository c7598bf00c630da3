"""The watcher's process: one follower per declared cluster; it reads the declarations again while it runs."""

import os
import secrets
import socket
import threading
from dataclasses import dataclass

import structlog
from django.db import DatabaseError, close_old_connections

from domain.connections import KubernetesDecl
from incidents import queries
from ingest.watching.follower import Follower, Nudge

READ_AGAIN_S = 30.0
ENDING_S = 8.0
log = structlog.get_logger()


@dataclass(slots=True)
class _Running:
    follower: Follower
    thread: threading.Thread


def declared() -> dict[str, KubernetesDecl]:
    """The clusters that are to be followed, by name."""
    return {cluster.name: cluster for cluster in queries.connections().kubernetes if cluster.watched}


def watch(stop: threading.Event, nudge: Nudge, every_s: float = READ_AGAIN_S) -> None:
    """Watch the declared clusters until `stop`; a follower ends when its declaration changes or is removed."""
    running: dict[str, _Running] = {}
    reported_idle = False
    while not stop.is_set():
        try:
            wanted = declared()
            if not wanted and not reported_idle:
                log.info("nothing_to_follow", remedy="declare a [[kubernetes]] and apply it; it is found by itself")
            reported_idle = not wanted
            _bring_to(wanted, running, nudge)
        except DatabaseError as error:
            log.warning("record_unavailable", reason=str(error))
        close_old_connections()
        stop.wait(every_s)
    _bring_to({}, running, nudge)


def _bring_to(wanted: dict[str, KubernetesDecl], running: dict[str, _Running], nudge: Nudge) -> None:
    leaving = [name for name, one in running.items() if wanted.get(name) != one.follower.declared]
    for name in leaving:
        running[name].follower.ended.set()
    for name in leaving:
        running.pop(name).thread.join(ENDING_S)
    for name in wanted.keys() - running.keys():
        follower = Follower(wanted[name], _holder(), nudge)
        thread = threading.Thread(target=follower.run, name=f"follow {name}", daemon=True)
        running[name] = _Running(follower, thread)
        thread.start()


def _holder() -> str:
    """A name that no other follower has, in this process or another."""
    return f"{socket.gethostname()[:40]}:{os.getpid()}:{secrets.token_hex(4)}"
