"""What became of the pod: restarts, how its containers ended, its age, and whether it was being deleted."""

from dataclasses import dataclass, replace
from itertools import pairwise
from statistics import pstdev

from domain.findings import Point
from domain.text import Text
from evidence.check import Ask, Charted, Check, Measure, MeasureResult, chart, measured_by, moment
from evidence.clients.prometheus import Answered, Line
from evidence.etcd_series import increase
from evidence.onset import end_ms, fault_at, onset_ms
from evidence.pod_status import HARMLESS, KILLED
from evidence.pods import POD_STATE, about_probes, ask_more, ask_pods, by_pod, named
from evidence.pods import STATUS as PREFIX
from evidence.pods_listed import LISTED, NOT_CRASHED, age, by_api, crashed, oom_killed, restarted, waiting

BY_METRICS = (
    "pod-restarted", "pod-oom-killed", "pod-crashed", "pod-not-started", "pod-young", "pod-constant-age-restarts",
    "pod-being-deleted", "pod-recovered-after-start",
)  # fmt: skip
RACE_LEAST_S, RACE_S = 5, 60


def _collect(ask: Ask) -> dict[str, MeasureResult]:
    """By the metrics, which cover the window; what they do not tell by the API, which shows the present."""
    measured = measured_by(ask, BY_METRICS, _by_metrics) | measured_by(ask, ("pod-waiting",), _waiting)
    open_ones = tuple(slug for slug in LISTED if measured[slug].seen is None)
    listed = measured_by(ask, open_ones, by_api) if open_ones else {}
    known = {slug: result for slug, result in listed.items() if slug in open_ones and result.seen is not None}
    return measured | known


def _by_metrics(ask: Ask) -> dict[str, MeasureResult]:
    answered = ask_pods(ask, POD_STATE)
    start, end = onset_ms(ask.scope), end_ms(ask.scope)
    started_s = fault_at(ask.scope).timestamp()
    return {
        "pod-restarted": _restarted(answered, start, end),
        "pod-oom-killed": _oom(answered, start, end),
        "pod-crashed": _crashed(answered, start, end),
        "pod-not-started": _never_ready(answered, end),
        "pod-young": _young(answered, started_s, ask.scope.started_at.timestamp(), (start, end)),
        "pod-constant-age-restarts": _constant(answered),
        "pod-being-deleted": _deleted(answered, started_s, (start, end)),
        "pod-recovered-after-start": _recovered(answered, start, end),
    }


def _silent(what: Text) -> MeasureResult:
    why = Text("kube-state-metrics has no {what} of this pod", what=what)
    return MeasureResult(None, Text("{what}: unknown.", what=what), why_unknown=why)


def _restarted(answered: Answered, start: int, end: int) -> MeasureResult:
    lines = named(answered, f"{PREFIX}restarts_total")
    if not lines:
        return _silent(Text("restarts"))
    counts = [(increase(line, start, end), _container(line)) for line in lines]
    count = sum(times for times, _ in counts)
    series = chart(lines, lambda line: "restarts")
    return replace(restarted(count, max(counts)[1]), series=series)


def _container(line: Line) -> str:
    return line.labels.get("container", "")


def _reasons(answered: Answered, start: int, end: int) -> dict[str, str]:
    """The container that ended so, by each reason of an end."""
    lines = named(answered, f"{PREFIX}last_terminated_reason")
    ended = [line for line in lines if any(v == 1 for v in line.between(start, end))]
    return {_reason(line): _container(line) for line in ended}


def _oom(answered: Answered, start: int, end: int) -> MeasureResult:
    reasons = _reasons(answered, start, end)
    return oom_killed("OOMKilled" in reasons, reasons.get("OOMKilled", ""))


def _crashed(answered: Answered, start: int, end: int) -> MeasureResult:
    lines = named(answered, f"{PREFIX}last_terminated_exitcode")
    codes = {int(v): _container(line) for line in lines for v in line.between(start, end)}
    bad = sorted(codes.keys() - KILLED - {0})
    reasons = _reasons(answered, start, end)
    if bad:
        return crashed(bad[0], codes[bad[0]])
    unknown_code = "Error" in reasons and not codes
    return crashed(None, reasons["Error"]) if unknown_code else NOT_CRASHED


def _never_ready(answered: Answered, end: int) -> MeasureResult:
    lines = named(answered, f"{PREFIX}ready")
    if not lines:
        return _silent(Text("readiness"))
    ready = any(v == 1 for line in lines for v in line.between(0, end))
    yes = Text("No container of the pod was ever ready in the window.")
    no = Text("The pod was ready at some time.")
    return MeasureResult(not ready, no if ready else yes, series=chart(lines, lambda line: "ready"))


def _starts(answered: Answered) -> list[float]:
    lines = named(answered, "kube_pod_container_state_started")
    return sorted({p.value for line in lines for p in line.points})


def _own_starts(answered: Answered, window: tuple[int, int]) -> list[float]:
    """Starts of containers; of a pod whose containers were restarted from outside only its own first start."""
    crashed = _crashed(answered, *window).seen or _oom(answered, *window).seen
    found = [start for pod in by_pod(answered) for start in (_starts(pod) if crashed else _first_starts(pod))]
    return sorted(set(found))


def _first_starts(pod: Answered) -> list[float]:
    counts = [p.value for line in named(pod, f"{PREFIX}restarts_total") for p in line.points]
    if not any(counts):
        return _starts(pod)
    begun = named(pod, "kube_pod_start_time") or named(pod, "kube_pod_created")
    return [p.value for line in begun for p in line.points[:1]][:1] or _starts(pod)[:1]


def _young(answered: Answered, fault_s: float, alerted_s: float, window: tuple[int, int]) -> MeasureResult:
    """Age when the fault can have begun; a pod that is younger than that is held against the alert itself."""
    known = _own_starts(answered, window)
    started_s = fault_s if any(s <= fault_s for s in known) else alerted_s
    starts = [s for s in known if s <= started_s] or [
        p.value for line in named(answered, "kube_pod_created") for p in line.points[:1]
    ]
    if not starts:
        return _silent(Text("container start time"))
    return age(started_s - max(starts))


def _constant(answered: Answered) -> MeasureResult:
    ages = [b - a for pod in by_pod(answered) for a, b in pairwise(_starts(pod))]
    if len(ages) < 2:
        return MeasureResult(False, Text("There are too few restarts for a pattern."), float(len(ages)))
    spread = pstdev(ages) / max(1.0, sum(ages) / len(ages))
    seen = spread < 0.15
    mean = sum(ages) / len(ages)
    yes = Text("Containers are restarted at a constant age of {mean_s:.0f} s.", mean_s=mean)
    no = Text("The ages at restart differ.")
    return MeasureResult(seen, yes if seen else no, mean)


def _deleted(answered: Answered, started_s: float, window: tuple[int, int]) -> MeasureResult:
    """Whether a pod was on its way out within the window; one that was gone before it is none of those that fail."""
    times = [v for line in named(answered, "kube_pod_deletion_timestamp") for v in line.between(*window)]
    if not times:
        return MeasureResult(False, Text("The pod was not being deleted."))
    # The timestamp is when the grace period ends; the deletion was asked for before that.
    lag = started_s - min(times)
    return MeasureResult(True, Text("The pod was being deleted."), lag)


def _recovered(answered: Answered, start: int, end: int) -> MeasureResult:
    """Not ready only in the first seconds after a start, and ready after it, is a race at the start."""
    histories = _histories(answered, start, end)
    if not histories:
        return _silent(Text("starts or readiness"))
    fallen = [history for history in histories if history.unready_at_s]
    if not fallen:
        return MeasureResult(False, Text("The pod was ready throughout."), 0.0, RACE_S)
    oldest = max(_age(history.starts, at_s) for history in fallen for at_s in history.unready_at_s)
    age = min(oldest, 1e6)
    ready_after = all(_ready_again(history.points) for history in fallen)
    # Every pod is unready for a moment; five seconds of it are a race that was lost for a while.
    if RACE_LEAST_S <= oldest <= RACE_S and ready_after:
        sentence = Text("It was not ready only in the first {age_s:.0f} s after a start.", age_s=age)
        return MeasureResult(True, sentence, age, RACE_S)
    sentence = Text("It was not ready at other times, or is not ready yet, or its start was a plain one.")
    return MeasureResult(False, sentence, age, RACE_S)


@dataclass(frozen=True, slots=True)
class _History:
    """One pod: when its containers started, in epoch seconds, and its readiness within the window (1 or 0)."""

    starts: list[float]
    points: list[Point]

    @property
    def unready_at_s(self) -> list[float]:
        """When it was not ready, in epoch seconds."""
        return [point.at_ms / 1000 for point in self.points if point.value == 0]


def _histories(answered: Answered, start: int, end: int) -> list[_History]:
    """Of the pods of which both starts and readiness are known."""
    found = [_History(_starts(pod), _readiness(pod, start, end)) for pod in by_pod(answered)]
    return [history for history in found if history.starts and history.points]


def _readiness(pod: Answered, start: int, end: int) -> list[Point]:
    return [p for line in named(pod, f"{PREFIX}ready") for p in line.points if start <= p.at_ms <= end]


def _age(starts: list[float], at_s: float) -> float:
    """Seconds since the last start; endless before the first."""
    return min((at_s - s for s in starts if s <= at_s), default=float("inf"))


def _ready_again(points: list[Point]) -> bool:
    """Whether it was ready after it was last not ready; at least one of the points is 0."""
    last_unready_ms = [point.at_ms for point in points if point.value == 0][-1]
    return any(point.value == 1 and point.at_ms > last_unready_ms for point in points)


def _waiting(ask: Ask) -> dict[str, MeasureResult]:
    answered = ask_more(ask)
    start, end = onset_ms(ask.scope), end_ms(ask.scope)
    lines = [line for line in named(answered, f"{PREFIX}waiting_reason") if 1 in line.between(start, end)]
    if not lines and not named(answered, "kube_pod_info"):
        return {"pod-waiting": _silent(Text("waiting reasons"))}
    bad = [line for line in lines if _reason(line) not in HARMLESS]
    first = moment(min((_first_waiting_ms(line, start) for line in bad), default=0))
    found = waiting([(_reason(line), _container(line)) for line in bad])
    return {"pod-waiting": replace(found, first_seen_at=first)}


def _first_waiting_ms(line: Line, start: int) -> int:
    """When the reason was first given at or after `start`, in epoch milliseconds; it was given at least once."""
    return min(point.at_ms for point in line.points if point.value == 1 and point.at_ms >= start)


def _reason(line: Line) -> str:
    return line.labels.get("reason", "")


RESTARTS = Charted(Text("restarts of the container so far"))
READY = Charted(Text("ready: 1 yes, 0 no"))
CHECK = Check(
    "pod-state",
    Text("What became of the pod?"),
    (
        Measure("pod-restarted", Text("Was a container restarted?"), "restarts", charted=RESTARTS),
        Measure("pod-oom-killed", Text("Was it killed for memory?")),
        Measure("pod-crashed", Text("Did it end by itself with an error?"), "exit code"),
        Measure("pod-not-started", Text("Was it never ready?"), charted=READY),
        Measure("pod-young", Text("Had it just been started?"), "s"),
        Measure("pod-constant-age-restarts", Text("Is it restarted at a constant age?"), "s"),
        Measure("pod-waiting", Text("Is a container held back?"), "reasons"),
        Measure(
            "pod-recovered-after-start",
            Text("Was it unready only just after a start?"),
            "s",
        ),
        Measure("pod-being-deleted", Text("Was it being deleted?"), "s"),
    ),
    about_probes,
    _collect,
    needs=("prometheus", "kubernetes api"),
    cost=3,
    metrics=(f"{PREFIX}ready", f"{PREFIX}restarts_total", "kube_pod_created", "kube_pod_container_state_started"),
)
