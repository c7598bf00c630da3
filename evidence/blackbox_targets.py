"""The targets of a blackbox exporter, each with its series, and in which phase a failed probe failed."""

from collections import Counter
from dataclasses import dataclass, field

from domain.connections import BlackboxDecl
from domain.entities import EntityKind
from domain.errors import Refused
from domain.scope import Scope
from domain.text import Text
from evidence.check import Ask
from evidence.clients.prometheus import Line, matcher

METRICS = (
    "probe_success|probe_duration_seconds|probe_http_status_code|probe_http_duration_seconds|probe_http_redirects|"
    "probe_http_ssl"
)
# The exporter gives up after ten.
LOOP = 10


@dataclass(slots=True)
class ProbeTarget:
    """One probed target: its series by metric and phase, in time."""

    name: str
    labels: dict[str, str]
    values: dict[str, dict[int, float]] = field(default_factory=dict)
    lines: list[Line] = field(default_factory=list)
    exporter: str = ""

    def failing(self, start: int, end: int) -> list[int]:
        """Times of failed probes."""
        return sorted(at for at, v in self.values.get("probe_success", {}).items() if v == 0 and start <= at <= end)

    def succeeded(self, start: int, end: int) -> list[float]:
        """How long the probes that succeeded took once they were connected, in seconds."""
        return [max(0.0, self._value("probe_duration_seconds", at) - self._value("connect", at))
                for at in self._good(start, end)]  # fmt: skip

    def connected(self, start: int, end: int) -> list[float]:
        """How long the probes that succeeded took to connect, in seconds."""
        return [self._value("connect", at) for at in self._good(start, end)]

    def _good(self, start: int, end: int) -> list[int]:
        """Times of the probes that succeeded."""
        return sorted(at for at, v in self.values.get("probe_success", {}).items() if v == 1 and start <= at <= end)

    @property
    def http(self) -> bool:
        """Whether an http module probes it."""
        return "probe_http_status_code" in self.values

    def classes(self, start: int, end: int) -> Counter[str]:
        """How often each class of failure was seen."""
        times = self.failing(start, end)
        longest = max((self._value("probe_duration_seconds", at) for at in times), default=0.0)
        # The time-out is what the longest failed probe took, not a constant: exporters shorten it.
        timeout = max(0.5, 0.8 * longest)
        return Counter(self._class(at, timeout) for at in times)

    def _value(self, metric: str, at: int) -> float:
        return self.values.get(metric, {}).get(at, 0.0)

    def _class(self, at: int, timeout: float) -> str:
        slow = self._value("probe_duration_seconds", at) >= timeout
        if not self.http:
            return "probe-transport-timeout" if slow else "probe-refused"
        code = self._value("probe_http_status_code", at)
        if at not in self.values.get("connect", {}):
            return "probe-dns-absent"
        if code:
            return self._answered(at, code, slow)
        if 0 < self._value("probe_http_redirects", at) < LOOP:
            return "probe-redirect-failed"
        if self._value("connect", at) == 0:
            return "probe-transport-timeout" if slow else "probe-refused"
        return "probe-app-silent" if slow else "probe-dropped-by-app"

    def _answered(self, at: int, code: float, slow: bool) -> str:
        # A redirect that is not followed is an answer; only one that was followed again and again is a circle.
        if 300 <= code < 400 and self.values.get("probe_http_redirects", {}).get(at, LOOP) >= LOOP:
            return "probe-redirect-loop"
        if code < 300:
            return "probe-body-stall" if slow else "probe-content-mismatch"
        return "probe-status-error"


def all_targets(ask: Ask, exporter: BlackboxDecl) -> list[ProbeTarget]:
    """Every target of a declared exporter. Raises Refused when its metrics server is not declared."""
    server = ask.prometheus(exporter.prometheus)
    if server is None:
        raise Refused(Text("blackbox {name} names no declared Prometheus", name=exporter.name))
    selector = matcher(exporter.selector)
    answered = ask.range(server, f'{{__name__=~"{METRICS}"{"," + selector if selector else ""}}}')
    found: dict[tuple[tuple[str, str], ...], ProbeTarget] = {}
    for line in answered.lines:
        labels = {k: v for k, v in line.labels.items() if k not in {"__name__", "phase"}}
        key = tuple(sorted(labels.items()))
        target = found.setdefault(key, ProbeTarget(labels.get("instance", ""), labels, exporter=exporter.name))
        metric = line.labels.get("phase") or line.labels.get("__name__", "")
        target.values[metric] = {p.at_ms: p.value for p in line.points}
        if metric in {"probe_duration_seconds", "connect", "processing"}:
            target.lines.append(line)
    return [found[key] for key in sorted(found)]


def late_scrapes(ask: Ask, exporter: BlackboxDecl, instance: str) -> dict[int, float]:
    """By how many seconds scrapes of one target took longer than its probes, by epoch ms.

    An exporter without CPU begins its probes late, and blames its targets for that.
    """
    server = ask.prometheus(exporter.prometheus)
    if server is None or not exporter.selector:
        return {}
    where = matcher({**exporter.selector, "instance": instance})
    query = (
        f"max(max by (job, instance) (scrape_duration_seconds{{{where}}})"
        f" - on (job, instance) max by (job, instance) (probe_duration_seconds{{{where}}}))"
    )
    with ask.aside():
        lines = ask.range(server, query, step_s=15).lines
    return {p.at_ms: p.value for line in lines for p in line.points}


def is_own(target: ProbeTarget, scope: Scope) -> bool:
    """Whether it carries the name of a thing of the incident."""
    names = {e.name for e in scope.entities if e.kind is not EntityKind.HOST}
    names |= {a.labels[k] for a in scope.alerts for k in ("instance", "target") if k in a.labels}
    return any(target.labels.get(k) in names for k in ("pod", "service", "instance", "target"))


def own_targets(ask: Ask, exporter: BlackboxDecl) -> list[ProbeTarget]:
    """Those of the incident."""
    return [t for t in all_targets(ask, exporter) if is_own(t, ask.scope)]
