"""The two sides do not agree on TLS: scheme, version, authority, name or certificate do not fit."""

from causes.cause import Cause, Condition, Exclusion, Sentences, Symptom, Term
from domain.text import Text

# Each of these is a cause of its own.
CERTIFICATE_FAULTS = (
    "live-cert-expired", "live-cert-not-yet-valid", "live-cert-wrong-name", "live-cert-unknown-authority",
    "probe-cert-expired",
)  # fmt: skip

CAUSE = Cause(
    slug="tls-trust-or-scheme",
    layer="network",
    title=Text("TLS trust or scheme does not fit"),
    symptoms=frozenset({Symptom.PROBE}),
    prior=-2.0,
    weights_from=(
        "The kubelet's and Go's own messages, measured with old and new Go; the kubelet itself does not check "
        "certificates, so trust errors come from other observers. The rest is judgement."
    ),
    needs=frozenset(
        {
            "event-scheme-mismatch",
            "event-tls-trust",
            "event-tls-refused",
            "event-tls-version",
            "probe-refused",
            "live-tls-fails",
            "live-tls-untrusted",
            "live-scheme-mismatch",
            "probe-redirect-failed",
        }
    ),
    terms=(
        Term("event-scheme-mismatch", supports=3.6),
        Term("event-tls-trust", supports=3.6),
        Term("event-tls-refused", supports=3.2),
        Term("event-tls-wants-certificate", supports=3.6),
        Term("event-tls-unknown-name", supports=3.6),
        Term("event-tls-version", supports=3.6),
        Term("live-tls-untrusted", supports=3.6),
        Term("live-scheme-mismatch", supports=3.6),
        Term("live-tls-fails", supports=1.2, opposes=-1.0, group="scheme"),
        Term("probe-redirect-failed", supports=1.0),
        Term("probe-https", supports=0.4, opposes=-0.4),
        Term("probe-refused", supports=1.0),
        Term("probe-tcp-passes", supports=2.0, opposes=-1.5),
        Term("event-eof", supports=0.6),
        Term("pod-restarted", supports=0.2, opposes=-0.6, when=Condition.NOT_SEEN),
        Term("probe-recovered-fast", supports=0.3, opposes=-1.0, when=Condition.NOT_SEEN),
    ),
    sentences={
        "event-scheme-mismatch": Sentences(supports=Text("One side speaks TLS and the other plain HTTP.")),
        "event-tls-trust": Sentences(supports=Text("The certificate was not accepted.")),
        "event-tls-refused": Sentences(supports=Text("The server answered the handshake with an alert of TLS.")),
        "event-tls-wants-certificate": Sentences(
            supports=Text("The server wants a client certificate; the kubelet's probes have none.")
        ),
        "event-tls-unknown-name": Sentences(
            supports=Text("The server knows no such name; the kubelet asks by the pod's address or the probe's host.")
        ),
        "event-tls-version": Sentences(supports=Text("The two sides have no version of TLS in common.")),
        "live-tls-untrusted": Sentences(supports=Text("The certificate was not accepted.")),
        "live-scheme-mismatch": Sentences(supports=Text("One side speaks TLS and the other plain HTTP.")),
        "probe-redirect-failed": Sentences(
            supports=Text("The target sends its callers on to another address, and the way there failed at once.")
        ),
        "live-tls-fails": Sentences(
            supports=Text("A handshake tried just now failed."),
            opposes=Text("A handshake tried just now succeeded."),
        ),
        "probe-https": Sentences(
            supports=Text("The target is https."),
            opposes=Text("The target is plain http."),
        ),
        "probe-refused": Sentences(
            supports=Text("The probe ended at once without a usable connection, as a failed handshake does.")
        ),
        "probe-tcp-passes": Sentences(
            supports=Text("TCP to the same port passes, so it was the handshake that failed at once."),
            opposes=Text("TCP fails as well."),
        ),
        "event-eof": Sentences(supports=Text("The connection was closed without an answer.")),
        "pod-restarted": Sentences(
            supports=Text("Nothing was restarted."),
            opposes=Text("It was restarted meanwhile."),
        ),
        "probe-recovered-fast": Sentences(
            supports=Text("It did not heal by itself."),
            opposes=Text("It healed by itself, which a certificate or a scheme does not."),
        ),
    },
    exclusions=(
        *(
            Exclusion(when={measure: True}, sentence=Text("The verifier says what is wrong with the certificate."))
            for measure in CERTIFICATE_FAULTS
        ),
        Exclusion(
            when={"probe-transport-timeout": True, "event-scheme-mismatch": False, "event-tls-trust": False},
            sentence=Text("The probe ran into its timeout; a wrong scheme or certificate is answered at once."),
        ),
    ),
    next_steps=(
        Text(
            "openssl s_client -connect <host>:<port> -servername <host> </dev/null 2>/dev/null | openssl x509 -noout "
            "-dates -issuer -ext subjectAltName"
        ),
        Text("kubectl -n <ns> get pod <pod> -o yaml | grep -B2 -A6 'scheme:'"),
        Text("probe_ssl_earliest_cert_expiry - time()"),
    ),
    references=(
        "https://kubernetes.io/docs/tasks/configure-pod-container/configure-liveness-readiness-startup-probes/#http-probes",
        "https://www.rfc-editor.org/rfc/rfc8446",
    ),
)
