"""Delaying proxies in a process of their own, as the recorder's threads would add delays to them.

`python -m lab.stage.proxies` reads one JSON list per line and answers each with one line; it ends with its input.
"""

import json
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lab.stage.dialers import dialer
from lab.stage.proxy import DelayingProxy


@dataclass
class Proxies:
    """The process of the proxies; it ends when the process that started it ends."""

    _process: subprocess.Popen[str] = field(init=False)

    def __post_init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "lab.stage.proxies"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
            cwd=Path(__file__).parents[2], start_new_session=True,
        )  # fmt: skip

    def open(self, target_port: int) -> "Link":
        """A proxy in front of a loopback port."""
        return Link(self, int(self.request("open", target_port)))

    def request(self, *words: Any) -> str:
        """Send one request; the answer."""
        assert self._process.stdin is not None and self._process.stdout is not None
        self._process.stdin.write(json.dumps(words) + "\n")
        self._process.stdin.flush()
        return self._process.stdout.readline().strip()

    def close(self) -> None:
        """Ends the process, and with it all links."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait(10)


@dataclass(frozen=True)
class Link:
    """One proxy, listening on `port`. Delays are one way, in seconds."""

    _of: Proxies
    port: int

    def set(self, delay_s: float, jitter_s: float = 0.0) -> None:
        """Set the delay of all connections."""
        self._of.request("set", self.port, delay_s, jitter_s)

    def set_for(self, uid: int, delay_s: float, jitter_s: float = 0.0) -> None:
        """Set the delay of connections that this user opens."""
        self._of.request("set_for", self.port, str(uid), delay_s, jitter_s)


def _serve() -> None:
    proxies: dict[int, DelayingProxy] = {}
    for line in sys.stdin:
        verb, port, *words = json.loads(line)
        if verb == "open":
            proxy = DelayingProxy(port, dialer)
            proxies[proxy.port] = proxy
            port = proxy.port
        else:
            getattr(proxies[port], verb)(*words)
        print(port, flush=True)


if __name__ == "__main__":
    _serve()
