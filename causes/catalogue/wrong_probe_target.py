"""The probe asks the wrong path, port or scheme, or without the credentials the route wants."""

from causes.cause import Cause, Condition, Exclusion, Symptom, Term
from domain.text import Text

CAUSE = Cause(
    slug="wrong-probe-target",
    layer="probe settings",
    title=Text("The probe asks the wrong target"),
    symptoms=frozenset({Symptom.PROBE}),
    prior=-2.0,
    needs=frozenset({"probe-status-missing", "event-status-missing", "probe-status-auth", "event-status-auth", "probe-status-error", "event-status-code", "spec-port-not-declared", "probe-refused", "event-refused", "event-grpc-unimplemented", "probe-content-mismatch"}),
    terms=(
        Term("probe-status-error", 0.4, Text("The application answered, and said no (status {value})."),
             -0.4, Text("No error status was seen.")),
        Term("probe-recovered-fast", 0.8, Text("A wrong setting does not heal by itself."),
             -1.5, Text("It healed by itself, a wrong setting does not."), condition=Condition.NOT_SEEN),
        Term("pod-not-started", 0.8, Text("The pod never became ready.")),
        Term("probe-refused", 0.6, Text("Nothing listens on the port that is asked.")),
        Term("pod-crashed", 0.4, Text("The process itself is fine."),
             -1.0, Text("The process crashed."), condition=Condition.NOT_SEEN),
        Term("probe-status-missing", 2.8, Text("404: the path does not exist.")),
        Term("event-status-missing", 2.8, Text("The kubelet got 404: the path does not exist.")),
        Term("probe-status-auth", 2.8, Text("401 or 403: the route wants credentials, which a probe has not.")),
        Term("event-status-auth", 2.8, Text("The kubelet got 401 or 403: the route wants credentials.")),
        Term("event-status-code", 0.4, Text("The kubelet got an error status.")),
        Term("probe-status-unavailable", 0.1, Text("It did not say that it is unavailable."),
             -1.8, Text("503 says that the application knows the route and is not ready."), condition=Condition.NOT_SEEN, group="unavailable"),
        Term("event-status-unavailable", 0.1, Text("The kubelet got no 503."),
             -1.8, Text("503 says that the application knows the route and is not ready."), condition=Condition.NOT_SEEN, group="unavailable"),
        Term("spec-port-not-declared", 2.2, Text("The probed port is none of the container's declared ports."),
             -0.6, Text("The probed port is a declared one.")),
        Term("event-grpc-unimplemented", 3.0, Text("The server has no health service that a gRPC probe could ask.")),
        Term("event-refused", 0.6, Text("The kubelet was refused: nothing listens there.")),
        Term("pod-restarted", 0.1, Text("Nothing was restarted."),
             -0.8, Text("It was restarted meanwhile."), condition=Condition.NOT_SEEN),
        Term("probe-content-mismatch", 1.2, Text("It answers 200, and not with what the probe expects.")),
        Term("live-refused", 0.6, Text("A connection tried just now was refused.")),
    ),
    exclusions=(
        Exclusion("probe-app-silent", Text("The connection was made and no answer came: the target exists."), also=(("probe-status-error", False),)),
        Exclusion("probe-transport-timeout", Text("No connection was made until the timeout; a wrong path would be answered."), also=(("probe-status-error", False),)),
    ),
    next_steps=(
        Text("kubectl -n <ns> get pod <pod> -o yaml | grep -A8 -E 'livenessProbe|readinessProbe|startupProbe'"),
        Text("kubectl -n <ns> exec <pod> -- wget -S -O- http://127.0.0.1:<port><path>"),
    ),
    references=("https://kubernetes.io/docs/concepts/configuration/liveness-readiness-startup-probes/",),
    weights_from="Status codes are the application's own answer; weights are judgement.",
)  # fmt: skip
