"""A small Flask application: a health route, a page, a page that waits, and one that asks a database."""

import os
import time
import urllib.request

from flask import Flask, abort, request

app = Flask(__name__)
STARTED = time.time()
time.sleep(float(os.environ.get("START_S", "0")))
kept: list[bytearray] = []


@app.route("/healthz")
def healthz() -> str:
    """The health route, which may ask a backend, wait, or be broken."""
    if os.environ.get("BACKEND"):
        urllib.request.urlopen(os.environ["BACKEND"], timeout=float(os.environ.get("BACKEND_TIMEOUT", "10"))).read()
    time.sleep(float(os.environ.get("HEALTH_S", "0")))
    if os.environ.get("BROKEN"):
        abort(int(os.environ["BROKEN"]))
    return "ok\n"


@app.route("/")
def index() -> str:
    """A page."""
    return "hello\n"


@app.route("/report")
def report() -> str:
    """A page that waits."""
    time.sleep(float(request.args.get("s", "1")))
    return "done\n"


@app.route("/export")
def export() -> str:
    """A page that computes."""
    end = time.time() + float(request.args.get("s", "1"))
    n = 0
    while time.time() < end:
        n += 1
    return f"{n}\n"


@app.route("/upload")
def upload() -> str:
    """A page that keeps memory."""
    kept.append(bytearray(b"x" * (int(request.args.get("mib", "1")) << 20)))
    return f"{len(kept)}\n"
