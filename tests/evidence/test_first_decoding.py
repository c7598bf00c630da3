"""Many checks that ask Kubernetes at once, in a process that never did: each gets its list, and nothing falls over."""

import subprocess
import sys

SCRIPT = """
import threading
import httpx
from domain.connections import KubernetesDecl
from evidence.clients.kubernetes import Kubernetes

BODY = b'{"items": [{"metadata": {"name": "a"}, "spec": {"containers": [{"name": "c"}]}}]}'

class Recorded:
    def client(self, name, url, access):
        return httpx.Client(base_url=url, transport=httpx.MockTransport(lambda _: httpx.Response(200, content=BODY)))

start, got = threading.Barrier(12), []
def ask():
    start.wait()
    got.append(len(Kubernetes(KubernetesDecl(name="k"), Recorded()).pods("shop")))

threads = [threading.Thread(target=ask) for _ in range(12)]
[t.start() for t in threads]; [t.join() for t in threads]
assert got == [1] * 12, got
"""


def test_the_first_lists_of_a_process_are_read_by_many_threads_at_once() -> None:
    for _ in range(3):
        ran = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True, timeout=60, check=False)
        assert ran.returncode == 0, ran.stderr[-600:]
