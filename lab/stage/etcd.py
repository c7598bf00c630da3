"""Three real etcd members in three zones, each behind a proxy that can delay its peers."""

import base64
import subprocess
import threading
from dataclasses import dataclass, field
from typing import Any

import httpx

from domain.connections import EtcdDecl, EtcdMemberDecl
from lab.stage.programs import Stage, free_port, wait_until
from lab.stage.proxy import DelayingProxy

CLUSTER = "prod-a"
ZONES = ("zone-a", "zone-b", "zone-c")


@dataclass
class Member:
    """One member: its process and where it is; `instance` is the name that its series carry."""

    name: str
    zone: str
    client: int
    peer: int
    proxy: DelayingProxy
    process: subprocess.Popen[bytes] | None = None
    member_id: str = ""

    @property
    def number(self) -> int:
        """1, 2 or 3."""
        return int(self.name.removeprefix("etcd"))

    @property
    def instance(self) -> str:
        """The `instance` label."""
        return f"10.20.{self.number}.11:2379"

    @property
    def endpoint(self) -> str:
        """The client URL."""
        return f"http://127.0.0.1:{self.client}"

    def status(self) -> dict[str, Any]:
        """The gateway's status answer; an empty one while the member does not answer."""
        try:
            answer = httpx.post(f"{self.endpoint}/v3/maintenance/status", json={}, timeout=1.5)
            return dict(answer.json()) if answer.status_code == 200 else {}
        except (httpx.HTTPError, ValueError):
            return {}


@dataclass
class Etcd:
    """The cluster and a small steady load of puts."""

    stage: Stage
    members: list[Member] = field(default_factory=list)
    _ending: threading.Event = field(default_factory=threading.Event)

    def start(self) -> None:
        """Starts all three and the load; returns when every member names the same leader."""
        for number, zone in enumerate(ZONES, 1):
            peer = free_port()
            self.members.append(Member(f"etcd{number}", zone, free_port(), peer, DelayingProxy(peer)))
        for member in self.members:
            self.run(member)
        wait_until(lambda: all(m.status().get("leader") for m in self.members), "etcd elects a leader", 60)
        for member in self.members:
            member.member_id = format(int(member.status()["header"]["member_id"]), "x")
        self.stage.after(self._ending.set)
        threading.Thread(target=self._load, daemon=True).start()

    def run(self, member: Member) -> None:
        """Starts (or starts again) one member's process."""
        initial = ",".join(f"{m.name}=http://127.0.0.1:{m.proxy.port}" for m in self.members)
        real = f"http://127.0.0.1:{member.peer}"
        member.process = self.stage.start(member.name, [
            "etcd", "--name", member.name, "--data-dir", str(self.stage.folder / member.name),
            "--listen-peer-urls", real, "--initial-advertise-peer-urls", f"http://127.0.0.1:{member.proxy.port}",
            "--listen-client-urls", member.endpoint, "--advertise-client-urls", member.endpoint,
            "--initial-cluster", initial, "--initial-cluster-state", "new", "--logger", "zap",
        ])  # fmt: skip

    def leader(self) -> Member:
        """The member that all answering members call leader."""

        def ask() -> Member | None:
            for member in self.members:
                said = member.status().get("leader")
                if said:
                    return next((m for m in self.members if m.member_id == format(int(said), "x")), None)
            return None

        return wait_until(ask, "a leader", 30)  # type: ignore[no-any-return]

    def followers(self) -> list[Member]:
        """The members that do not lead."""
        leader = self.leader()
        return [m for m in self.members if m is not leader]

    def move_leader(self, to: Member) -> None:
        """What an operator does with `etcdctl move-leader`."""
        subprocess.run(
            ["etcdctl", f"--endpoints={self.leader().endpoint}", "move-leader", to.member_id],
            check=True, capture_output=True, env={"ETCDCTL_API": "3", "PATH": "/usr/bin:/bin"},
        )  # fmt: skip

    def delay(self, one_way_s: float, jitter_s: float = 0.0) -> None:
        """Delays all links between zones, one way."""
        for member in self.members:
            member.proxy.set(one_way_s, jitter_s)

    def scrape_job(self) -> dict[str, Any]:
        """The job of Prometheus that scrapes the three."""
        return {"job_name": "etcd", "static_configs": [
            {"targets": [f"127.0.0.1:{m.client}"], "labels": {"instance": m.instance, "cluster": CLUSTER}}
            for m in self.members
        ]}  # fmt: skip

    def declaration(self) -> EtcdDecl:
        """What a user would write into the connections file."""
        members = [
            EtcdMemberDecl(name=m.name, endpoint=m.endpoint, instance=m.instance, zone=m.zone,
                           host=f"db-{m.number}", member_id=m.member_id)
            for m in self.members
        ]  # fmt: skip
        return EtcdDecl(name="etcd-prod", cluster=CLUSTER, prometheus="main", selector={"job": "etcd"},
                        timeout_s=3.0, member=members)  # fmt: skip

    def _load(self) -> None:
        value = base64.b64encode(b"x" * 256).decode()
        number = 0
        while not self._ending.wait(0.1):
            number += 1
            key = base64.b64encode(f"/load/{number % 50}".encode()).decode()
            member = self.members[number % 3]
            try:
                httpx.post(f"{member.endpoint}/v3/kv/put", json={"key": key, "value": value}, timeout=0.8)
            except httpx.HTTPError:
                continue
