"""The process ended with an error and took its listener with it."""

from causes.cause import Cause, Condition, Exclusion, Symptom, Term
from domain.entities import EntityKind
from domain.text import Text

CAUSE = Cause(
    slug="handler-crash",
    layer="application",
    title=Text("The process or its handler crashed"),
    symptoms=frozenset({Symptom.PROBE}),
    prior=-1.8,
    needs=frozenset({"pod-crashed", "event-eof", "probe-dropped-by-app", "event-backoff", "pod-waiting"}),
    terms=(
        Term("pod-crashed", 3.0, Text("The container ended with an error of its own."),
             -2.0, Text("No container ended with an error."), group="crash"),
        Term("probe-refused", 0.8, Text("Refused at once: the listener is gone."),
             -0.4, Text("Nothing was refused.")),
        Term("probe-dropped-by-app", 2.2, Text("Connections were closed without an answer, as a panic in a handler does while the process lives on."), group="crash"),
        Term("pod-restarted", 0.8, Text("The container was restarted."),
             -0.4, Text("No restart was counted.")),
        Term("pod-oom-killed", 0.1, Text("It was not killed for memory."),
             -2.0, Text("It was killed for memory, it did not crash by itself."), condition=Condition.NOT_SEEN),
        Term("event-refused", 0.8, Text("The kubelet was refused: the listener is gone.")),
        Term("event-reset", 0.2, Text("Nothing was reset: whoever closed did it in order."),
             -1.0, Text("Connections were reset, which a panic in a handler does not do."), condition=Condition.NOT_SEEN),
        Term("event-eof", 3.4, Text("The server accepted and closed without an answer, as a panic in a handler makes it."), group="crash"),
        Term("event-backoff", 0.8, Text("The kubelet waits longer and longer before the next start.")),
        Term("pod-waiting", 0.8, Text("The container waits to be started again.")),
        Term("kubelet-liveness-failing", 0.2, Text("It was not ended by the liveness probe."),
             -0.8, Text("The liveness probe failed before, so it may have been ended from outside."), condition=Condition.NOT_SEEN),
        Term("event-startup-kill", 0.1, Text("It was not ended by the startup probe."),
             -2.5, Text("The kubelet ended it because of the startup probe."), condition=Condition.NOT_SEEN, group="killed"),
        Term("event-liveness-kill", 0.1, Text("The kubelet did not end it."),
             -2.0, Text("The kubelet ended it because of liveness."), condition=Condition.NOT_SEEN, group="killed"),
        Term("live-refused", 0.6, Text("A connection tried just now was refused.")),
    ),
    exclusions=(
        Exclusion("pod-crashed", Text("No container ended with an error, none restarted, and no connection was dropped."), seen=False, also=(("pod-restarted", False), ("probe-dropped-by-app", False))),
    ),
    next_steps=(
        Text("kubectl -n <ns> logs <pod> --previous --tail=200"),
        Text("kubectl -n <ns> get pod <pod> -o jsonpath='{.status.containerStatuses[*].lastState.terminated}'"),
        Text("If the failure began with a release: kubectl -n <ns> rollout undo deployment/<name>"),
    ),
    references=("https://kubernetes.io/docs/tasks/debug/debug-application/debug-running-pod/",),
    weights_from="Exit codes are statements of the runtime; the rest is judgement.",
    may_follow=frozenset({EntityKind.HOST, EntityKind.WORKLOAD}),
)  # fmt: skip
