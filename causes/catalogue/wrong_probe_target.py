"""The probe asks the wrong path, port or scheme, or without the credentials the route wants."""

from causes.cause import Cause, Condition, Exclusion, Sentences, Symptom, Term
from domain.text import Text

CAUSE = Cause(
    slug="wrong-probe-target",
    layer="probe settings",
    title=Text("The probe asks the wrong target"),
    symptoms=frozenset({Symptom.PROBE}),
    prior=-2.0,
    weights_from="Status codes are the application's own answer; weights are judgement.",
    needs=frozenset(
        {
            "probe-status-missing",
            "event-status-missing",
            "probe-status-auth",
            "event-status-auth",
            "probe-status-error",
            "event-status-code",
            "spec-port-not-declared",
            "probe-refused",
            "event-refused",
            "event-grpc-unimplemented",
            "event-http2-cleartext",
            "event-exec-missing",
            "probe-content-mismatch",
            "event-says-denied",
            "event-probe-invalid",
            "event-not-http",
            "event-grpc-unknown-service",
            "event-grpc-connect",
        }
    ),
    terms=(
        Term("probe-status-error", supports=0.4, opposes=-0.4),
        Term("probe-recovered-fast", supports=0.8, opposes=-1.5, when=Condition.NOT_SEEN),
        Term("pod-not-started", supports=0.8),
        Term("probe-refused", supports=0.6),
        Term("pod-crashed", supports=0.4, opposes=-1.0, when=Condition.NOT_SEEN),
        Term("probe-status-missing", supports=2.8),
        Term("event-status-missing", supports=2.8),
        Term("probe-status-auth", supports=2.8),
        Term("event-status-auth", supports=2.8),
        Term("event-status-code", supports=0.4),
        Term("probe-status-unavailable", supports=0.1, opposes=-1.8, when=Condition.NOT_SEEN, group="unavailable"),
        Term("event-status-unavailable", supports=0.1, opposes=-1.8, when=Condition.NOT_SEEN, group="unavailable"),
        Term("spec-port-not-declared", supports=2.2, opposes=-0.6),
        Term("event-grpc-unimplemented", supports=3.0),
        Term("event-http2-cleartext", supports=3.2),
        Term("event-exec-missing", supports=3.2),
        Term("event-refused", supports=0.6),
        Term("pod-restarted", supports=0.1, opposes=-0.8, when=Condition.NOT_SEEN),
        Term("probe-content-mismatch", supports=1.2),
        Term("live-refused", supports=0.6),
        Term("change-guilty", supports=1.2),
        Term("rollout-changed-probe", supports=1.4),
        Term("event-grpc-connect", supports=1.4),
        Term("event-says-denied", supports=2.6),
        Term("event-probe-invalid", supports=3.4),
        Term("event-not-http", supports=3.0),
        Term("event-grpc-unknown-service", supports=3.0),
        Term("event-status-bad-gateway", supports=0.1, opposes=-1.8, when=Condition.NOT_SEEN, group="own answers"),
        Term("event-status-gateway-late", supports=0.1, opposes=-1.8, when=Condition.NOT_SEEN, group="own answers"),
        Term("event-status-limited", supports=0.1, opposes=-1.8, when=Condition.NOT_SEEN, group="own answers"),
    ),
    sentences={
        "probe-status-error": Sentences(
            supports=Text("The application answered, and said no (status {value})."),
            opposes=Text("No error status was seen."),
        ),
        "probe-recovered-fast": Sentences(
            supports=Text("A wrong setting does not heal by itself."),
            opposes=Text("It healed by itself, a wrong setting does not."),
        ),
        "pod-not-started": Sentences(supports=Text("The pod never became ready.")),
        "probe-refused": Sentences(supports=Text("Nothing listens on the port that is asked.")),
        "pod-crashed": Sentences(
            supports=Text("The process itself is fine."),
            opposes=Text("The process crashed."),
        ),
        "probe-status-missing": Sentences(supports=Text("404: the path does not exist.")),
        "event-status-missing": Sentences(supports=Text("The kubelet got 404: the path does not exist.")),
        "probe-status-auth": Sentences(
            supports=Text("401 or 403: the route wants credentials, which a probe has not.")
        ),
        "event-status-auth": Sentences(supports=Text("The kubelet got 401 or 403: the route wants credentials.")),
        "event-status-code": Sentences(supports=Text("The kubelet got an error status.")),
        "probe-status-unavailable": Sentences(
            supports=Text("It did not say that it is unavailable."),
            opposes=Text("503 says that the application knows the route and is not ready."),
        ),
        "event-status-unavailable": Sentences(
            supports=Text("The kubelet got no 503."),
            opposes=Text("503 says that the application knows the route and is not ready."),
        ),
        "spec-port-not-declared": Sentences(
            supports=Text("The probed port is none of the container's declared ports."),
            opposes=Text("The probed port is a declared one."),
        ),
        "event-grpc-unimplemented": Sentences(
            supports=Text("The server has no health service that a gRPC probe could ask.")
        ),
        "event-http2-cleartext": Sentences(
            supports=Text("The port speaks HTTP/2 without TLS, as gRPC does, and the probe asks by HTTP/1.1.")
        ),
        "event-exec-missing": Sentences(supports=Text("The container has no such command.")),
        "event-refused": Sentences(supports=Text("The kubelet was refused: nothing listens there.")),
        "pod-restarted": Sentences(
            supports=Text("Nothing was restarted."),
            opposes=Text("It was restarted meanwhile."),
        ),
        "probe-content-mismatch": Sentences(supports=Text("It answers 200, and not with what the probe expects.")),
        "live-refused": Sentences(supports=Text("A connection tried just now was refused.")),
        "event-says-denied": Sentences(supports=Text("The probe's login is refused, so it cannot see the health.")),
        "event-probe-invalid": Sentences(supports=Text("The kubelet cannot carry the probe out as it is written.")),
        "event-not-http": Sentences(supports=Text("What listens on the port speaks something else.")),
        "event-grpc-unknown-service": Sentences(supports=Text("The server has a health service, and not this name.")),
        "event-status-bad-gateway": Sentences(
            supports=Text("No proxy blamed the server behind it."),
            opposes=Text("502 blames the server behind a proxy: the route exists."),
        ),
        "event-status-gateway-late": Sentences(
            supports=Text("No proxy waited in vain."),
            opposes=Text("504 blames the server behind a proxy: the route exists."),
        ),
        "event-status-limited": Sentences(
            supports=Text("No rate limit turned it away."),
            opposes=Text("429 is a rate limit: the route exists."),
        ),
        "rollout-changed-probe": Sentences(supports=Text("The rollout changed how the container is probed.")),
        "event-grpc-connect": Sentences(supports=Text("The port accepts the connection and speaks no HTTP/2.")),
        "change-guilty": Sentences(supports=Text("It began with the rollout, which can have brought the setting.")),
    },
    exclusions=(
        Exclusion(when={"live-unreachable": True}, sentence=Text("There is no route, so nobody was asked.")),
        Exclusion(when={"live-tls-untrusted": True}, sentence=Text("The certificate was not accepted; it answers.")),
        Exclusion(
            when={"probe-app-silent": True, "probe-status-error": False},
            sentence=Text("The connection was made and no answer came: the target exists."),
        ),
        Exclusion(
            when={"probe-transport-timeout": True, "probe-status-error": False},
            sentence=Text("No connection was made until the timeout; a wrong path would be answered."),
        ),
    ),
    next_steps=(
        Text("kubectl -n <ns> get pod <pod> -o yaml | grep -A8 -E 'livenessProbe|readinessProbe|startupProbe'"),
        Text("kubectl -n <ns> exec <pod> -- wget -S -O- http://127.0.0.1:<port><path>"),
    ),
    references=("https://kubernetes.io/docs/concepts/configuration/liveness-readiness-startup-probes/",),
)
