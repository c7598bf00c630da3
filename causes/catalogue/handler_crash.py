"""The process ended with an error and took its listener with it."""

from causes.cause import Cause, Condition, Exclusion, Sentences, Symptom, Term
from domain.entities import EntityKind
from domain.text import Text

CAUSE = Cause(
    slug="handler-crash",
    layer="application",
    title=Text("The process or its handler crashed"),
    symptoms=frozenset({Symptom.PROBE}),
    prior=-1.8,
    weights_from="Exit codes are statements of the runtime; the rest is judgement.",
    needs=frozenset({"pod-crashed", "event-eof", "probe-dropped-by-app", "event-backoff", "pod-waiting"}),
    may_follow=frozenset({EntityKind.HOST, EntityKind.WORKLOAD}),
    terms=(
        Term("pod-crashed", supports=3.0, opposes=-2.0, group="crash"),
        Term("probe-refused", supports=0.8, opposes=-0.4),
        Term("probe-dropped-by-app", supports=2.2, group="crash"),
        Term("pod-restarted", supports=0.8, opposes=-0.4),
        Term("pod-oom-killed", supports=0.1, opposes=-2.0, when=Condition.NOT_SEEN),
        Term("event-refused", supports=0.8),
        Term("event-reset", supports=0.2, opposes=-1.0, when=Condition.NOT_SEEN),
        Term("event-eof", supports=3.4, group="crash"),
        Term("event-backoff", supports=0.8),
        Term("pod-waiting", supports=0.8),
        Term("kubelet-liveness-failing", supports=0.2, opposes=-0.8, when=Condition.NOT_SEEN),
        Term("event-startup-kill", supports=0.1, opposes=-2.5, when=Condition.NOT_SEEN, group="killed"),
        Term("event-liveness-kill", supports=0.1, opposes=-2.0, when=Condition.NOT_SEEN, group="killed"),
        Term("live-refused", supports=0.6),
        Term("pod-image-waits", supports=0.1, opposes=-2.5, when=Condition.NOT_SEEN, group="never ran"),
        Term("pod-settings-missing", supports=0.1, opposes=-2.5, when=Condition.NOT_SEEN, group="never ran"),
        Term("pod-start-fails", supports=0.1, opposes=-2.5, when=Condition.NOT_SEEN, group="never ran"),
        Term("pod-says-bad-settings", supports=0.1, opposes=-1.5, when=Condition.NOT_SEEN),
        Term("pod-evicted", supports=0.1, opposes=-1.5, when=Condition.NOT_SEEN),
    ),
    sentences={
        "pod-crashed": Sentences(
            supports=Text("The container ended with an error of its own."),
            opposes=Text("No container ended with an error."),
        ),
        "probe-refused": Sentences(
            supports=Text("Refused at once: the listener is gone."),
            opposes=Text("Nothing was refused."),
        ),
        "probe-dropped-by-app": Sentences(
            supports=Text(
                "Connections were closed without an answer, as a panic in a handler does while the process lives on."
            )
        ),
        "pod-restarted": Sentences(
            supports=Text("The container was restarted."),
            opposes=Text("No restart was counted."),
        ),
        "pod-oom-killed": Sentences(
            supports=Text("It was not killed for memory."),
            opposes=Text("It was killed for memory, it did not crash by itself."),
        ),
        "event-refused": Sentences(supports=Text("The kubelet was refused: the listener is gone.")),
        "event-reset": Sentences(
            supports=Text("Nothing was reset: whoever closed did it in order."),
            opposes=Text("Connections were reset, which a panic in a handler does not do."),
        ),
        "event-eof": Sentences(
            supports=Text("The server accepted and closed without an answer, as a panic in a handler makes it.")
        ),
        "event-backoff": Sentences(supports=Text("The kubelet waits longer and longer before the next start.")),
        "pod-waiting": Sentences(supports=Text("The container waits to be started again.")),
        "kubelet-liveness-failing": Sentences(
            supports=Text("It was not ended by the liveness probe."),
            opposes=Text("The liveness probe failed before, so it may have been ended from outside."),
        ),
        "event-startup-kill": Sentences(
            supports=Text("It was not ended by the startup probe."),
            opposes=Text("The kubelet ended it because of the startup probe."),
        ),
        "event-liveness-kill": Sentences(
            supports=Text("The kubelet did not end it."),
            opposes=Text("The kubelet ended it because of liveness."),
        ),
        "live-refused": Sentences(supports=Text("A connection tried just now was refused.")),
        "pod-image-waits": Sentences(
            supports=Text("No container waits for its image."),
            opposes=Text("The container waits for its image: no process could crash."),
        ),
        "pod-settings-missing": Sentences(
            supports=Text("Its settings are complete."),
            opposes=Text("What its settings name is not there: no process could crash."),
        ),
        "pod-start-fails": Sentences(
            supports=Text("The runtime could start it."),
            opposes=Text("The runtime could not start it: no process could crash."),
        ),
        "pod-says-bad-settings": Sentences(
            supports=Text("Its last words do not blame its configuration."),
            opposes=Text("Its last words blame its configuration, which is more exact."),
        ),
        "pod-evicted": Sentences(
            supports=Text("It was not evicted."),
            opposes=Text("It was evicted, which ended it from outside."),
        ),
    },
    exclusions=(
        Exclusion(when={"live-unreachable": True}, sentence=Text("There is no route, so nobody was asked.")),
        Exclusion(when={"live-tls-untrusted": True}, sentence=Text("The certificate was not accepted; it answers.")),
        Exclusion(
            when={"event-image-pull": True, "event-backoff": False},
            sentence=Text("The container waits for its image: no process could crash."),
        ),
        Exclusion(
            when={"pod-crashed": False, "pod-restarted": False, "probe-dropped-by-app": False},
            sentence=Text("No container ended with an error, none restarted, and no connection was dropped."),
        ),
    ),
    next_steps=(
        Text("kubectl -n <ns> logs <pod> --previous --tail=200"),
        Text("kubectl -n <ns> get pod <pod> -o jsonpath='{.status.containerStatuses[*].lastState.terminated}'"),
        Text("If the failure began with a release: kubectl -n <ns> rollout undo deployment/<name>"),
    ),
    references=("https://kubernetes.io/docs/tasks/debug/debug-application/debug-running-pod/",),
)
