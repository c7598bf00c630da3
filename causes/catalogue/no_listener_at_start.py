"""The port was not bound yet when the first probes came."""

from causes.cause import Cause, Condition, Exclusion, Sentences, Symptom, Term
from domain.text import Text

CAUSE = Cause(
    slug="no-listener-at-start",
    layer="start",
    title=Text("No listener yet at start"),
    symptoms=frozenset({Symptom.PROBE}),
    prior=-1.8,
    weights_from=(
        "Recorded fault (a process that listened 30 s after its start): refused in the first moments, then clean."
    ),
    needs=frozenset({"probe-refused", "event-refused"}),
    terms=(
        Term("probe-refused", supports=1.8, opposes=-1.8),
        Term("pod-young", supports=2.0, opposes=-2.0),
        Term("probe-recovered-fast", supports=0.8, opposes=-0.6),
        Term("pod-crashed", supports=0.6, opposes=-2.2, when=Condition.NOT_SEEN),
        Term("kubelet-readiness-failing", supports=0.4),
        Term("kubelet-startup-failing", supports=0.4, group="kubelet-readiness-failing"),
        Term("pod-restarted", supports=0.2, opposes=-3.0, when=Condition.NOT_SEEN),
        Term("event-refused", supports=1.8),
        Term("pod-recovered-after-start", supports=2.0),
        Term("probe-status-unavailable", supports=0.2, opposes=-2.5, when=Condition.NOT_SEEN),
        Term("event-status-unavailable", supports=0.2, opposes=-2.5, when=Condition.NOT_SEEN),
        Term("pod-oom-killed", supports=0.1, opposes=-2.5, when=Condition.NOT_SEEN),
        Term("event-deadline", supports=0.1, opposes=-2.2, when=Condition.NOT_SEEN),
        Term("spec-port-not-declared", supports=0.1, opposes=-1.5, when=Condition.NOT_SEEN),
        Term("live-refused", supports=1.2),
    ),
    sentences={
        "probe-refused": Sentences(
            supports=Text("Refused at once: the host is there, nothing listens on the port."),
            opposes=Text("Nothing was refused."),
        ),
        "pod-young": Sentences(
            supports=Text("The failures fall into the first moments of the container's life."),
            opposes=Text("The container had been running for long."),
        ),
        "probe-recovered-fast": Sentences(
            supports=Text("It went away by itself."),
            opposes=Text("It did not go away by itself."),
        ),
        "pod-crashed": Sentences(
            supports=Text("Nothing crashed."),
            opposes=Text("The container crashed, so the listener was lost."),
        ),
        "kubelet-readiness-failing": Sentences(supports=Text("The kubelet's readiness probe saw it too.")),
        "kubelet-startup-failing": Sentences(supports=Text("The startup probe saw it too.")),
        "pod-restarted": Sentences(
            supports=Text("It was not restarted."),
            opposes=Text("It was restarted meanwhile, and that is why nobody listened."),
        ),
        "event-refused": Sentences(supports=Text("The kubelet was refused at once as well.")),
        "pod-recovered-after-start": Sentences(
            supports=Text("Failures come only in the first moments after each start.")
        ),
        "probe-status-unavailable": Sentences(
            supports=Text("Nobody answered that it is not ready."),
            opposes=Text("It answers that it is not ready, so somebody listens."),
        ),
        "event-status-unavailable": Sentences(
            supports=Text("The kubelet got no such answer."),
            opposes=Text("The kubelet was told that it is not ready, so somebody listens."),
        ),
        "pod-oom-killed": Sentences(
            supports=Text("It was not killed for memory."),
            opposes=Text("It was killed for memory, and that is why nobody listened."),
        ),
        "event-deadline": Sentences(
            supports=Text("Nobody waited for headers in vain."),
            opposes=Text("Other probes ran into their time limit, which a missing listener does not cause."),
        ),
        "spec-port-not-declared": Sentences(
            supports=Text("The probed port is a declared one."),
            opposes=Text("The probed port is none of the declared ones, so nobody may ever listen there."),
        ),
        "live-refused": Sentences(supports=Text("A connection tried just now was refused.")),
    },
    exclusions=(
        Exclusion(when={"live-unreachable": True}, sentence=Text("There is no route, so nobody was asked.")),
        Exclusion(when={"live-tls-untrusted": True}, sentence=Text("The certificate was not accepted; it answers.")),
        Exclusion(
            when={"spec-port-not-declared": True, "pod-recovered-after-start": False},
            sentence=Text("The probed port is none of the declared ones, and no listener came there."),
        ),
        Exclusion(
            when={"pod-young": False, "pod-recovered-after-start": False},
            sentence=Text("The container was long past its start."),
        ),
        Exclusion(
            when={"event-liveness-kill": True, "spec-no-startup-probe": True, "pod-not-started": True},
            sentence=Text("Liveness ended it before it was ever ready: it was given no time to listen."),
        ),
        Exclusion(
            when={"pod-being-deleted": True, "pod-young": False},
            sentence=Text("The pod was on its way out, not starting."),
        ),
    ),
    next_steps=(
        Text("kubectl -n <ns> get events --field-selector involvedObject.name=<pod> --sort-by=.lastTimestamp"),
        Text(
            "Add a startupProbe: budget = initialDelaySeconds + failureThreshold x periodSeconds above the measured "
            "start."
        ),
        Text("Bind the port only when the service can serve, and keep readiness false until then."),
    ),
    references=("https://kubernetes.io/docs/concepts/configuration/liveness-readiness-startup-probes/",),
)
