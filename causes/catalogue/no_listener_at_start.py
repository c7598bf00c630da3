"""The port was not bound yet when the first probes came."""

from causes.cause import Cause, Condition, Exclusion, Symptom, Term
from domain.text import Text

CAUSE = Cause(
    slug="no-listener-at-start",
    layer="start",
    title=Text("No listener yet at start"),
    symptoms=frozenset({Symptom.PROBE}),
    prior=-1.8,
    needs=frozenset({"probe-refused", "event-refused"}),
    terms=(
        Term("probe-refused", 1.8, Text("Refused at once: the host is there, nothing listens on the port."),
             -1.8, Text("Nothing was refused.")),
        Term("pod-young", 2.0, Text("The failures fall into the first moments of the container's life."),
             -2.0, Text("The container had been running for long.")),
        Term("probe-recovered-fast", 0.8, Text("It went away by itself."),
             -0.6, Text("It did not go away by itself.")),
        Term("pod-crashed", 0.6, Text("Nothing crashed."),
             -2.2, Text("The container crashed, so the listener was lost."), condition=Condition.NOT_SEEN),
        Term("kubelet-readiness-failing", 0.4, Text("The kubelet's readiness probe saw it too.")),
        Term("kubelet-startup-failing", 0.4, Text("The startup probe saw it too."), group="kubelet-readiness-failing"),
        Term("pod-restarted", 0.2, Text("It was not restarted."),
             -3.0, Text("It was restarted meanwhile, and that is why nobody listened."), condition=Condition.NOT_SEEN),
        Term("event-refused", 1.8, Text("The kubelet was refused at once as well.")),
        Term("pod-recovered-after-start", 2.0, Text("Failures come only in the first moments after each start.")),
        Term("probe-status-unavailable", 0.2, Text("Nobody answered that it is not ready."),
             -2.5, Text("It answers that it is not ready, so somebody listens."), condition=Condition.NOT_SEEN),
        Term("event-status-unavailable", 0.2, Text("The kubelet got no such answer."),
             -2.5, Text("The kubelet was told that it is not ready, so somebody listens."), condition=Condition.NOT_SEEN),
        Term("pod-oom-killed", 0.1, Text("It was not killed for memory."),
             -2.5, Text("It was killed for memory, and that is why nobody listened."), condition=Condition.NOT_SEEN),
        Term("event-deadline", 0.1, Text("Nobody waited for headers in vain."),
             -2.2, Text("Other probes ran into their time limit, which a missing listener does not cause."), condition=Condition.NOT_SEEN),
        Term("spec-port-not-declared", 0.1, Text("The probed port is a declared one."),
             -1.5, Text("The probed port is none of the declared ones, so nobody may ever listen there."), condition=Condition.NOT_SEEN),
        Term("live-refused", 1.2, Text("A connection tried just now was refused.")),
    ),
    exclusions=(
        Exclusion("pod-young", Text("The container was long past its start."), seen=False, also=(("pod-recovered-after-start", False),)),
        Exclusion("pod-being-deleted", Text("The pod was on its way out, not starting."), also=(("pod-young", False),)),
    ),
    next_steps=(
        Text("kubectl -n <ns> get events --field-selector involvedObject.name=<pod> --sort-by=.lastTimestamp"),
        Text("Add a startupProbe: budget = initialDelaySeconds + failureThreshold x periodSeconds above the measured start."),
        Text("Bind the port only when the service can serve, and keep readiness false until then."),
    ),
    references=("https://kubernetes.io/docs/concepts/configuration/liveness-readiness-startup-probes/",),
    weights_from="Recorded fault (a process that listened 30 s after its start): refused in the first moments, then clean.",
)  # fmt: skip
