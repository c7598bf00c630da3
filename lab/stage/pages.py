"""A loopback HTTP server whose pages are made at each GET, for Prometheus to scrape."""

import contextlib
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


def serve(page: Callable[[str], str], kind: str) -> int:
    """Start the server; its port. `page` gets the path and returns the text, `kind` is the content type."""

    class Page(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = page(self.path).encode()
            self.send_response(200)
            self.send_header("Content-Type", kind)
            self.end_headers()
            with contextlib.suppress(ConnectionError):  # Prometheus may have ended
                self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Log nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Page)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return int(server.server_port)
