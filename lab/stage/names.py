"""A small DNS server for the blackbox exporter, with names that can be made to fail."""

import socket
import struct
import threading

ADDRESS = "127.77.0.53"
NAME_ERROR, SERVER_FAILURE = 3, 2


class Names:
    """Answers A queries from `known`. A name in `broken` gets that response code; other names do not exist."""

    def __init__(self, address: str = ADDRESS, port: int = 53) -> None:
        self.known: dict[str, str] = {}
        self.broken: dict[str, int] = {}
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind((address, port))
        self.address: tuple[str, int] = self._socket.getsockname()
        self._socket.settimeout(0.3)
        self._open = True
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stops answering; the port is free for the next stage then."""
        self._open = False
        self._thread.join()
        self._socket.close()

    def _serve(self) -> None:
        while self._open:
            try:
                asked, sender = self._socket.recvfrom(512)
                self._socket.sendto(self._answer(asked), sender)
            except (IndexError, struct.error, OSError):
                continue

    def _answer(self, asked: bytes) -> bytes:
        name, end = _name(asked)
        kind = struct.unpack("!H", asked[end : end + 2])[0]
        question = asked[12 : end + 4]
        code = self.broken.get(name, 0 if name in self.known else NAME_ERROR)
        found = b"" if code or kind != 1 else self._record(name)
        head = asked[:2] + struct.pack("!HHHHH", 0x8580 | code, 1, 1 if found else 0, 0, 0)
        return head + question + found

    def _record(self, name: str) -> bytes:
        return struct.pack("!HHHIH", 0xC00C, 1, 1, 1, 4) + socket.inet_aton(self.known[name])


def _name(asked: bytes) -> tuple[str, int]:
    """The question's name and where its type begins."""
    parts, at = [], 12
    while length := asked[at]:
        parts.append(asked[at + 1 : at + 1 + length].decode("ascii", "replace"))
        at += length + 1
    return ".".join(parts).lower(), at + 1
