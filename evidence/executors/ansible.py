"""`etcdctl` on the sites' own hosts through Ansible; needs the extra `ansible` and an `ansible-playbook`."""

import json
import shutil
import sys
import tempfile
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import msgspec

from domain.connections import EtcdDecl
from domain.errors import Refused
from domain.secrets import ReadSecret
from evidence.executors import process
from evidence.executors.executor import LIMIT_S, Action, Executor, Ran, endpoints_of, trusted_file

# The package is an optional extra; it is started as a program of its own, so its environment is a clean one.
INSTALLED = find_spec("ansible_runner") is not None
PLAYBOOK = Path(__file__).parent / "playbooks" / "etcd.yml"
# Ansible ends its own children somewhat before the hard limit ends Ansible.
JOB_LIMIT_S = LIMIT_S - 2
EVENTS, EVENT_BYTES = 500, 2 * 1024 * 1024


def _run(etcd: EtcdDecl, action: Action, read: ReadSecret) -> Ran:
    _ready(etcd)
    playbook, inventory = etcd.playbook or str(PLAYBOOK), etcd.inventory_file
    arguments = [f"--endpoints={','.join(endpoints_of(etcd))}", "--command-timeout=5s", *action.arguments]
    with tempfile.TemporaryDirectory(prefix="ansible-") as folder:
        _write(Path(folder), _variables(etcd, arguments, read))
        argv = [sys.executable, "-m", "ansible_runner", "run", folder, "--ident", "run", "--quiet",
                "--playbook", playbook, "--inventory", inventory]  # fmt: skip
        ran = process.run(argv, {"ANSIBLE_LOCAL_TEMP": folder, "ANSIBLE_NOCOLOR": "1"}, folder)
        hosts = _results(Path(folder) / "artifacts" / "run" / "job_events")
    shown = ("ansible-playbook", playbook, "-i", inventory, "etcdctl", *arguments)
    return _chosen(replace(ran, argv=shown), hosts)


def _ready(etcd: EtcdDecl) -> None:
    if etcd.playbook:  # the shipped one is as trustworthy as this file
        trusted_file(etcd.playbook, "playbook")
    trusted_file(etcd.inventory_file, "inventory_file")
    endpoints_of(etcd)
    if not INSTALLED:
        raise Refused("ansible-runner is not installed; install incident-graph[ansible], or use another executor")
    if not shutil.which("ansible-playbook", path=process.CLEAN["PATH"]):
        raise Refused("there is no ansible-playbook on this machine; install ansible-core, or use another executor")


def _variables(etcd: EtcdDecl, arguments: list[str], read: ReadSecret) -> dict[str, Any]:
    password = read(etcd, "password")
    user = {"etcdctl_user": etcd.user, "etcdctl_password": password} if password else {}
    path = {"etcdctl_program": etcd.etcdctl_path} if etcd.etcdctl_path else {}
    return {"etcdctl_arguments": arguments, **user, **path}


def _write(folder: Path, variables: dict[str, Any]) -> None:
    """What ansible-runner reads; the folder is this user's alone and is removed after the run."""
    (folder / "env").mkdir()
    (folder / "env" / "extravars").write_text(json.dumps(variables))
    (folder / "env" / "settings").write_text(json.dumps({"job_timeout": int(JOB_LIMIT_S), "suppress_env_files": True}))


def _results(events: Path) -> dict[str, dict[str, Any]]:
    """What the command gave on each host, in order of the hosts."""
    found: dict[str, dict[str, Any]] = {}
    for file in sorted(events.glob("*.json"))[:EVENTS] if events.is_dir() else ():
        if file.stat().st_size > EVENT_BYTES:
            continue
        try:
            event = msgspec.json.decode(file.read_bytes(), type=dict[str, Any])
        except msgspec.DecodeError:
            continue
        if str(event.get("event", "")).startswith("runner_on_") and event["event"] != "runner_on_start":
            data = event.get("event_data") or {}
            found[str(data.get("host", ""))] = data.get("res") or {}
    return dict(sorted(found.items()))


def _chosen(ran: Ran, hosts: dict[str, dict[str, Any]]) -> Ran:
    """The view of the host that sees most healthy endpoints: a host that is cut off must not speak for all."""
    outputs = {name: str(result.get("stdout", ""))[: process.STDOUT_LIMIT] for name, result in hosts.items()}
    best = max(sorted(outputs), key=lambda name: outputs[name].count('"health":true'), default="")
    if not best or not outputs[best]:
        reasons = "; ".join(f"{name}: {_reason(result)}" for name, result in hosts.items())
        return replace(ran, stdout="", error=(ran.error or reasons or "no host of the inventory answered")[:200])
    rc = hosts[best].get("rc")
    return replace(ran, stdout=outputs[best], rc=rc if isinstance(rc, int) else ran.rc, error=ran.error)


def _reason(result: dict[str, Any]) -> str:
    """Why a host gave no output, in its own words."""
    return str(result.get("msg") or result.get("stderr") or "nothing")


EXECUTOR = Executor("ansible", _run, _ready)
