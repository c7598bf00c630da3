"""The stage keeps its promises: late bytes, kept deliveries, nothing left behind."""

import socket
import subprocess
import sys
import tarfile
import threading
import time
from pathlib import Path

import httpx
import pytest

from lab.stage.images import archive
from lab.stage.programs import Stage
from lab.stage.proxy import DelayingProxy
from lab.stage.sink import Sink
from lab.stage.sweep import sweep


def echo() -> int:
    """A server that sends back what it gets; its port."""
    server = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        while True:
            peer, _ = server.accept()
            threading.Thread(target=lambda p=peer: [p.sendall(d) for d in iter(lambda: p.recv(99), b"")]).start()

    threading.Thread(target=serve, daemon=True).start()
    return int(server.getsockname()[1])


def round_trip(connection: socket.socket) -> float:
    """Seconds from sending to the answer."""
    began = time.monotonic()
    connection.sendall(b"ping")
    assert connection.recv(99) == b"ping"
    return time.monotonic() - began


def test_a_proxy_delays_each_direction_until_the_delay_is_removed() -> None:
    proxy = DelayingProxy(echo())
    with socket.create_connection(("127.0.0.1", proxy.port)) as connection:
        assert round_trip(connection) < 0.1
        proxy.set(0.1)
        assert 0.2 <= round_trip(connection) < 0.4
        proxy.set(0.0)
        assert round_trip(connection) < 0.1
    proxy.close()


def test_the_sink_keeps_the_raw_body_and_no_credentials() -> None:
    sink = Sink()
    answer = httpx.post(sink.url("alertmanager", "prod"), content=b'{"a": 1}', headers={"Authorization": "Bearer s"})
    assert answer.status_code == 202
    assert (sink.taken[0].kind, sink.taken[0].name, sink.taken[0].body) == ("alertmanager", "prod", b'{"a": 1}')
    assert "s" not in {v for k, v in sink.taken[0].headers.items() if k.lower() == "authorization"}
    sink.close()


def test_a_sweep_ends_the_folders_processes_and_removes_it(tmp_path: Path) -> None:
    folder = tmp_path / "ig-lab-test"
    folder.mkdir()
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)", str(folder)])
    time.sleep(0.3)
    sweep(folder)
    assert child.wait(5) == -9
    assert not folder.exists()


def test_logs_of_programs_are_kept_only_where_a_folder_is_set(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for named in ("", str(tmp_path / "logs")):
        monkeypatch.setenv("INCIDENT_GRAPH_LOGS", named)
        stage = Stage()
        stage.start("speaker", ["echo", "a word"]).wait(10)
        stage.stop()
        assert not stage.folder.exists()
    assert [log.read_text() for log in tmp_path.rglob("*") if log.is_file()] == ["a word\n"]


def test_an_image_is_one_layer_with_one_program(tmp_path: Path) -> None:
    program = tmp_path / "program"
    program.write_bytes(b"\x7fELF")
    with tarfile.open(archive("service", program, tmp_path / "image.tar")) as image:
        assert sorted(image.getnames()) == ["config.json", "layer.tar", "manifest.json"]


@pytest.mark.parametrize("name", ["etcd-switch-network-burst", "probe-handler-blocked"])
def test_episodes_are_found_by_name(name: str) -> None:
    done = subprocess.run([sys.executable, "-m", "lab", "list"], capture_output=True, text=True, check=True,
                          cwd=Path(__file__).parents[2])  # fmt: skip
    assert name in done.stdout


def test_a_killed_recorder_leaves_neither_programs_nor_its_folder() -> None:
    code = (
        "from lab.stage.programs import Stage; import time\n"
        "stage = Stage(); child = stage.start('sleeper', ['sleep', '60'])\n"
        "print(stage.folder, child.pid, flush=True); time.sleep(60)"
    )
    owner = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True,
                             cwd=Path(__file__).parents[2])  # fmt: skip
    assert owner.stdout is not None
    folder, pid = owner.stdout.readline().split()
    owner.kill()
    owner.wait(5)
    end = time.monotonic() + 10
    while time.monotonic() < end and (Path(folder).exists() or Path(f"/proc/{pid}/cwd").exists()):
        time.sleep(0.1)
    assert not Path(folder).exists()
    assert not Path(f"/proc/{pid}/cwd").exists()
