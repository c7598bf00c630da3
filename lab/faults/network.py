"""Delay between the zones of an etcd cluster."""

import contextlib
from collections.abc import Iterator

from lab.stage.etcd import Etcd


@contextlib.contextmanager
def late(etcd: Etcd, one_way_s: float, jitter_s: float = 0.0) -> Iterator[None]:
    """All links that cross a zone border are late by this much, one way."""
    etcd.delay(one_way_s, jitter_s)
    try:
        yield
    finally:
        etcd.delay(0.0)
