"""A probe that is a command did not end in time: the command, or the runtime that starts it, is slow."""

from causes.cause import Cause, Condition, Exclusion, Sentences, Symptom, Term
from domain.entities import EntityKind
from domain.text import Text

CAUSE = Cause(
    slug="exec-probe-late",
    layer="probe settings",
    title=Text("The probe's command does not end in time"),
    symptoms=frozenset({Symptom.PROBE}),
    prior=-1.9,
    weights_from=(
        "Kubelet source: a command is started by the container runtime, and its own start counts towards "
        "timeoutSeconds. No network takes part. Weights are judgement."
    ),
    needs=frozenset({"event-exec-timeout"}),
    may_follow=frozenset({EntityKind.HOST, EntityKind.WORKLOAD}),
    terms=(
        Term("event-exec-timeout", supports=2.8),
        Term("spec-only-exec", supports=0.4),
        Term("peers-same-node-fail", supports=0.6),
        Term("node-pressure", supports=0.6),
        Term("kubelet-probe-near-timeout", supports=0.4),
        Term("cpu-throttled", supports=0.2, opposes=-1.8, when=Condition.NOT_SEEN),
    ),
    sentences={
        "event-exec-timeout": Sentences(
            supports=Text("The command was started and did not end, or the runtime was too slow to start it.")
        ),
        "spec-only-exec": Sentences(supports=Text("No probe of the pod asks a port.")),
        "peers-same-node-fail": Sentences(
            supports=Text("Other pods of the same node fail too: their runtime or their disk is slow.")
        ),
        "node-pressure": Sentences(supports=Text("Its node was under pressure, so starting a process takes long.")),
        "kubelet-probe-near-timeout": Sentences(
            supports=Text("Even successful probes came close to their time limit.")
        ),
        "cpu-throttled": Sentences(
            supports=Text("The CPU quota does not explain it."),
            opposes=Text("CPU throttling explains the lateness of everything in the container."),
        ),
    },
    exclusions=(
        Exclusion(
            when={"event-exec-timeout": False},
            sentence=Text("No command of a probe ran out of time."),
        ),
    ),
    next_steps=(
        Text("kubectl -n <ns> exec <pod> -- sh -c 'time <command of the probe>'"),
        Text("On the pod's node: crictl ps; iostat -x 1 3; journalctl -u containerd --since -15min | grep -i deadline"),
        Text(
            "Raise timeoutSeconds of the probe, or let it ask a port: each command starts a process in the container."
        ),
    ),
    references=(
        "https://kubernetes.io/docs/tasks/configure-pod-container/configure-liveness-readiness-startup-probes/#define-a-liveness-command",
    ),
)
