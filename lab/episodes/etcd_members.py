"""Members that restart, die, lose their quorum, fill up or sit on a slow disk."""

import itertools
import signal
import time

from lab.episode import Draw, Episode, Setting
from lab.episodes.etcd_scene import DOWN, SLOW_DISK, SPACE_LOW, SWITCHED, Scene, calm_scene
from lab.episodes.etcd_shapes import site
from lab.faults.disk import slow_fsync
from lab.faults.process import frozen
from lab.stage.etcd import Etcd, Member
from lab.stage.programs import Stage, log_progress
from lab.stage.sink import Sink

MIB = 1024 * 1024


def _move_once(etcd: Etcd) -> None:
    """Counters then stand at 2, so that a restart resets them and `increase()` sees a change."""
    etcd.move_leader(etcd.followers()[0])
    time.sleep(2)


def ended(member: Member, how: signal.Signals) -> None:
    """Ends a member's process and waits for its end."""
    assert member.process is not None
    member.process.send_signal(how)
    member.process.wait(10)


def follower_restart(stage: Stage, sink: Sink, draw: Draw) -> Setting:
    """A follower restarts; `increase()` on that member then claims a leader change."""
    chosen, away_s, how = site(draw), draw.uniform(1, 7), draw.choice((signal.SIGTERM, signal.SIGKILL))
    with calm_scene(stage, sink, chosen, prepare=_move_once) as scene:
        follower = draw.choice(scene.etcd.followers())
        ended(follower, how)
        time.sleep(away_s)
        scene.etcd.run(follower)
        scene.alerted(SWITCHED)
        time.sleep(draw.uniform(12, 20))
        scene.must(lambda: follower.status().get("leader"), "the follower is back")
        scene.must_not_switch()
        return scene.setting(
            "etcd-member-restart", scene.member(follower),
            f"A follower ended with {how.name} and started again {away_s:.0f} s later; the leader did not change.",
        )  # fmt: skip


def member_down(stage: Stage, sink: Sink, draw: Draw) -> Setting:
    """A follower dies and stays away."""
    chosen, after_s = site(draw), draw.uniform(15, 45)
    how = draw.choice((signal.SIGTERM, signal.SIGKILL))
    with calm_scene(stage, sink, chosen) as scene:
        follower = draw.choice(scene.etcd.followers())
        ended(follower, how)
        scene.alerted(DOWN)
        time.sleep(after_s)
        scene.must(lambda: scene.value("count(etcd_server_has_leader == 1)") == 2, "two members have a leader")
        scene.must_not_switch()
        return scene.setting("etcd-member-down", scene.member(follower),
                             f"A follower ended with {how.name} and left down.")  # fmt: skip


def quorum_lost(stage: Stage, sink: Sink, draw: Draw) -> Setting:
    """Two of three members die or stand still, one after the other."""
    chosen, between_s, after_s = site(draw), draw.uniform(0, 12), draw.uniform(12, 30)
    how = draw.choice((signal.SIGKILL, signal.SIGTERM, signal.SIGSTOP))
    with calm_scene(stage, sink, chosen) as scene:
        lost = draw.sample(scene.etcd.members, 2)
        for member in lost:
            assert member.process is not None
            member.process.send_signal(how)
            time.sleep(between_s)
        scene.alerted(DOWN)
        time.sleep(after_s)
        kept = next(m for m in scene.etcd.members if m not in lost)
        scene.must(lambda: not kept.status().get("leader"), "the last member has no leader")
        scene.must(lambda: not kept.put("/load/0", b"x"), "writes are refused")
        return scene.setting(
            "etcd-quorum-lost", scene.cluster(),
            f"{lost[0].name} and {lost[1].name} were sent {how.name}, {between_s:.0f} s apart.",
        )  # fmt: skip


def space_alarm(stage: Stage, sink: Sink, draw: Draw) -> Setting:
    """Somebody writes until the database is as large as its quota allows."""
    quota, piece = draw.randint(12, 24) * MIB, draw.randint(120, 400) * 1024
    chosen, pause_s = site(draw, quota_bytes=quota), draw.uniform(0.1, 0.5)
    with calm_scene(stage, sink, chosen) as scene:
        pieces = _fill(scene, piece, pause_s)
        scene.alerted(SPACE_LOW)
        time.sleep(draw.uniform(10, 25))
        scene.must(lambda: not scene.leader.put("/load/0", b"x"), "writes are refused")
        scene.must_not_switch()
        return scene.setting(
            "etcd-space-alarm", scene.cluster(),
            f"Quota of {quota // MIB} MiB filled by {pieces} writes of {piece // 1024} KiB, until NOSPACE.",
        )  # fmt: skip


def _fill(scene: Scene, piece: int, pause_s: float) -> int:
    """Writes until a write is refused; how many were accepted."""
    for number in itertools.count():
        if not scene.leader.put(f"/bulk/{number}", b"y" * piece, timeout=5.0):
            log_progress(f"write {number} was refused")
            return number
        time.sleep(pause_s)
    raise AssertionError


def slow_disk_follower(stage: Stage, sink: Sink, draw: Draw) -> Setting:
    """A follower's disk is slow; the leader is fast and stays."""
    chosen, slow_ms, slow_s = site(draw), draw.randint(130, 420), draw.uniform(50, 80)
    with calm_scene(stage, sink, chosen) as scene:
        follower = draw.choice(scene.etcd.followers())
        with slow_fsync(stage, follower.pid, slow_ms):
            scene.alerted(SLOW_DISK)
            time.sleep(slow_s)
        scene.must_not_switch()
        return scene.setting("etcd-slow-disk", scene.member(follower),
                             f"Each fdatasync of a follower {slow_ms} ms late; the leader stayed.")  # fmt: skip


def innocent_change(stage: Stage, sink: Sink, draw: Draw) -> Setting:
    """A change of the configuration is on record, and innocent; then the disk of one follower becomes slow."""
    chosen, slow_ms, slow_s = site(draw), draw.randint(150, 420), draw.uniform(40, 60)
    ago_s, number = draw.uniform(2, 45), draw.randint(1000, 9999)
    with calm_scene(stage, sink, chosen) as scene:
        change = scene.change(number, "snapshot-count raised to 20000", ago_s)
        follower = draw.choice(scene.etcd.followers())
        with slow_fsync(stage, follower.pid, slow_ms):
            scene.alerted(SLOW_DISK)
            time.sleep(slow_s)
        scene.must_not_switch()
        return scene.setting(
            "etcd-slow-disk", scene.member(follower),
            f"A configuration change on record; {ago_s:.0f} s later each fdatasync of a follower {slow_ms} ms late.",
            change,
        )  # fmt: skip


def frozen_follower(stage: Stage, sink: Sink, draw: Draw) -> Setting:
    """A follower's process stands still for half a minute and goes on; the leader stays."""
    chosen, still_s = site(draw), draw.uniform(24, 36)
    with calm_scene(stage, sink, chosen) as scene:
        follower = draw.choice(scene.etcd.followers())
        with frozen(follower.pid):
            time.sleep(still_s)
            scene.alerted(DOWN, 30)
        time.sleep(draw.uniform(15, 30))
        scene.must(lambda: follower.status().get("leader"), "the follower goes on")
        scene.must_not_switch()
        return scene.setting(
            "", scene.member(follower),
            f"SIGSTOP of {follower.name}, a follower, for {still_s:.0f} s. The catalogue has no such cause; unknown is "
            "the right answer.",
        )  # fmt: skip


EPISODES = (
    Episode("etcd-follower-restart", "an etcd follower restarts, and the counter claims a switch", follower_restart,
            "etcd-member-restart", "etcd"),
    Episode("etcd-member-down", "an etcd follower died and stays away", member_down,
            "etcd-member-down", "etcd"),
    Episode("etcd-quorum-lost", "two of three etcd members are gone", quorum_lost,
            "etcd-quorum-lost", "etcd"),
    Episode("etcd-space-alarm", "etcd's database reached its quota", space_alarm,
            "etcd-space-alarm", "etcd"),
    Episode("etcd-slow-disk-follower", "a follower's disk is slow, and no leader switch", slow_disk_follower,
            "etcd-slow-disk", "etcd"),
    Episode("etcd-innocent-change", "a follower's disk is slow after an unrelated change", innocent_change,
            "etcd-slow-disk", "etcd"),
    Episode("etcd-frozen-follower", "an etcd follower's process froze, and the leader stays", frozen_follower,
            "", "etcd"),
)  # fmt: skip
