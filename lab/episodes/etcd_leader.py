"""The leader itself goes away, for a moment or for good; or only the monitoring loses sight of all members."""

import signal
import time

from lab.episode import Draw, Episode, Setting
from lab.episodes.etcd_members import ended
from lab.episodes.etcd_scene import DOWN, SWITCHED, calm_scene
from lab.episodes.etcd_shapes import site
from lab.faults.network import unwatched
from lab.stage.programs import Stage
from lab.stage.sink import Sink


def leader_down(stage: Stage, sink: Sink, draw: Draw) -> Setting:
    """The leader dies and stays away; another takes over."""
    chosen, after_s = site(draw), draw.uniform(12, 35)
    with calm_scene(stage, sink, chosen) as scene:
        ended(scene.leader, signal.SIGKILL)
        scene.alerted(SWITCHED)
        scene.alerted(DOWN)
        time.sleep(after_s)
        scene.must(lambda: scene.switches() > 0, "both members left count a leader change")
        return scene.setting("etcd-member-down", scene.member(scene.leader),
                             "The leader was ended with SIGKILL and left down; another took over.")  # fmt: skip


def leader_restart(stage: Stage, sink: Sink, draw: Draw) -> Setting:
    """The leader restarts, as in an update; another takes over, and it comes back as a follower."""
    chosen, away_s = site(draw), draw.uniform(4, 10)
    how = draw.choice((signal.SIGTERM, signal.SIGTERM, signal.SIGKILL))
    with calm_scene(stage, sink, chosen) as scene:
        ended(scene.leader, how)
        time.sleep(away_s)
        scene.etcd.run(scene.leader)
        scene.alerted(SWITCHED)
        time.sleep(draw.uniform(12, 20))
        scene.must(lambda: scene.leader.status().get("leader"), "the old leader is back")
        scene.must(lambda: scene.etcd.leader() is not scene.leader, "another leads")
        return scene.setting(
            "etcd-member-restart", scene.member(scene.leader),
            f"The leader ended with {how.name} and started again {away_s:.0f} s later; another leads since.",
        )  # fmt: skip


def scrape_gap(stage: Stage, sink: Sink, draw: Draw) -> Setting:
    """Prometheus reaches no member for a while; the cluster works as before."""
    chosen, gap_s, after_s = site(draw), draw.uniform(25, 45), draw.uniform(12, 25)
    with calm_scene(stage, sink, chosen) as scene:
        with unwatched(scene.etcd):
            time.sleep(gap_s)
            scene.alerted(DOWN, 30)
            scene.must(lambda: scene.leader.put("/load/0", b"x"), "the cluster takes writes meanwhile")
        time.sleep(after_s)
        scene.must_not_switch()
        return scene.setting("no-fault-scrape-gap", scene.cluster(),
                             f"Scrapes of all members timed out for {gap_s:.0f} s; the cluster went on.")  # fmt: skip


EPISODES = (
    Episode("etcd-leader-down", "the etcd leader died and stays away", leader_down, "etcd-member-down", "etcd"),
    Episode("etcd-leader-restart", "the etcd leader restarted, and another leads", leader_restart,
            "etcd-member-restart", "etcd"),
    Episode("etcd-scrape-gap", "the monitoring lost all etcd members for a while", scrape_gap,
            "no-fault-scrape-gap", "etcd"),
)  # fmt: skip
