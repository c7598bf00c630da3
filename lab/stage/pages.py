"""A loopback HTTP server that answers every GET with a text made when it is asked: what Prometheus reads of a stage."""

import contextlib
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


def serve(page: Callable[[str], str], kind: str) -> int:
    """Starts it; its port. `page` gets the path, `kind` is the content type."""

    class Page(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = page(self.path).encode()
            self.send_response(200)
            self.send_header("Content-Type", kind)
            self.end_headers()
            with contextlib.suppress(ConnectionError):  # who asked may be gone: Prometheus at its end
                self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Says nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Page)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return int(server.server_port)
