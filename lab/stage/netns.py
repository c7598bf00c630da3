"""Serves the kernel's TcpExt counters of a pod's own network namespace, as node_exporter does for the host's."""

import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

WANTED = ("ListenOverflows", "ListenDrops", "TCPTimeouts")


def counters(pid: int) -> dict[str, int]:
    """TcpExt of the namespace that `pid` lives in."""
    lines = [line.split() for line in Path(f"/proc/{pid}/net/netstat").read_text().splitlines()]
    names, values = [line[1:] for line in lines if line[0] == "TcpExt:"]
    return {name: int(value) for name, value in zip(names, values, strict=True) if name in WANTED}


def serve(pid_of: Callable[[], int], labels: dict[str, str]) -> int:
    """Starts the exporter; its port. A pod without a process gives an empty page."""
    told = ",".join(f'{k}="{v}"' for k, v in sorted(labels.items()))

    class Page(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            try:
                found = counters(pid_of())
            except (OSError, StopIteration, ValueError):
                found = {}
            lines = [f"node_netstat_TcpExt_{name}{{{told}}} {value}\n" for name, value in found.items()]
            self.send_response(200)
            self.send_header("Content-Type", "text/plain; version=0.0.4")
            self.end_headers()
            self.wfile.write("".join(lines).encode())

        def log_message(self, *_: object) -> None:
            """Says nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Page)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return int(server.server_port)
