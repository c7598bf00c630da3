"""A small API server of pods and events: lists in pages, watches from a version, forgets old versions, restarts, hangs.

State outlives `stop` and `start`, as etcd's does. Requests stay in `asked` as (path, parameters).
"""

import json
import socket
import threading
import time
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

LISTS = {
    "/api/v1/pods": "Pod", "/api/v1/events": "Event", "/api/v1/nodes": "Node", "/api/v1/namespaces": "Namespace",
    "/apis/discovery.k8s.io/v1/endpointslices": "EndpointSlice", "/apis/apps/v1/deployments": "Deployment",
    "/version": "Version",
}  # fmt: skip


class KubeApi:
    """`with KubeApi() as api:` serves it; `api.put("events", object)` is a change that watchers see."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, dict[str, str]]] = []
        self.forbidden: set[tuple[str, str]] = set()
        self.page_most = 1000
        self.bookmark_s = 0.2
        self.hangs = False
        self.slow_lists: dict[str, float] = {}
        self.sends_garbage = False
        self._version, self._oldest = 100, 0
        self._objects: dict[str, dict[str, dict[str, Any]]] = {path: {} for path in LISTS}
        self._history: dict[str, list[tuple[int, str, dict[str, Any]]]] = {path: [] for path in LISTS}
        self._changed = threading.Condition()
        self._port = 0
        self._open: set[socket.socket] = set()

    def put(self, plural: str, item: dict[str, Any]) -> None:
        """ADDED or MODIFIED, by uid."""
        self._change(plural, item, "MODIFIED" if item["metadata"]["uid"] in self._objects[_path(plural)] else "ADDED")

    def delete(self, plural: str, uid: str) -> None:
        """DELETED, with the object as it was."""
        self._change(plural, self._objects[_path(plural)][uid], "DELETED")

    def _change(self, plural: str, item: dict[str, Any], change: str) -> None:
        path = _path(plural)
        with self._changed:
            self._version += 1
            new = item | {"metadata": item["metadata"] | {"resourceVersion": str(self._version)}}
            self._history[path].append((self._version, change, new))
            self._objects[path][new["metadata"]["uid"]] = new
            if change == "DELETED":
                del self._objects[path][new["metadata"]["uid"]]
            self._changed.notify_all()

    def compact(self) -> None:
        """Older versions are no longer kept: watches from them get a 410, and running ones are cut."""
        with self._changed:
            self._version += 1
            self._oldest = self._version
            self._history = {path: [] for path in LISTS}
        self.cut()

    def cut(self) -> None:
        """All open connections end without a word."""
        for connection in list(self._open):
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def lists(self, plural: str) -> int:
        """How often this list was asked for from its beginning."""
        return sum(
            1 for path, params in self.asked if path == _path(plural) and not {"watch", "continue"} & set(params)
        )

    def watches(self, plural: str) -> int:
        """How often a watch was asked for."""
        return sum(1 for path, params in self.asked if path == _path(plural) and "watch" in params)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._port}"

    def start(self) -> None:
        """On the same port each time."""
        self._server = _Server(("127.0.0.1", self._port), _handler(self))
        self._port = self._server.server_address[1]
        self._stopped = False
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()

    def stop(self) -> None:
        """The port refuses, and all connections are gone."""
        self._stopped = True
        self._server.shutdown()
        self._server.server_close()
        self.cut()
        with self._changed:
            self._changed.notify_all()

    def __enter__(self) -> "KubeApi":
        self.start()
        return self

    def __exit__(self, *unused: object) -> None:
        self.stop()

    def answer(self, handler: Any) -> None:
        """One GET."""
        parts = urlsplit(handler.path)
        params = dict(parse_qsl(parts.query))
        self.asked.append((parts.path, params))
        while self.hangs and not self._stopped:
            time.sleep(0.02)
        verb = "watch" if "watch" in params else "list"
        if parts.path not in LISTS:
            _send(handler, 404, {"message": "no such path"})
        elif (verb, parts.path.rsplit("/", 1)[1]) in self.forbidden:
            _send(handler, 403, {"kind": "Status", "code": 403, "message": "forbidden: a test says so"})
        elif self.sends_garbage:
            _send(handler, 200, ["garbage"])
        elif verb == "watch":
            self._watch(handler, parts.path, params)
        else:
            time.sleep(self.slow_lists.get(parts.path.rsplit("/", 1)[1], 0))
            self._list(handler, parts.path, params)

    def _list(self, handler: Any, path: str, params: dict[str, str]) -> None:
        with self._changed:
            items, version = [self._objects[path][uid] for uid in sorted(self._objects[path])], self._version
        at, most = int(params.get("continue", 0)), min(int(params.get("limit", 10**9)), self.page_most)
        rest = str(at + most) if at + most < len(items) else ""
        _send(handler, 200, {"metadata": {"resourceVersion": str(version), "continue": rest},
                             "items": items[at : at + most]})  # fmt: skip

    def _watch(self, handler: Any, path: str, params: dict[str, str]) -> None:
        reached, end = int(params["resourceVersion"]), time.monotonic() + float(params.get("timeoutSeconds", 60))
        handler.send_response(200)
        handler.send_header("Transfer-Encoding", "chunked")
        handler.end_headers()
        while time.monotonic() < end and not self._stopped:
            if reached < self._oldest:
                _chunk(handler, {"type": "ERROR", "object": {"kind": "Status", "code": 410, "message": "too old"}})
                break
            with self._changed:
                new = [change for change in self._history[path] if change[0] > reached]
                if not new:
                    self._changed.wait(min(self.bookmark_s, max(0.0, end - time.monotonic())))
            for version, change, item in new:
                _chunk(handler, {"type": change, "object": item})
                reached = version
            if not new and not self.hangs:
                _chunk(handler, {"type": "BOOKMARK", "object": {"metadata": {"resourceVersion": str(reached)}}})
            while self.hangs and not self._stopped:
                time.sleep(0.02)
        handler.wfile.write(b"0\r\n\r\n")


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    allow_reuse_address = True

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that went away is part of the tests."""


def _path(plural: str) -> str:
    return next(path for path in LISTS if path.endswith(f"/{plural}"))


def _chunk(handler: Any, line: dict[str, Any]) -> None:
    content = json.dumps(line).encode() + b"\n"
    handler.wfile.write(f"{len(content):x}\r\n".encode() + content + b"\r\n")
    handler.wfile.flush()


def _send(handler: Any, status: int, body: Any) -> None:
    content = json.dumps(body).encode()
    handler.send_response(status)
    handler.send_header("Content-Type", "application/json")
    handler.send_header("Content-Length", str(len(content)))
    handler.end_headers()
    handler.wfile.write(content)


def _handler(api: KubeApi) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            api._open.add(self.connection)
            try:
                with suppress(OSError):
                    api.answer(self)
            finally:
                api._open.discard(self.connection)

        def log_message(self, format: str, *arguments: object) -> None:
            """Silent."""

    return Handler
