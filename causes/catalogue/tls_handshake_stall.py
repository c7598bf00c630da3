"""TCP connects, the TLS handshake does not finish."""

from causes.cause import Cause, Exclusion, Sentences, Symptom, Term
from domain.text import Text

CAUSE = Cause(
    slug="tls-handshake-stall",
    layer="network",
    title=Text("TLS handshake stalls"),
    symptoms=frozenset({Symptom.PROBE}),
    prior=-1.9,
    weights_from=(
        "Measured on the blackbox exporter: connect stays 0 until the timeout for https while a tcp module passes."
    ),
    needs=frozenset({"probe-transport-timeout", "event-tls-timeout", "live-tls-fails"}),
    terms=(
        Term("probe-transport-timeout", supports=2.2, opposes=-2.0),
        Term("probe-https", supports=0.4, opposes=-4.0),
        Term("probe-tcp-passes", supports=2.6, opposes=-2.5),
        Term("event-deadline", supports=0.5),
        Term("event-dial-timeout", supports=0.4),
        Term("event-tls-timeout", supports=2.6),
        Term("live-tls-fails", supports=0.6, opposes=-0.8),
        Term("live-tcp-connects", supports=1.0, opposes=-1.5),
    ),
    sentences={
        "probe-transport-timeout": Sentences(
            supports=Text("No usable connection until the timeout."),
            opposes=Text("Connections were made or refused at once."),
        ),
        "probe-https": Sentences(
            supports=Text("The target is https."),
            opposes=Text("The target is not https."),
        ),
        "probe-tcp-passes": Sentences(
            supports=Text("TCP to the same port passes, so what stalls comes after it."),
            opposes=Text("TCP fails as well, so it is not the handshake."),
        ),
        "event-deadline": Sentences(
            supports=Text(
                "The kubelet waited for headers in vain, which a dropped packet, a TLS stall and a blocked handler all "
                "look like."
            )
        ),
        "event-dial-timeout": Sentences(supports=Text("The kubelet could not connect in time either.")),
        "event-tls-timeout": Sentences(supports=Text("The kubelet says so itself: the TLS handshake did not finish.")),
        "live-tls-fails": Sentences(
            supports=Text("A handshake tried just now failed too."),
            opposes=Text("A handshake tried just now succeeded."),
        ),
        "live-tcp-connects": Sentences(
            supports=Text("TCP connects now, so what stalls comes after it."),
            opposes=Text("TCP does not connect, so it is not the handshake."),
        ),
    },
    exclusions=(
        Exclusion(
            when={"event-exec-timeout": True, "event-deadline": False, "event-dial-timeout": False},
            sentence=Text("The probe is a command in the container, which asks no port."),
        ),
        Exclusion(
            when={"spec-only-exec": True, "event-deadline": True},
            sentence=Text("The probe is a command in the container, which asks no port."),
        ),
        Exclusion(
            when={"probe-https": False},
            sentence=Text("The target is not https."),
        ),
        Exclusion(
            when={"probe-refused": True, "probe-transport-timeout": False},
            sentence=Text("Refused at once, before any handshake."),
        ),
    ),
    next_steps=(
        Text("openssl s_client -connect <host>:<port> -servername <host> </dev/null"),
        Text("curl -v --connect-timeout 5 https://<host>:<port>/"),
    ),
    references=(
        "https://github.com/prometheus/blackbox_exporter",
        "https://www.rfc-editor.org/rfc/rfc8446",
    ),
)
