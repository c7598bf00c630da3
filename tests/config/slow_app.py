"""A small application on the product's web server with short patience, for `test_web_server.py`."""

import os
import sys
import time
from collections.abc import Callable, Iterable
from typing import Any

from config import web_server


class Quick(web_server.PacedChannel):
    grace_s = 0.6


class QuickServer(web_server.PacedServer):
    channel_class = Quick
    held_bytes, look_every_s = 2_000_000, 0.1


def application(environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
    try:
        size = len(environ["wsgi.input"].read()) if environ["REQUEST_METHOD"] == "POST" else 0
    except OSError:
        size = -1
    what = environ["PATH_INFO"]
    if what == "/slow":
        time.sleep(1.5)
    body = {"/big": b"x" * 8_000_000, "/huge": b"x" * 40_000_000, "/pid": b"%d" % os.getpid()}.get(what, b"%d" % size)
    start("200 OK", [("Content-Length", str(len(body)))])
    return (body[at : at + 1_000_000] for at in range(0, len(body), 1_000_000))


if __name__ == "__main__":
    web_server.main(sys.argv[1:], QuickServer)
