"""A TCP proxy whose delay can be changed while it runs; it needs no kernel with netem."""

import asyncio
import contextlib
import random
import threading
from collections.abc import Callable


def nobody(_port: int, _to: int) -> str:
    """A `who` for a proxy that treats all connections alike."""
    return ""


class DelayingProxy:
    """Forwards 127.0.0.1:port to a target. `delay_s` and `jitter_s` are one way; order is kept.

    `who(port, to)` names the dialer of an accepted connection; a dialer can have a delay of its own.
    """

    def __init__(self, target_port: int, who: Callable[[int, int], str] = nobody) -> None:
        self.target_port = target_port
        self.delay_s = 0.0
        self.jitter_s = 0.0
        self.port = 0
        self._who = who
        self._own: dict[str, tuple[float, float]] = {}
        self._random = random.Random(target_port)
        self._loop = asyncio.new_event_loop()
        listening = threading.Event()
        self._thread = threading.Thread(target=self._run, args=(listening,), daemon=True)
        self._thread.start()
        listening.wait(10)

    def set(self, delay_s: float, jitter_s: float = 0.0) -> None:
        """Changes the one-way delay for bytes that arrive from now on, whoever dialed."""
        self._own.clear()
        self.delay_s, self.jitter_s = delay_s, jitter_s

    def set_for(self, dialer: str, delay_s: float, jitter_s: float = 0.0) -> None:
        """Changes it for the connections that this dialer opened, now or later."""
        self._own[dialer] = (delay_s, jitter_s)

    def close(self) -> None:
        """Stops listening and forwarding."""
        self._loop.call_soon_threadsafe(self._end)
        self._thread.join(5)

    def _end(self) -> None:
        for task in asyncio.all_tasks(self._loop):
            task.cancel()
        # Let the cancelled tasks finish before the loop stops.
        self._loop.call_later(0.05, self._loop.stop)

    def _run(self, listening: threading.Event) -> None:
        asyncio.set_event_loop(self._loop)
        server = self._loop.run_until_complete(asyncio.start_server(self._accept, "127.0.0.1", 0))
        self.port = server.sockets[0].getsockname()[1]
        listening.set()
        self._loop.run_forever()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        dialer = self._who(writer.get_extra_info("peername")[1], self.port)
        try:
            far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self.target_port)
        except OSError:
            writer.close()
            return
        await asyncio.gather(self._pump(reader, far_writer, dialer), self._pump(far_reader, writer, dialer))

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, dialer: str) -> None:
        queue: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue()
        sender = asyncio.ensure_future(self._send(queue, writer))
        with contextlib.suppress(OSError):
            while data := await reader.read(65536):
                delay_s, jitter_s = self._own.get(dialer, (self.delay_s, self.jitter_s))
                late = delay_s + self._random.uniform(0, jitter_s)
                queue.put_nowait((self._loop.time() + late, data))
        queue.put_nowait((self._loop.time(), b""))
        await sender

    async def _send(self, queue: asyncio.Queue[tuple[float, bytes]], writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            while True:
                due, data = await queue.get()
                if (wait := due - self._loop.time()) > 0:
                    await asyncio.sleep(wait)
                if not data:
                    break
                writer.write(data)
                await writer.drain()
        writer.close()
