"""What keeps the pod from being ready, by its own status in the API: its conditions, waits and first containers?"""

from collections.abc import Sequence
from dataclasses import replace

from lightkube.models.core_v1 import ContainerStatus, Pod

from domain.errors import ProductError
from domain.findings import Item
from domain.text import Text
from evidence.check import Ask, Check, Measure, MeasureResult, unmeasured
from evidence.onset import LEAD, fault_at
from evidence.pod_status import (
    HARMLESS,
    IMAGE_WAITS,
    SETTINGS_WAITS,
    START_WAITS,
    End,
    Wait,
    condition,
    containers,
    ends,
    init_containers,
    is_true,
    main_container,
    waits,
)
from evidence.pods import about_probes, workload
from evidence.pods_listed import alerted_waits, own_pods
from evidence.probe_specs import name_of
from evidence.server_words import SETTINGS, measure_of_words
from evidence.software import image_name, is_not_go


def _collect(ask: Ask) -> dict[str, MeasureResult]:
    try:
        pods = own_pods(ask)
    except ProductError:
        alerted = [Wait("", container, reason, "") for reason, container in alerted_waits(ask.scope)]
        if not alerted:
            raise
        # The alert says what it says; of everything else nobody was asked.
        return {slug: replace(found, asked=False) for slug, found in _by_waits(alerted).items() if found.seen}
    held = waits(pods)
    ended = ends(pods, fault_at(ask.scope) - LEAD, ask.scope.as_of)
    return _by_waits(held) | {
        "image-not-go": _software(pods, workload(ask.scope)),
        "pod-unschedulable": _unschedulable(pods),
        "pod-evicted": _evicted(pods),
        "pod-gate-closed": _gate(pods),
        "pod-init-stuck": _init(pods),
        "pod-sidecar-only": _sidecar(pods, workload(ask.scope)),
        "pod-says-bad-settings": _last_words(ended),
    }


def _by_waits(held: Sequence[Wait]) -> dict[str, MeasureResult]:
    return {
        "pod-image-waits": _held(held, IMAGE_WAITS, Text("No container waits for its image.")),
        "pod-settings-missing": _held(held, SETTINGS_WAITS, Text("No container lacks what its settings name.")),
        "pod-start-fails": _held(held, START_WAITS, Text("No container waits since its start failed.")),
    }


def _held(held: Sequence[Wait], reasons: frozenset[str], no: Text) -> MeasureResult:
    hits = [wait for wait in held if wait.reason in reasons]
    if not hits:
        return MeasureResult(False, no, 0.0, 0)
    items = tuple(Item(f"{w.pod} {w.container}: {_cut(w.message)}".strip(), None, w.reason) for w in hits[:8])
    sentence = Text("Container {containers} was waiting: {reasons}.", containers=hits[0].container,
                    reasons=hits[0].reason)  # fmt: skip
    return MeasureResult(True, sentence, float(len(hits)), 0, hits[0].container, items=items)


def _last_words(ended: Sequence[End]) -> MeasureResult:
    """Whether what a container left when it ended blames its configuration."""
    blaming = next((end for end in ended if measure_of_words(end.message) == SETTINGS), None)
    if not blaming:
        return MeasureResult(False, Text("No container's last words speak of its configuration."))
    words = Text(
        "Container {container} ended with: {message}", container=blaming.container, message=_cut(blaming.message)
    )
    return MeasureResult(True, words, subject=blaming.container)


def _cut(message: str) -> str:
    return " ".join(message.split())[:300]


def _software(pods: Sequence[Pod], own: str) -> MeasureResult:
    """Whether the image of the container that the pod is for is one of known software that is not written in Go."""
    main = main_container(pods[0], own)
    images = {c.name: c.image or "" for c in pods[0].spec.containers} if pods[0].spec else {}
    image = images.get(main, "")
    yes = Text("Container {container} runs {image}, which is no Go program.", container=main, image=image)
    no = Text("What language {image} is written in is not known.", image=image or "?")
    return MeasureResult(is_not_go(image), yes if is_not_go(image) else no, subject=image_name(image))


def _unschedulable(pods: Sequence[Pod]) -> MeasureResult:
    known = [(pod, found) for pod in pods if (found := condition(pod, "PodScheduled"))]
    bad = [(pod, found) for pod, found in known if found.status == "False"]
    if not known:
        return unmeasured(Text("the pod's status has no such condition"))
    if not bad:
        return MeasureResult(False, Text("The pod has its node."), 0.0, 0)
    pod, found = bad[0]
    sentence = Text("No node was found for {pod}: {message}", pod=name_of(pod), message=_cut(found.message or "?"))
    return MeasureResult(True, sentence, float(len(bad)), 0, name_of(pod))


def _evicted(pods: Sequence[Pod]) -> MeasureResult:
    gone = [pod for pod in pods if pod.status and pod.status.reason == "Evicted"]
    gone += [pod for pod in pods if pod not in gone and is_true(pod, "DisruptionTarget")]
    if not gone:
        return MeasureResult(False, Text("No pod was evicted."), 0.0, 0)
    found = condition(gone[0], "DisruptionTarget")
    why = (gone[0].status.message if gone[0].status else "") or (found.message if found else "") or "?"
    sentence = Text("{pod} was evicted: {message}", pod=name_of(gone[0]), message=_cut(why))
    return MeasureResult(True, sentence, float(len(gone)), 0, name_of(gone[0]))


def _gate(pods: Sequence[Pod]) -> MeasureResult:
    """Containers are ready, the pod is not, and a condition that it waits for is not true."""
    for pod in pods:
        gates = [gate.conditionType for gate in (pod.spec.readinessGates or [])] if pod.spec else []
        shut = [gate for gate in gates if not is_true(pod, gate)]
        if shut and is_true(pod, "ContainersReady") and not is_true(pod, "Ready"):
            sentence = Text(
                "All containers of {pod} are ready, and its readiness gate {gate} is not.",
                pod=name_of(pod),
                gate=", ".join(shut),
            )
            return MeasureResult(True, sentence, float(len(shut)), 0, shut[0])
    return MeasureResult(False, Text("No readiness gate holds the pod back."), 0.0, 0)


def _init(pods: Sequence[Pod]) -> MeasureResult:
    """A first container that failed, is held back, or still runs while the others wait for it."""
    for pod in pods:
        if is_true(pod, "Initialized"):
            continue
        for status in init_containers(pod):
            if found := _stuck_text(pod, status):
                return MeasureResult(True, found, float(status.restartCount or 0), 0, status.name)
    return MeasureResult(False, Text("No init container holds the pod back."), 0.0, 0)


def _stuck_text(pod: Pod, status: ContainerStatus) -> Text | None:
    state = status.state
    if state is None:
        return None
    if state.terminated and state.terminated.exitCode:
        return Text("Init container {container} of {pod} ended with exit code {code}.", container=status.name,
                    pod=name_of(pod), code=state.terminated.exitCode)  # fmt: skip
    if state.waiting and (state.waiting.reason or "") not in HARMLESS | IMAGE_WAITS | SETTINGS_WAITS:
        return Text("Init container {container} of {pod} is waiting: {reason}.", container=status.name,
                    pod=name_of(pod), reason=state.waiting.reason or "?")  # fmt: skip
    if state.running:
        return Text("Init container {container} of {pod} still runs, and the others wait for it.",
                    container=status.name, pod=name_of(pod))  # fmt: skip
    return None


def _sidecar(pods: Sequence[Pod], own: str) -> MeasureResult:
    """Whether only side containers are not ready, while the main one is, in every pod that is not ready."""
    bad = [pod for pod in pods if is_true(pod, "ContainersReady") is False and len(containers(pod)) > 1]
    if not bad:
        return MeasureResult(False, Text("No pod of several containers lacks one."), 0.0, 0)
    unready = {(name_of(pod), s.name) for pod in bad for s in containers(pod) if not s.ready}
    main = {main_container(pod, own) for pod in bad}
    names = ", ".join(sorted({name for _, name in unready}))
    side = bool(unready) and not main & {name for _, name in unready}
    yes = Text("Only {containers} is not ready; {main} is.", containers=names, main=", ".join(sorted(main)))
    no = Text("Not ready: {containers}.", containers=names or "-")
    return MeasureResult(side, yes if side else no, float(len(unready)), 0, names)


CHECK = Check(
    "pod-status",
    Text("What does the pod's own status say?"),
    (
        Measure("pod-image-waits", Text("Does a container wait for its image?"), "containers"),
        Measure("pod-settings-missing", Text("Does a container lack what its settings name?"), "containers"),
        Measure("pod-start-fails", Text("Can a container not be started?"), "containers"),
        Measure("image-not-go", Text("Is its image of known software that is not written in Go?")),
        Measure("pod-unschedulable", Text("Is there no node for the pod?"), "pods"),
        Measure("pod-evicted", Text("Was the pod evicted?"), "pods"),
        Measure("pod-gate-closed", Text("Does a readiness gate hold the pod back?"), "gates"),
        Measure("pod-init-stuck", Text("Does an init container hold the pod back?"), "restarts"),
        Measure("pod-sidecar-only", Text("Is only a side container not ready?"), "containers"),
        Measure("pod-says-bad-settings", Text("Do a container's last words blame its configuration?")),
    ),
    about_probes,
    _collect,
    needs=("kubernetes api",),
)
