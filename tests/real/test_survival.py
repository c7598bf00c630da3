"""What was accepted is processed, whatever dies, hangs or is emptied meanwhile."""

import signal
import subprocess
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import psutil
import pytest

from lab.stage.programs import Stage, free_port, wait_until
from tests.real.whole import Whole

pytestmark = pytest.mark.real

COUNTS = """
from incidents.models import Alert, Delivery, Incident
print(Delivery.objects.filter(state='done').count(), Alert.objects.count(), Incident.objects.count())
"""
GRAPH = """
import json
from investigate.similar import graph
print(json.dumps(graph().counts(), sort_keys=True))
"""
CHILDREN = {
    "web": ("config.web_server",),
    "worker": ("celery", "ingest,notify"),
    "look worker": ("celery", "--queues investigate"),
    "graph worker": ("celery", "--queues graph"),
    "beat": ("celery", "beat"),
    "broker": ("redis",),
    "graph": ("java",),
}


@pytest.fixture
def stage() -> Iterator[Stage]:
    with Stage() as made:
        yield made


def test_a_fresh_start_keeps_every_child_that_it_started(stage: Stage) -> None:
    whole = Whole(stage)
    whole.start()
    first = {name: whole.child(*words).pid for name, words in CHILDREN.items()}
    time.sleep(8)
    assert {name: whole.child(*words).pid for name, words in CHILDREN.items()} == first
    assert "ended; starting it again" not in stage.log_of("up", 10**6)
    whole.stop()


def test_a_thousand_accepted_deliveries_outlive_an_emptied_broker(stage: Stage) -> None:
    whole = Whole(stage)
    whole.start()
    worker = whole.child(*CHILDREN["worker"])
    worker.suspend()
    sent = whole.door().many(range(1000))
    socket = whole.home / "run" / "redis.sock"
    subprocess.run(["redis-cli", "-s", str(socket), "flushall"], check=True, capture_output=True)
    assert whole.waiting()["deliveries"] >= 990
    worker.resume()
    whole.all_done()
    assert len(set(sent)) == 1000
    assert whole.python(COUNTS).split()[:2] == ["1000", "1000"]
    whole.stop()


def test_a_graph_that_was_away_for_the_whole_run_equals_the_record_afterwards(stage: Stage) -> None:
    whole = Whole(stage, {"GRAPH_URI": f"bolt://127.0.0.1:{free_port()}", "GRAPH_PASSWORD": "nobody-there"})
    whole.start()
    whole.door().many(range(60))
    wait_until(lambda: whole.waiting()["deliveries"] + whole.waiting()["looks"] == 0, "all verdicts stand", 120, 1.0)
    assert whole.waiting()["graph"] > 0
    whole.stop()
    whole.more.clear()
    whole.start()
    whole.all_done(400)
    remembered = whole.python(GRAPH)
    whole.python("from django.core.management import call_command\ncall_command('rebuild_graph', verbosity=0)")
    whole.all_done()
    assert remembered == whole.python(GRAPH)
    assert whole.python("from investigate.similar import graph\nfrom incidents.models import Incident\n"
                        "print(graph().counts()['Incident'] == Incident.objects.count() > 0)") == "True"  # fmt: skip
    whole.stop()


def test_every_child_may_be_killed_under_load_and_nothing_is_lost(stage: Stage) -> None:
    whole = Whole(stage)
    whole.start()
    door = whole.door()
    with ThreadPoolExecutor(1) as load:
        sending = load.submit(door.many, range(400))
        for name, words in CHILDREN.items():
            victim = whole.child(*words)
            victim.send_signal(signal.SIGKILL)
            victim.wait(10)
            again = whole.child(*words)
            assert again.pid != victim.pid, name
            time.sleep(2)
        sent = sending.result(300)
    whole.all_done(400)
    done, alerts, incidents = map(int, whole.python(COUNTS).split())
    # A sender that got no answer sends again: more deliveries than alerts are right, fewer are not.
    assert done >= len(set(sent)) == 400 and alerts == 400 and 0 < incidents <= 400
    whole.stop()
    assert not [p for p in psutil.process_iter() if str(whole.home) in " ".join(_line(p))]


def test_a_graph_that_comes_back_goes_on_and_nobody_else_is_started_anew(stage: Stage) -> None:
    whole = Whole(stage)
    whole.start()
    door = whole.door()
    door.many(range(5))
    whole.all_done()
    others = {name: whole.child(*words).pid for name, words in CHILDREN.items() if name != "graph"}
    victim = whole.child(*CHILDREN["graph"])
    victim.send_signal(signal.SIGKILL)
    victim.wait(10)
    assert whole.child(*CHILDREN["graph"]).pid != victim.pid
    door.many(range(5, 10))
    whole.all_done()
    assert {name: whole.child(*words).pid for name, words in CHILDREN.items() if name != "graph"} == others
    assert whole.python("from investigate.similar import graph\nfrom incidents.models import Incident\n"
                        "print(graph().counts()['Incident'] == Incident.objects.count() > 0)") == "True"  # fmt: skip
    whole.stop()


def _line(process: psutil.Process) -> list[str]:
    try:
        return list(process.cmdline())
    except psutil.Error:
        return []
