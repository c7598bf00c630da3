"""Receives real deliveries in place of the product, and keeps the headers and the raw body of each."""

import json
import threading
from dataclasses import dataclass
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass(frozen=True)
class Taken:
    """One delivery as it arrived; `kind` and `name` come from the path /ingest/KIND/NAME."""

    kind: str
    name: str
    received_at: datetime
    headers: dict[str, str]
    body: bytes


KEPT_HEADERS = {"content-type", "user-agent"}


class Sink:
    """A loopback HTTP server that answers like the product's door."""

    def __init__(self) -> None:
        self.taken: list[Taken] = []
        sink = self

        class Door(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
                _, _, kind, name = self.path.rstrip("/").split("/")[:4]
                kept = {k: v for k, v in self.headers.items() if k.lower() in KEPT_HEADERS}
                sink.taken.append(Taken(kind, name, datetime.now(UTC), kept, body))
                answer = json.dumps({"id": f"{len(sink.taken)}", "url": "http://127.0.0.1/"}).encode()
                self.send_response(202)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, *_: object) -> None:
                """Log nothing, as the deliveries themselves are kept."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Door)
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def url(self, kind: str, name: str) -> str:
        """The address to give to a sender."""
        return f"http://127.0.0.1:{self._server.server_port}/ingest/{kind}/{name}"

    def firing(self, alertname: str = "", within: str = "") -> bool:
        """Whether a firing alert of this name (or any) arrived whose body contains `within`."""
        bodies = [t.body for t in self.taken if t.kind == "alertmanager"]
        return any(b"firing" in body and alertname.encode() in body and within.encode() in body for body in bodies)

    def close(self) -> None:
        """Stops listening."""
        self._server.shutdown()
