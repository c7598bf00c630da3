"""The embedded server's life: start, adopt, restart, stop, and every way a start must refuse."""

import json
import os
import signal
import socket
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import graph.engine
from domain.errors import ProductError
from graph.engine import EmbeddedGraph, GraphAddress, free_ports, wheel_folder
from graph.processes import command_line, wait_until
from graph.store import open_graph
from tests.graph.servers import answers
from tests.graph.snapshots import plain

REPO = Path(__file__).parents[2]
OWNER = """
import sys, time
from pathlib import Path
from graph.engine import EmbeddedGraph
engine = EmbeddedGraph(Path(sys.argv[1]), Path(sys.argv[1]) / "run")
engine.start()
print(engine.pid, flush=True)
time.sleep(600)
"""


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[EmbeddedGraph]:
    made = EmbeddedGraph(tmp_path, tmp_path / "run")
    yield made
    made.stop()


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def remembered(address: GraphAddress) -> int:
    store = open_graph(address.uri, address.user, address.password)
    try:
        return store.counts()["Incident"]
    finally:
        store.close()


def remember_one(address: GraphAddress) -> None:
    store = open_graph(address.uri, address.user, address.password)
    store.ensure_schema()
    store.remember([plain("one")])
    store.close()


def owner(home: Path) -> tuple[subprocess.Popen[str], int]:
    """Another program that owns a server, and the server's pid."""
    process = subprocess.Popen([sys.executable, "-c", OWNER, str(home)], cwd=REPO, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    return process, int(process.stdout.readline())


def listeners(pid: int) -> set[str]:
    """The addresses on which a process listens, as /proc names them."""
    sockets = {os.readlink(fd) for fd in Path(f"/proc/{pid}/fd").iterdir() if fd.is_symlink()}
    found = set()
    for table in ("tcp", "tcp6"):
        for line in Path(f"/proc/{pid}/net/{table}").read_text().splitlines()[1:]:
            fields = line.split()
            if fields[3] == "0A" and f"socket:[{fields[9]}]" in sockets:
                found.add(fields[1].rpartition(":")[0])
    return found


def test_a_start_answers_on_loopback_only_and_keeps_its_secrets(engine: EmbeddedGraph) -> None:
    address = engine.start()
    assert answers(address)
    assert listeners(engine.pid) == {"0000000000000000FFFF00000100007F"}
    assert mode(engine.folder) == 0o700
    assert mode(engine.folder / "run.json") == mode(engine.folder / "password") == 0o600
    assert address.password not in command_line(engine.pid)
    assert address.password not in repr(address)
    assert not answers(GraphAddress(address.uri, address.user, "wrong"))
    assert json.loads((engine.folder / "run.json").read_text())["uri"] == address.uri


def test_who_is_asked_whether_the_graph_is_ready_opens_last(engine: EmbeddedGraph) -> None:
    engine.start()
    log = engine.log_file.read_text()
    assert log.index("Listening for incoming BOLT connections") < log.index("HTTP Server started")


def test_the_process_that_watches_over_the_graph_loads_no_driver() -> None:
    code = "import sys, graph.engine; print('neo4j' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], cwd=REPO, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


def test_a_restart_keeps_the_data_and_a_stop_is_clean(engine: EmbeddedGraph) -> None:
    remember_one(engine.start())
    first = engine.pid
    engine.stop()
    engine.stop()
    assert command_line(first) == ""
    assert not (engine.folder / "run.json").exists()
    assert remembered(engine.start()) == 1


def test_a_server_that_was_killed_is_started_again(engine: EmbeddedGraph) -> None:
    address = engine.start()
    remember_one(address)
    killed = engine.pid
    os.kill(killed, signal.SIGKILL)
    assert wait_until(lambda: not engine.alive(), 5)
    assert engine.start() == address  # programs that use the graph need no new address
    assert remembered(address) == 1
    assert engine.pid != killed


def test_a_lost_password_file_gets_a_new_password_and_keeps_the_data(engine: EmbeddedGraph) -> None:
    first = engine.start()
    remember_one(first)
    engine.stop()
    (engine.folder / "password").unlink()
    second = engine.start()
    assert second.password != first.password
    assert remembered(second) == 1


def test_starting_twice_in_one_owner_gives_the_same_server(engine: EmbeddedGraph) -> None:
    assert engine.start() == engine.start()


def test_a_second_owner_gets_an_error_that_names_the_first(engine: EmbeddedGraph, tmp_path: Path) -> None:
    address = engine.start()
    with pytest.raises(ProductError, match=f"already served by process {os.getpid()}"):
        EmbeddedGraph(tmp_path, tmp_path / "run").start()
    assert answers(address)


def test_a_killed_owner_leaves_nothing_that_blocks_the_next_start(tmp_path: Path) -> None:
    process, orphan = owner(tmp_path)
    process.kill()
    process.wait()
    engine = EmbeddedGraph(tmp_path, tmp_path / "run")
    try:
        assert answers(engine.start())
        assert engine.pid == orphan or command_line(orphan) == ""
    finally:
        engine.stop()


def test_a_server_that_an_earlier_owner_left_running_is_adopted(tmp_path: Path) -> None:
    left = EmbeddedGraph(tmp_path, tmp_path / "run")
    address = left.start()
    assert left._lock is not None
    left._lock.close()  # as if that owner had ended without its server
    engine = EmbeddedGraph(tmp_path, tmp_path / "run")
    assert engine.start() == address
    assert engine.pid == left.pid
    engine.stop()
    assert not engine.alive()
    assert left._process is not None
    left._process.wait(5)


def test_a_server_left_by_a_version_that_noted_no_http_port_is_exchanged_at_the_same_address(tmp_path: Path) -> None:
    left = EmbeddedGraph(tmp_path, tmp_path / "run")
    address = left.start()
    remember_one(address)
    known = json.loads((left.folder / "run.json").read_text())
    del known["http"]
    (left.folder / "run.json").write_text(json.dumps(known))
    assert left._lock is not None
    left._lock.close()
    engine = EmbeddedGraph(tmp_path, tmp_path / "run")
    try:
        assert engine.start() == address
        assert engine.pid != left.pid
        assert command_line(left.pid) == ""
        assert remembered(address) == 1
    finally:
        engine.stop()


def test_a_server_that_is_left_frozen_is_ended(tmp_path: Path) -> None:
    left = EmbeddedGraph(tmp_path, tmp_path / "run")
    left.start()
    assert left._lock is not None
    left._lock.close()
    os.kill(left.pid, signal.SIGSTOP)
    engine = EmbeddedGraph(tmp_path, tmp_path / "run", stop_patience_s=1.0)
    try:
        assert answers(engine.start())
        assert engine.pid != left.pid
        assert command_line(left.pid) == ""
    finally:
        engine.stop()


def test_a_pid_that_now_belongs_to_another_program_is_left_alone(engine: EmbeddedGraph) -> None:
    engine.folder.mkdir()
    with subprocess.Popen(["sleep", "60"]) as stranger:
        known = {"pid": stranger.pid, "uri": f"bolt://127.0.0.1:{free_ports()[0]}", "user": "root", "password": "x"}
        (engine.folder / "run.json").write_text(json.dumps(known))
        assert answers(engine.start())
        assert stranger.poll() is None
        stranger.terminate()


def test_a_torn_run_file_is_no_hindrance(engine: EmbeddedGraph) -> None:
    engine.folder.mkdir()
    (engine.folder / "run.json").write_text('{"pid": 1')
    assert answers(engine.start())


def test_a_port_that_another_program_took_is_exchanged(engine: EmbeddedGraph) -> None:
    engine.folder.mkdir()
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        uri = f"bolt://127.0.0.1:{taken.getsockname()[1]}"
        known = {"pid": 2**22 + 1, "uri": uri, "user": "root", "password": "x"}
        (engine.folder / "run.json").write_text(json.dumps(known))
        assert engine.start().uri != uri


def test_an_http_port_that_was_taken_meanwhile_is_exchanged(
    engine: EmbeddedGraph, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        first, second = free_ports(), free_ports()
        chosen = iter([(first[0], taken.getsockname()[1]), second])
        monkeypatch.setattr(graph.engine, "free_ports", lambda: next(chosen))
        assert answers(engine.start())
        assert json.loads((engine.folder / "run.json").read_text())["http"] == second[1]


def test_loose_rights_are_tightened(engine: EmbeddedGraph) -> None:
    engine.folder.mkdir()
    engine.folder.chmod(0o777)
    (engine.folder / "password").write_text("long-enough-to-be-kept")
    (engine.folder / "password").chmod(0o644)
    assert engine.start().password == "long-enough-to-be-kept"
    assert mode(engine.folder) == 0o700
    assert mode(engine.folder / "password") == 0o600


def test_a_folder_that_is_a_file_is_refused_with_a_remedy(tmp_path: Path) -> None:
    (tmp_path / "graph").write_text("")
    with pytest.raises(ProductError, match="set INCIDENT_GRAPH_HOME to another folder"):
        EmbeddedGraph(tmp_path, tmp_path / "run").start()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a folder away")
def test_another_user_s_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "graph").mkdir()
    os.chown(tmp_path / "graph", 12345, 12345)
    with pytest.raises(ProductError, match="belongs to another user"):
        EmbeddedGraph(tmp_path, tmp_path / "run").start()


def test_a_server_that_cannot_start_names_its_log(engine: EmbeddedGraph) -> None:
    engine.folder.mkdir()
    (engine.folder / "databases").write_text("in the way")
    with pytest.raises(ProductError, match=r"server\.log, or set GRAPH_URI"):
        engine.start()
    assert not engine.alive()


def test_a_missing_wheel_names_what_to_install() -> None:
    with pytest.raises(ProductError, match="pip install arcadedb-embedded"):
        wheel_folder(lambda name: None)
