"""The field: etcd under the published mixin, several clusters whose members share their names."""

import signal
import time
from collections.abc import Callable
from typing import Any

from lab.episode import Setting
from lab.faults.disk import slow_fsync
from lab.faults.process import frozen
from lab.field.declare import Declared
from lab.field.ground import ALERTS, Ground
from lab.stage.etcd import Etcd, Member
from lab.stage.programs import StageBroken, wait_until

_declared = Declared("etcd in the field")
MIB = 1024 * 1024
SLOW = ("EtcdHighFsyncDurations", "EtcdHighCommitDurations", "etcdHighFsyncDurations", "etcdHighCommitDurations")
FAR = ("EtcdMemberCommunicationSlow", "etcdMemberCommunicationSlow")
SWITCHED = ("etcdLeaderChange", "EtcdHighNumberOfLeaderChanges")


def declared(title: str, *accept: str) -> Callable[[Callable[[Ground], Setting]], Callable[[Ground], Setting]]:
    """A declaration that only alerts report."""
    return _declared(title, *accept, sources=(ALERTS,))


def _calm(on: Ground, **shape: Any) -> Etcd:
    etcd = on.etcd(**shape)
    on.calm()
    return etcd


def _key(on: Ground, member: Member | None = None) -> str:
    return f"EtcdMember/{on.namespace}//{member.name}" if member else f"EtcdCluster/{on.namespace}//{on.namespace}"


def _end(member: Member, how: signal.Signals = signal.SIGKILL) -> None:
    assert member.process is not None
    member.process.send_signal(how)
    member.process.wait(10)


@declared("a follower of etcd is down", "etcd-member-down")
def etcd_follower_down(on: Ground) -> Setting:
    """A follower dies and stays away."""
    etcd = _calm(on)
    follower = on.draw.choice(etcd.followers())
    _end(follower)
    on.reported("PrometheusTargetMissing", "TargetDown", "etcdMembersDown")
    return on.setting(_key(on, follower), f"{follower.name}, a follower, was killed and stayed away.")


@declared("etcd has lost its quorum", "etcd-quorum-lost")
def etcd_no_quorum(on: Ground) -> Setting:
    """Two of three members die."""
    etcd = _calm(on)
    lost = on.draw.sample(etcd.members, 2)
    for member in lost:
        _end(member)
    on.reported("etcdInsufficientMembers", "etcdNoLeader")
    return on.setting(_key(on), f"{lost[0].name} and {lost[1].name} were killed.")


@declared("the disk of etcd's leader is slow", "etcd-slow-disk")
def etcd_leader_disk(on: Ground) -> Setting:
    """Each fdatasync of the leader is late, for minutes."""
    etcd = _calm(on)
    leader, late = etcd.leader(), on.draw.randint(650, 900)
    on.make(slow_fsync(on.pool.stage, leader.pid, late))
    on.reported(*SLOW)
    return on.setting(_key(on, leader), f"Each fdatasync of the leader takes {late} ms longer.")


@declared("the disk of a follower of etcd is slow", "etcd-slow-disk")
def etcd_follower_disk(on: Ground) -> Setting:
    """Each fdatasync of a follower is late; the leader is fast and stays."""
    etcd = _calm(on)
    follower, late = on.draw.choice(etcd.followers()), on.draw.randint(650, 900)
    on.make(slow_fsync(on.pool.stage, follower.pid, late))
    on.reported(*SLOW)
    return on.setting(_key(on, follower), f"Each fdatasync of {follower.name}, a follower, takes {late} ms longer.")


@declared("one pair of etcd's zones is far apart", "cross-az-network-jitter")
def etcd_bad_pair(on: Ground) -> Setting:
    """The link between two of three zones becomes late and uneven, and the leader stays."""
    etcd = _calm(on)
    one, other = on.draw.sample(etcd.members, 2)
    late = on.draw.randint(150, 230) / 1000
    one.proxy.set_for(other.uid, late, 0.06)
    other.proxy.set_for(one.uid, late, 0.06)
    on.reported(*FAR)
    return on.setting(_key(on), f"{late * 1000:.0f} ms one way between {one.seat.zone} and {other.seat.zone}, +-60 ms.")


@declared("all of etcd's zones are far apart", "cross-az-network-jitter", "no-fault-steady-latency")
def etcd_all_pairs(on: Ground) -> Setting:
    """All links between zones become late and uneven, and the leader stays."""
    etcd = _calm(on)
    late = on.draw.randint(150, 230) / 1000
    etcd.delay(late, 0.08)
    on.reported(*FAR)
    return on.setting(_key(on), f"{late * 1000:.0f} ms one way between all zones, +-80 ms.")


@declared("a member of etcd is cut off from the others", "etcd-member-isolated", "cross-az-network-jitter",
          "unknown")  # fmt: skip
def etcd_isolated(on: Ground) -> Setting:
    """The links between one member and the others take so long that it has no leader; its process runs."""
    etcd = _calm(on)
    follower = on.draw.choice(etcd.followers())
    etcd.delay_member(follower, 30.0)
    on.reported("etcdNoLeader", "etcdMembersDown")
    return on.setting(_key(on, follower), f"The peer links of {follower.name} deliver after 30 s; its process runs.")


@declared("etcd's leader stands still and another takes over", "etcd-leader-stalled")
def etcd_leader_frozen(on: Ground) -> Setting:
    """The leader's process stands still for some seconds, twice; it goes on as a follower."""
    etcd = _calm(on)
    first, seconds = etcd.leader(), on.draw.uniform(5, 9)
    for _ in range(2):
        with frozen(etcd.leader().pid):
            time.sleep(seconds)
        time.sleep(20)
    if etcd.leader() is first and (first.leader_changes() or 0) < 2:
        raise StageBroken(f"{on}: no leader change")
    on.reported(*SWITCHED)
    return on.setting(_key(on, first), f"The leader was stopped for {seconds:.0f} s, twice.")


@declared("etcd's leader is killed and comes back", "etcd-member-restart")
def etcd_leader_restart(on: Ground) -> Setting:
    """The leader is killed and started again some seconds later; another leads."""
    etcd = _calm(on)
    leader = etcd.leader()
    _end(leader)
    time.sleep(on.draw.uniform(4, 15))
    etcd.run(leader)
    wait_until(lambda: leader.status().get("leader"), "it is back", 40, 1)
    on.reported(*SWITCHED)
    return on.setting(_key(on, leader), f"{leader.name}, the leader, was killed and started again.")


@declared("etcd's database has reached its quota", "etcd-space-alarm", "etcd-quota-near")
def etcd_quota(on: Ground) -> Setting:
    """Somebody writes until the database is as large as its quota allows."""
    etcd = _calm(on, quota_bytes=on.draw.randint(12, 20) * MIB)
    leader = etcd.leader()
    for number in range(2000):
        if not leader.put(f"/bulk/{number}", b"y" * 200_000, timeout=5.0):
            break
        time.sleep(0.1)
    on.reported("etcdDatabaseQuotaLowSpace")
    return on.setting(_key(on), "Values of 200 kB were written until NOSPACE.")


@declared("Prometheus cannot reach etcd, which is well", "no-fault-scrape-gap", "no-fault", "unknown")
def etcd_scrape_cut(on: Ground) -> Setting:
    """The monitoring's way to all members is so late that scrapes time out; the cluster works as before."""
    etcd = _calm(on)
    for member in etcd.members:
        member.watched.set(20.0)
    on.reported("PrometheusTargetMissing", "TargetDown", "etcdInsufficientMembers")
    return on.setting(_key(on), "Scrapes of all members time out in a proxy; clients and peers are not touched.")


EPISODES = _declared.episodes()
