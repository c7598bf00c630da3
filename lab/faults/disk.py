"""A slow disk, made by delaying the process's fdatasync calls with strace."""

import contextlib
import time
from collections.abc import Iterator

from lab.stage.programs import Stage


@contextlib.contextmanager
def slow_fsync(stage: Stage, pid: int, delay_ms: int) -> Iterator[None]:
    """Every fdatasync and fsync of `pid` takes `delay_ms` longer."""
    tracer = stage.start(f"strace-{pid}-{delay_ms}", [
        "strace", "-f", "-p", str(pid), "-o", "/dev/null", "-e", "trace=fdatasync,fsync",
        "-e", f"inject=fdatasync,fsync:delay_exit={delay_ms * 1000}",
    ])  # fmt: skip
    time.sleep(0.5)
    if tracer.poll() is not None:
        raise RuntimeError(f"strace did not attach to {pid}: {stage.log_of(f'strace-{pid}-{delay_ms}')}")
    try:
        yield
    finally:
        stage.end(tracer)
