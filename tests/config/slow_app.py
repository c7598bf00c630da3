"""A small application on the product's worker class with short patience, for `test_web_worker.py`."""

from collections.abc import Callable, Iterable
from typing import Any

from config.web_worker import Paced, PacedWorker


class Quick(Paced):
    grace_s = 0.6


class QuickWorker(PacedWorker):
    connection = Quick


def application(environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
    try:
        size = len(environ["wsgi.input"].read()) if environ["REQUEST_METHOD"] == "POST" else 0
    except OSError:
        size = -1
    body = b"x" * 8_000_000 if environ["PATH_INFO"] == "/big" else b"%d" % size
    start("200 OK", [("Content-Length", str(len(body)))])
    return [body]
