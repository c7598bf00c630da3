"""Do the probes' own settings explain the failure? Read from the pod's spec, held against what was measured."""

import re
from collections.abc import Sequence
from datetime import datetime
from statistics import median

from lightkube.models.core_v1 import Container, ContainerStateTerminated, ContainerStatus, Pod

from domain.errors import Refused
from domain.findings import Item
from domain.text import Text
from evidence.check import PROBES, Ask, Check, Measure, MeasureResult, measured_by, unmeasured
from evidence.clients.kubernetes import of
from evidence.pods import about_probes, ask_more, namespace, workload, workload_of
from evidence.probe_durations import BUCKETS, FEW, are_few, mostly_failed, slowest
from evidence.probe_specs import ProbeSpec, name_of, ours, probes_of, ready_since, statuses

# The share of the time-out from which on a probe's 99th percentile leaves no room.
NEAR = 0.8
TIGHT = 0.9
ENDED_BY_PROBE = {0, 137, 143}
SPEC = ("spec-shared-endpoint", "spec-startup-budget-short", "spec-liveness-stricter", "spec-no-startup-probe",
        "spec-drain-short", "spec-port-not-declared", "spec-over-loopback", "spec-only-exec")  # fmt: skip


def _collect(ask: Ask) -> dict[str, MeasureResult]:
    where = namespace(ask.scope)
    pods = list(ask.kubernetes(of("api/v1", where, "pods")).pods(where))
    mine = ours(pods, ask.scope)
    if not mine:
        raise Refused(Text("the pod is not there any more, so its probes cannot be read"))
    probes = probes_of(mine[0])
    same = [p for p in pods if workload_of(name_of(p)) == workload(ask.scope)]
    every = [probe for pod in mine for probe in probes_of(pod)]
    results = measured_by(ask, SPEC, lambda _: _by_spec(mine[0], probes, same) | _ways(every))
    return results | measured_by(ask, ("spec-timeout-below-latency",), lambda a: _latency(a, probes))


def _by_spec(pod: Pod, probes: list[ProbeSpec], same: list[Pod]) -> dict[str, MeasureResult]:
    return {
        "spec-shared-endpoint": _shared(probes),
        "spec-startup-budget-short": _budget(pod, probes, same),
        "spec-liveness-stricter": _stricter(probes),
        "spec-no-startup-probe": _no_startup(probes),
        "spec-drain-short": _drain(pod, probes),
        "spec-port-not-declared": _ports(pod, probes),
    }


def _ways(probes: list[ProbeSpec]) -> dict[str, MeasureResult]:
    """Whether all probes of the incident's pods stay on their node, or are commands."""
    commands = [p for p in probes if p.target == "exec"]
    crossing = [p for p in probes if p.target != "exec" and not p.stays_on_node]
    local = bool(probes) and not crossing and len(commands) < len(probes)
    only_exec = bool(probes) and len(commands) == len(probes)
    no = Text("Probes cross the node's network.") if crossing else Text("No probe asks over the network.")
    return {
        "spec-over-loopback": MeasureResult(
            local, Text("The probes ask their own node over loopback.") if local else no, items=_items(probes[:8])
        ),
        "spec-only-exec": MeasureResult(
            only_exec,
            Text("Every probe is a command in the container.") if only_exec
            else Text("Not every probe is a command in the container."), items=_items(commands[:8]),
        ),
    }  # fmt: skip


def _pairs(probes: list[ProbeSpec]) -> list[tuple[ProbeSpec, ProbeSpec]]:
    """Readiness and liveness of the same container."""
    of_kind = {(p.container, p.kind): p for p in probes}
    names = sorted({p.container for p in probes})
    both = [(of_kind.get((n, "Readiness")), of_kind.get((n, "Liveness"))) for n in names]
    return [(ready, alive) for ready, alive in both if ready and alive]


def _shared(probes: list[ProbeSpec]) -> MeasureResult:
    hits = [ready for ready, alive in _pairs(probes) if ready.target == alive.target != "exec"]
    if not hits:
        return MeasureResult(False, Text("Readiness and liveness do not ask the same."))
    sentence = Text(
        "Readiness and liveness of {container} both ask {target}.", container=hits[0].container, target=hits[0].target
    )
    return MeasureResult(True, sentence, subject=hits[0].container, items=_items(probes))


def _items(probes: Sequence[ProbeSpec]) -> tuple[Item, ...]:
    return tuple(
        Item(f"{p.kind} {p.container}: {p.target}", float(p.timeout_s),
             f"timeout {p.timeout_s} s, period {p.period_s} s, threshold {p.failures}, delay {p.delay_s} s")
        for p in probes
    )  # fmt: skip


def _budget(pod: Pod, probes: list[ProbeSpec], same: list[Pod]) -> MeasureResult:
    """The budget against the measured starts of the workload, or against the age at which containers were killed."""
    gates = _gates(probes)
    if not gates:
        return MeasureResult(False, Text("No startup or liveness probe can kill a start."))
    gate = min(gates, key=lambda p: p.budget_s)
    starts = [seconds for p in same for seconds in _starts(p, gate.container)]
    kill_ages = [age for p in _pod_first(pod, same) for age in _killed_at(p, gate)]
    if not starts and not kill_ages:
        return unmeasured(Text("no start of the workload was measured"))
    took = median(starts) if starts else float(gate.budget_s)
    # What survived its start was within the budget, so a start that nearly fills it is the sign, or a kill.
    nearly_filled = gate.kind == "Startup" and took >= TIGHT * gate.budget_s
    if kill_ages:
        sentence = _killed_sentence(gate, kill_ages[0])
    elif nearly_filled:
        sentence = _filled_sentence(gate, took)
    else:
        sentence = Text("A start takes {took_s:.0f} s and has {budget_s} s.", took_s=took, budget_s=gate.budget_s)
    short = bool(kill_ages) or nearly_filled
    return MeasureResult(short, sentence, took, float(gate.budget_s), gate.container, items=_items(gates))


def _gates(probes: list[ProbeSpec]) -> list[ProbeSpec]:
    """The probes that can kill a container while it starts: startup probes, else liveness probes."""
    startup = [p for p in probes if p.kind == "Startup"]
    return startup or [p for p in probes if p.kind == "Liveness"]


def _killed_sentence(gate: ProbeSpec, age_s: float) -> Text:
    return Text(
        "The {probe} probe gives {container} {budget_s} s to start; it was killed at the age of {age_s:.0f} s.",
        age_s=age_s,
        probe=PROBES[gate.kind],
        container=gate.container,
        budget_s=gate.budget_s,
    )


def _filled_sentence(gate: ProbeSpec, took_s: float) -> Text:
    return Text(
        "The {probe} probe gives {container} {budget_s} s to start; a start took {took_s:.0f} s.",
        took_s=took_s,
        probe=PROBES[gate.kind],
        container=gate.container,
        budget_s=gate.budget_s,
    )


def _pod_first(pod: Pod, same: list[Pod]) -> list[Pod]:
    """The pod first, then the others of its workload."""
    return [pod, *(p for p in same if name_of(p) != name_of(pod))]


def _starts(pod: Pod, container: str) -> list[float]:
    """Seconds from the container's start to Ready; only where it was never restarted and Ready since."""
    since = ready_since(pod)
    if not since:
        return []
    began = [_running_since(status) for status in statuses(pod) if status.name == container and not status.restartCount]
    return [(since - at).total_seconds() for at in began if at and since >= at]


def _running_since(status: ContainerStatus) -> datetime | None:
    """When the container that runs now was started; None when none runs."""
    if not status.state or not status.state.running:
        return None
    return status.state.running.startedAt


def _killed_at(pod: Pod, gate: ProbeSpec) -> list[float]:
    """Ages in seconds at which a container that is not ready was ended by a kill near the budget's end."""
    ages = []
    for status in statuses(pod):
        if status.name != gate.container or status.ready:
            continue
        ended = _ended_by_probe(status)
        if not ended or not ended.startedAt or not ended.finishedAt:
            continue
        age = (ended.finishedAt - ended.startedAt).total_seconds()
        if _near_budget_end(age, ended, gate):
            ages.append(age)
    return ages


def _ended_by_probe(status: ContainerStatus) -> ContainerStateTerminated | None:
    """The container's last end, if a probe's kill can have been its cause."""
    ended = status.lastState.terminated if status.lastState else None
    if not ended or ended.reason == "OOMKilled":
        return None
    # A Go program that is the first process ends with 2 on SIGTERM, but also when it panics.
    by_sigterm_in_go = ended.exitCode == 2 and status.restartCount >= 2
    return ended if ended.exitCode in ENDED_BY_PROBE or by_sigterm_in_go else None


def _near_budget_end(age_s: float, ended: ContainerStateTerminated, gate: ProbeSpec) -> bool:
    """The kill comes with the last failure, which may be one period early, and ends after the grace period."""
    grace_s = 30 if ended.exitCode == 137 else 5
    latest_s = gate.budget_s + gate.period_s + gate.timeout_s + grace_s
    return gate.budget_s - gate.period_s <= age_s <= latest_s


def _stricter(probes: list[ProbeSpec]) -> MeasureResult:
    def patience(p: ProbeSpec) -> int:
        return p.failures * p.period_s + p.timeout_s

    hits = [(r, a) for r, a in _pairs(probes) if patience(a) < patience(r) or a.timeout_s < r.timeout_s]
    if not hits:
        return MeasureResult(False, Text("Liveness is not stricter than readiness."))
    ready, alive = hits[0]
    sentence = Text(
        "Liveness of {container} acts after {liveness_s} s, readiness after {readiness_s} s.",
        container=alive.container,
        liveness_s=patience(alive),
        readiness_s=patience(ready),
    )
    return MeasureResult(
        True, sentence, float(patience(alive)), float(patience(ready)), alive.container, items=_items(hits[0])
    )


def _no_startup(probes: list[ProbeSpec]) -> MeasureResult:
    gated = {p.container for p in probes if p.kind == "Startup"}
    bare = [p for p in probes if p.kind == "Liveness" and p.container not in gated]
    if not bare:
        return MeasureResult(False, Text("Liveness waits for a startup probe, or there is none."))
    sentence = Text("{container} has a liveness probe and no startup probe.", container=bare[0].container)
    return MeasureResult(True, sentence, float(bare[0].budget_s), subject=bare[0].container, items=_items(bare))


def _drain(pod: Pod, probes: list[ProbeSpec]) -> MeasureResult:
    """Without a pause before SIGTERM, requests still come in while the endpoint is being taken out."""
    behind_readiness = {p.container for p in probes if p.kind == "Readiness"}
    containers = [c for c in _containers(pod) if c.name in behind_readiness]
    if not containers:
        return unmeasured(Text("no container of the pod takes requests behind a readiness probe"))
    known = {}
    for container in containers:
        pause_s = _pause(container)
        if pause_s is not None:
            known[container.name] = pause_s
    if not known:
        return unmeasured(Text("how long the preStop hook takes is not known"))
    name = min(sorted(known), key=lambda n: known[n])
    pause, grace = known[name], _grace_s(pod)
    sentence = Text(
        "{name} waits {pause_s:.0f} s before it stops, and has {grace_s} s in all.",
        name=name,
        pause_s=pause,
        grace_s=grace,
    )
    return MeasureResult(pause == 0 or pause >= grace, sentence, pause, float(grace), name)


def _containers(pod: Pod) -> list[Container]:
    return pod.spec.containers if pod.spec else []


def _grace_s(pod: Pod) -> int:
    """Seconds from the deletion to the kill; Kubernetes' default is 30."""
    declared = pod.spec.terminationGracePeriodSeconds if pod.spec else None
    return declared or 30


def _pause(container: Container) -> float | None:
    """Seconds that its preStop hook waits; 0 without one, None when it does something else."""
    hook = container.lifecycle.preStop if container.lifecycle else None
    if hook is None:
        return 0.0
    if hook.sleep:
        return float(hook.sleep.seconds)
    found = re.search(r"sleep (\d+)", " ".join(hook.exec.command or [])) if hook.exec else None
    return float(found.group(1)) if found else None


def _ports(pod: Pod, probes: list[ProbeSpec]) -> MeasureResult:
    containers = {c.name: c for c in _containers(pod)}
    undeclared = [p for p in probes if p.port and not _declares(containers.get(p.container), p.port)]
    if not undeclared:
        return MeasureResult(False, Text("Every probed port is a declared one."))
    first = undeclared[0]
    sentence = Text(
        "{probe} asks port {port}, which {container} does not declare.",
        probe=first.kind,
        port=first.port,
        container=first.container,
    )
    return MeasureResult(True, sentence, subject=first.container, items=_items(undeclared))


def _declares(container: Container | None, port: str) -> bool:
    """Whether a container declares a port. One without any declared port accepts each number, and no name."""
    ports = (container.ports or []) if container else []
    known = {str(p.containerPort) for p in ports} | {p.name for p in ports if p.name}
    return port in known or (port.isdigit() and not known)


def _latency(ask: Ask, probes: list[ProbeSpec]) -> dict[str, MeasureResult]:
    measured = slowest(ask_more(ask))
    shares = {p: measured[(p.kind, p.container)] / p.timeout_s for p in probes if (p.kind, p.container) in measured}
    if not shares:
        raise Refused(Text("the kubelet tells no durations of these probes (prober_probe_duration_seconds)"))
    worst = max(sorted(shares, key=lambda p: (p.container, p.kind)), key=lambda p: shares[p])
    # A success lies within the limit; what a bucket beyond it suggests is only how buckets are drawn.
    took = min(measured[(worst.kind, worst.container)], float(worst.timeout_s))
    if shares[worst] >= NEAR and mostly_failed(ask, worst.kind):
        raise Refused(
            Text("most probes of this time failed, so the few that succeeded do not show what is usual for the route")
        )
    if shares[worst] >= NEAR and are_few(ask_more(ask), (worst.kind, worst.container), worst.timeout_s):
        raise Refused(FEW)
    seen = shares[worst] >= NEAR
    sentence = Text(
        "{probe} probes of {container} that succeed take up to {took_s:.2f} s (99 %) of {timeout_s} s.",
        probe=worst.kind,
        container=worst.container,
        took_s=took,
        timeout_s=worst.timeout_s,
    )
    result = MeasureResult(seen, sentence, took, NEAR * worst.timeout_s, worst.container, items=_items([worst]))
    return {"spec-timeout-below-latency": result}


CHECK = Check(
    "probe-spec",
    Text("Do the probes' settings explain it?"),
    (
        Measure(
            "spec-shared-endpoint",
            Text("Do readiness and liveness ask the same endpoint?"),
            items_unit="s",
        ),
        Measure(
            "spec-timeout-below-latency",
            Text("Is the timeout near the endpoint's latency?"),
            "s",
        ),
        Measure("spec-startup-budget-short", Text("Is the time to start too short?"), "s"),
        Measure("spec-liveness-stricter", Text("Is liveness stricter than readiness?"), "s"),
        Measure("spec-no-startup-probe", Text("Is there no startup probe?"), "s"),
        Measure("spec-drain-short", Text("Does it stop before its endpoint is taken out?"), "s"),
        Measure("spec-port-not-declared", Text("Is an undeclared port probed?"), items_unit="s"),
        Measure("spec-over-loopback", Text("Do the probes ask their own node over loopback?"), items_unit="s"),
        Measure("spec-only-exec", Text("Is every probe a command in the container?"), items_unit="s"),
    ),
    about_probes,
    _collect,
    needs=("kubernetes api", "prometheus"),
    cost=2,
    metrics=(BUCKETS,),
)
