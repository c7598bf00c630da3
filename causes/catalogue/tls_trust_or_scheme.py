"""The two sides do not agree on TLS: wrong scheme, unknown authority, wrong name or an expired certificate."""

from causes.cause import Cause, Condition, Exclusion, Symptom, Term
from domain.text import Text

CAUSE = Cause(
    slug="tls-trust-or-scheme",
    layer="network",
    title=Text("TLS trust or scheme does not fit"),
    symptoms=frozenset({Symptom.PROBE}),
    prior=-2.0,
    needs=frozenset({"event-scheme-mismatch", "event-tls-trust", "probe-refused", "live-tls-fails"}),
    terms=(
        Term("event-scheme-mismatch", 3.6, Text("One side speaks TLS and the other plain HTTP.")),
        Term("event-tls-trust", 3.6, Text("The certificate was not accepted.")),
        Term("live-tls-fails", 1.2, Text("A handshake tried just now failed."),
             -1.0, Text("A handshake tried just now succeeded.")),
        Term("probe-https", 0.4, Text("The target is https."),
             -0.4, Text("The target is plain http.")),
        Term("probe-refused", 1.0, Text("The probe ended at once without a usable connection, as a failed handshake does.")),
        Term("probe-tcp-passes", 2.0, Text("TCP to the same port passes, so it was the handshake that failed at once."),
             -1.5, Text("TCP fails as well.")),
        Term("event-eof", 0.6, Text("The connection was closed without an answer.")),
        Term("pod-restarted", 0.2, Text("Nothing was restarted."),
             -0.6, Text("It was restarted meanwhile."), condition=Condition.NOT_SEEN),
        Term("probe-recovered-fast", 0.3, Text("It did not heal by itself."),
             -1.0, Text("It healed by itself, which a certificate or a scheme does not."), condition=Condition.NOT_SEEN),
    ),
    exclusions=(
        Exclusion("probe-transport-timeout", Text("The probe ran into its timeout; a wrong scheme or certificate is answered at once."), also=(("event-scheme-mismatch", False), ("event-tls-trust", False))),
    ),
    next_steps=(
        Text("openssl s_client -connect <host>:<port> -servername <host> </dev/null 2>/dev/null | openssl x509 -noout -dates -issuer -ext subjectAltName"),
        Text("kubectl -n <ns> get pod <pod> -o yaml | grep -B2 -A6 'scheme:'"),
        Text("probe_ssl_earliest_cert_expiry - time()"),
    ),
    references=("https://kubernetes.io/docs/tasks/configure-pod-container/configure-liveness-readiness-startup-probes/#http-probes", "https://www.rfc-editor.org/rfc/rfc8446"),
    weights_from="The kubelet's and Go's own messages, measured with old and new Go; the kubelet itself does not check certificates, so trust errors come from other observers. The rest is judgement.",
)  # fmt: skip
