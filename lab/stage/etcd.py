"""Real etcd members, each behind a proxy that can delay its links to the others."""

import base64
import itertools
import os
import re
import subprocess
import threading
from dataclasses import dataclass, field
from typing import Any

import httpx

from domain.connections import EtcdDecl, EtcdMemberDecl
from lab.stage.programs import Stage, free_port, wait_until
from lab.stage.proxies import Link, Proxies
from lab.stage.releases import Release, located


@dataclass(frozen=True)
class Seat:
    """Where a member is declared to be; `instance` is the label that its series carry."""

    name: str
    zone: str
    instance: str
    host: str


# Each member runs as a user of its own, by which the proxies identify its connections; without root all are one user.
FIRST_UID = 61_000
SEATS = tuple(Seat(f"etcd{n}", f"zone-{z}", f"10.20.{n}.11:2379", f"db-{n}") for n, z in enumerate("abc", 1))


@dataclass(frozen=True)
class Shape:
    """How a cluster is built and used. Delays are one way, in seconds.

    Its series carry no cluster label when `cluster` is empty, and those of their member and zone when it is `labelled`.
    """

    cluster: str = "prod-a"
    name: str = "etcd-prod"
    job: str = "etcd"
    seats: tuple[Seat, ...] = SEATS
    election_ms: int = 1000
    puts_per_s: float = 10.0
    value_bytes: int = 256
    quota_bytes: int = 0
    calm_delay_s: float = 0.0
    labelled: bool = False
    release: Release = field(default_factory=Release)


@dataclass
class Member:
    """One member: its process and its ports. Peers connect through `proxy`, the monitoring through `watched`."""

    seat: Seat
    client: int
    peer: int
    uid: int
    proxy: Link
    http: httpx.Client
    watched: Link
    process: subprocess.Popen[bytes] | None = None
    member_id: str = ""

    @property
    def name(self) -> str:
        """The declared name."""
        return self.seat.name

    @property
    def pid(self) -> int:
        """Of the running process."""
        assert self.process is not None
        return self.process.pid

    @property
    def endpoint(self) -> str:
        """The client URL."""
        return f"http://127.0.0.1:{self.client}"

    def status(self) -> dict[str, Any]:
        """The gateway's status answer; an empty one while the member does not answer."""
        try:
            answer = self.http.post(f"{self.endpoint}/v3/maintenance/status", json={}, timeout=1.5)
            return dict(answer.json()) if answer.status_code == 200 else {}
        except (httpx.HTTPError, ValueError):
            return {}

    def leader_changes(self) -> float | None:
        """The member's own counter of leader changes; None while it does not answer."""
        try:
            metrics = self.http.get(f"{self.endpoint}/metrics", timeout=1.5).text
        except httpx.HTTPError:
            return None
        found = re.search(r"^etcd_server_leader_changes_seen_total (\S+)$", metrics, re.MULTILINE)
        return float(found.group(1)) if found else None

    def put(self, key: str, value: bytes, timeout: float = 0.8) -> bool:
        """One put through this member; whether it was accepted."""
        body = {"key": base64.b64encode(key.encode()).decode(), "value": base64.b64encode(value).decode()}
        try:
            return self.http.post(f"{self.endpoint}/v3/kv/put", json=body, timeout=timeout).status_code == 200
        except httpx.HTTPError:
            return False


@dataclass
class Etcd:
    """The cluster and a small steady load of puts."""

    stage: Stage
    shape: Shape = field(default_factory=Shape)
    members: list[Member] = field(default_factory=list)
    http: httpx.Client = field(default_factory=lambda: httpx.Client(verify=False, trust_env=False))
    _ending: threading.Event = field(default_factory=threading.Event)

    def start(self) -> None:
        """Starts all members and the load; returns when every member names a leader."""
        proxies = Proxies()
        self.stage.after(proxies.close)
        for uid, seat in enumerate(self.shape.seats, FIRST_UID):
            # Low ports: no outgoing connection can take them while the member is down.
            client, peer = free_port(), free_port()
            links = proxies.open(peer), proxies.open(client)
            self.members.append(Member(seat, client, peer, uid, links[0], self.http, links[1]))
        self.delay(self.shape.calm_delay_s)
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
        quota = ["--quota-backend-bytes", str(self.shape.quota_bytes)] if self.shape.quota_bytes else []
        member.process = self.stage.start(member.name, [
            *self._as_user(member),
            located(self.shape.release.etcd), "--name", member.name, "--data-dir", str(self.stage.folder / member.name),
            "--listen-peer-urls", f"http://127.0.0.1:{member.peer}",
            "--initial-advertise-peer-urls", f"http://127.0.0.1:{member.proxy.port}",
            "--listen-client-urls", member.endpoint, "--advertise-client-urls", member.endpoint,
            "--initial-cluster", initial, "--initial-cluster-state", "new", "--logger", "zap",
            "--election-timeout", str(self.shape.election_ms), *quota,
        ])  # fmt: skip

    def leader(self) -> Member:
        """The member that the first answering member calls leader."""

        def ask() -> Member | None:
            for member in self.members:
                leader_id = member.status().get("leader")
                if leader_id:
                    return next((m for m in self.members if m.member_id == format(int(leader_id), "x")), None)
            return None

        return wait_until(ask, "a leader", 30)  # type: ignore[no-any-return]

    def followers(self) -> list[Member]:
        """The members that do not lead."""
        leader = self.leader()
        return [m for m in self.members if m is not leader]

    def move_leader(self, to: Member) -> None:
        """What an operator does with `etcdctl move-leader`."""
        subprocess.run(
            [located(self.shape.release.etcdctl), f"--endpoints={self.leader().endpoint}", "move-leader", to.member_id],
            check=True, capture_output=True, env={"ETCDCTL_API": "3", "PATH": "/usr/bin:/bin"},
        )  # fmt: skip

    def delay(self, one_way_s: float, jitter_s: float = 0.0) -> None:
        """Delays all links between members of different zones, one way."""
        for member in self.members:
            member.proxy.set(one_way_s, jitter_s)  # for connections whose user is unknown
        for a, b in itertools.permutations(self.members, 2):
            far = a.seat.zone != b.seat.zone
            b.proxy.set_for(a.uid, one_way_s if far else 0.0, jitter_s if far else 0.0)

    def delay_member(self, member: Member, one_way_s: float, jitter_s: float = 0.0) -> None:
        """Delays the links between one member and all others, one way; the links among the others stay."""
        for other in self.members:
            if other is not member:
                member.proxy.set_for(other.uid, one_way_s, jitter_s)
                other.proxy.set_for(member.uid, one_way_s, jitter_s)

    def scrape_job(self) -> dict[str, Any]:
        """The job of Prometheus that scrapes the members."""
        return {"job_name": self.shape.job, "static_configs": [
            {"targets": [f"127.0.0.1:{m.watched.port}"], "labels": self._labels(m)} for m in self.members
        ]}  # fmt: skip

    def _labels(self, member: Member) -> dict[str, str]:
        """Those that the scrape job gives to all series of a member."""
        own = {"instance": member.seat.instance}
        if self.shape.cluster:
            own["cluster"] = self.shape.cluster
        return own | ({"member": member.name, "zone": member.seat.zone} if self.shape.labelled else {})

    def declaration(self) -> EtcdDecl:
        """What a user would write into the connections file."""
        members = [
            EtcdMemberDecl(name=m.name, endpoint=m.endpoint, instance=m.seat.instance, zone=m.seat.zone,
                           host=m.seat.host, member_id=m.member_id)
            for m in self.members
        ]  # fmt: skip
        return EtcdDecl(name=self.shape.name, cluster=self.shape.cluster, prometheus="main", timeout_s=3.0,
                        selector={"job": self.shape.job}, election_timeout_ms=self.shape.election_ms,
                        member=members)  # fmt: skip

    def _as_user(self, member: Member) -> list[str]:
        """The command prefix that runs a member as its own user, with a folder of its own.

        Changing the user clears the parent-death signal, so it is set again.
        """
        if os.geteuid():
            return []
        folder = self.stage.folder / member.name
        folder.mkdir(mode=0o700, exist_ok=True)
        os.chown(folder, member.uid, member.uid)
        return ["setpriv", f"--reuid={member.uid}", f"--regid={member.uid}", "--clear-groups", "--pdeathsig=KILL", "--"]

    def _load(self) -> None:
        value = b"x" * self.shape.value_bytes
        for number in itertools.count(1):
            if self._ending.wait(1 / self.shape.puts_per_s):
                return
            self.members[number % len(self.members)].put(f"/load/{number % 50}", value)
