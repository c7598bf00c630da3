"""Draws etcd clusters: their names, the zones of their members, their load and their versions."""

from dataclasses import dataclass, field
from typing import Any

from lab.episode import Draw
from lab.stage.etcd import Seat, Shape
from lab.stage.releases import DEBIAN, PINNED, Release, Watchers


@dataclass(frozen=True)
class Style:
    """Patterns of a site's names: `{n}` counts from 1, `{i}` from 0, `{h}` from a drawn number, `{z}` is a letter."""

    member: str
    zone: str
    instance: str
    host: str

    def seat(self, number: int, zone: int, first: int) -> Seat:
        """The names of one member in one zone."""
        numbers = {"n": number + 1, "i": number, "h": first + number}
        return Seat(
            self.member.format(**numbers, z="abc"[number]), self.zone.format(n=zone + 1, i=zone, z="abc"[zone]),
            self.instance.format(**numbers, z="abc"[number]), self.host.format(**numbers, z="abc"[number]),
        )  # fmt: skip


STYLES = (
    Style("etcd{n}", "zone-{z}", "10.20.{n}.11:2379", "db-{n}"),
    Style("etcd-{i}", "az{n}", "192.168.4.{h}:2379", "node-{h}"),
    Style("infra{i}", "eu-central-1{z}", "10.0.{h}.42:2379", "ip-10-0-{h}-42"),
    Style("master-{n}", "cn-shanghai-{z}", "172.16.{h}.5:2381", "master-{n}.sh.example"),
    Style("kv-{z}", "rack-{n}", "kv-{z}.example:2379", "kv-{z}"),
)
CLUSTERS = ("prod-a", "prod-eu1", "shanghai-prod", "edge-3", "core", "payments", "k8s-blue")
NAMES = ("etcd-prod", "etcd-main", "kube-etcd", "config-store")
JOBS = ("etcd", "kube-etcd", "etcd-prod")
# Which zone each of the three members is in: mostly one each.
LAYOUTS = ((0, 1, 2), (0, 1, 2), (0, 0, 1), (0, 0, 0))


@dataclass(frozen=True)
class Site:
    """A drawn cluster, its monitoring, and how many seconds it runs before the fault."""

    shape: Shape = field(default_factory=Shape)
    watchers: Watchers = field(default_factory=Watchers)
    calm_s: float = 60.0
    noisy: bool = False

    def description(self) -> str:
        """The cluster in one sentence, for the notes of a bundle."""
        s = self.shape
        return (
            f"{s.release.versions()}; election timeout {s.election_ms} ms, {s.puts_per_s:.0f} puts of {s.value_bytes} "
            f"bytes per second, scraped every {self.watchers.scrape_s} s, {s.calm_delay_s * 1000:.1f} ms between zones."
        )


def site(draw: Draw, *, apart: bool = False, **fixed: Any) -> Site:
    """A cluster by `draw`; `apart` puts each member into a zone of its own, `fixed` are fields of its Shape.

    Even seeds run on the new versions, odd ones and the demo on Debian's.
    """
    release = PINNED if draw.number and draw.number % 2 == 0 else DEBIAN
    shape = Shape(**{**_drawn(draw, release, LAYOUTS[0] if apart else draw.choice(LAYOUTS)), **fixed})
    return Site(shape, Watchers(release, draw.choice((1, 1, 2))), draw.uniform(58, 72), draw.random() < 0.4)


def _drawn(draw: Draw, release: Release, layout: tuple[int, ...]) -> dict[str, Any]:
    style, first = draw.choice(STYLES), draw.randint(11, 90)
    return {
        "cluster": draw.choice(CLUSTERS), "name": draw.choice(NAMES), "job": draw.choice(JOBS),
        "seats": tuple(style.seat(number, zone, first) for number, zone in enumerate(layout)),
        "election_ms": draw.choice((1000, 1500)), "puts_per_s": draw.uniform(4, 20),
        "value_bytes": draw.choice((64, 256, 1024)), "calm_delay_s": draw.choice((0.0, 0.0005, 0.001, 0.002)),
        "release": release,
    }  # fmt: skip
