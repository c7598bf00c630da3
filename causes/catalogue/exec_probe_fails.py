"""A probe that is a command ended with an error."""

from causes.cause import Cause, Condition, Exclusion, Sentences, Symptom, Term
from domain.text import Text

CAUSE = Cause(
    slug="exec-probe-fails",
    layer="probe settings",
    title=Text("The probe's command fails"),
    symptoms=frozenset({Symptom.PROBE}),
    prior=-2.0,
    weights_from=(
        "Kubelet source: a command's output is the whole message. That it failed says little of "
        "why; weights are judgement."
    ),
    needs=frozenset({"event-exec-failed", "event-exec-runtime"}),
    contributes_to=frozenset({"handler-crash", "exec-probe-late"}),
    terms=(
        Term("event-exec-failed", supports=2.4),
        Term("event-exec-runtime", supports=2.0),
        Term("spec-only-exec", supports=0.4),
        Term("event-exec-missing", supports=0.1, opposes=-1.5, when=Condition.NOT_SEEN),
        Term("event-says-connections-full", supports=0.1, opposes=-3.0, when=Condition.NOT_SEEN),
        Term("event-says-loading", supports=0.1, opposes=-3.0, when=Condition.NOT_SEEN),
        Term("event-says-disk-full", supports=0.1, opposes=-3.0, when=Condition.NOT_SEEN),
        Term("event-says-workers-full", supports=0.1, opposes=-2.0, when=Condition.NOT_SEEN),
        Term("event-says-memory-full", supports=0.1, opposes=-2.0, when=Condition.NOT_SEEN),
        Term("event-says-denied", supports=0.1, opposes=-2.0, when=Condition.NOT_SEEN),
        Term("pod-crashed", supports=0.1, opposes=-1.0, when=Condition.NOT_SEEN),
    ),
    sentences={
        "event-exec-failed": Sentences(
            supports=Text("The command ran and ended with an error; the event shows what it wrote.")
        ),
        "event-exec-runtime": Sentences(supports=Text("The runtime could not start it.")),
        "spec-only-exec": Sentences(supports=Text("No probe of the pod asks a port.")),
        "event-exec-missing": Sentences(
            supports=Text("The command is there."),
            opposes=Text("The command is not in the container, which is more exact."),
        ),
        "event-says-connections-full": Sentences(
            supports=Text("It does not blame used-up connections."),
            opposes=Text("Its output says that all connections are taken."),
        ),
        "event-says-loading": Sentences(
            supports=Text("It does not say that the server is loading."),
            opposes=Text("Its output says that the server is loading."),
        ),
        "event-says-disk-full": Sentences(
            supports=Text("It does not blame the disk."), opposes=Text("Its output says that the disk is full.")
        ),
        "event-says-workers-full": Sentences(
            supports=Text("It does not blame a limit."), opposes=Text("Its output says that a limit is reached.")
        ),
        "event-says-memory-full": Sentences(
            supports=Text("It does not blame memory."), opposes=Text("Its output says that memory is used up.")
        ),
        "event-says-denied": Sentences(
            supports=Text("It was let in."), opposes=Text("Its output says that it was not let in.")
        ),
        "pod-crashed": Sentences(
            supports=Text("The container itself did not crash."), opposes=Text("The container itself crashed.")
        ),
    },
    exclusions=(
        Exclusion(
            when={"event-exec-failed": False, "event-exec-runtime": False},
            sentence=Text("No command of a probe failed."),
        ),
    ),
    next_steps=(
        Text("kubectl -n <ns> describe pod <pod> | sed -n '/Events/,$p'"),
        Text(
            "kubectl -n <ns> get pod <pod> -o "
            "jsonpath='{.spec.containers[*].readinessProbe.exec.command} "
            "{.spec.containers[*].livenessProbe.exec.command}'"
        ),
        Text("kubectl -n <ns> exec <pod> -- sh -c '<command of the probe>; echo $?'"),
    ),
    references=(
        "https://kubernetes.io/docs/tasks/configure-pod-container/configure-liveness-readiness-startup-probes/#define-a-liveness-command",
    ),
)
