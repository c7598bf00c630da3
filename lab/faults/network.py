"""Delay on the links of an etcd cluster."""

import contextlib
from collections.abc import Iterator

from lab.stage.etcd import Etcd, Member


@contextlib.contextmanager
def late(etcd: Etcd, one_way_s: float, jitter_s: float = 0.0) -> Iterator[None]:
    """Delay all links between zones by this much, one way."""
    etcd.delay(one_way_s, jitter_s)
    try:
        yield
    finally:
        etcd.delay(etcd.shape.calm_delay_s)


@contextlib.contextmanager
def late_member(etcd: Etcd, member: Member, one_way_s: float, jitter_s: float = 0.0) -> Iterator[None]:
    """Delay all links of one member by this much, one way; the links among the others are not delayed."""
    etcd.delay_member(member, one_way_s, jitter_s)
    try:
        yield
    finally:
        etcd.delay(etcd.shape.calm_delay_s)


@contextlib.contextmanager
def unwatched(etcd: Etcd, one_way_s: float = 5.0) -> Iterator[None]:
    """Delay only the monitoring's links, so that its scrapes time out."""
    for member in etcd.members:
        member.watched.set(one_way_s)
    try:
        yield
    finally:
        for member in etcd.members:
            member.watched.set(0.0)
