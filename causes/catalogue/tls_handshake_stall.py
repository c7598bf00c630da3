"""TCP connects, the TLS handshake does not finish."""

from causes.cause import Cause, Exclusion, Symptom, Term
from domain.text import Text

CAUSE = Cause(
    slug="tls-handshake-stall",
    layer="network",
    title=Text("TLS handshake stalls"),
    symptoms=frozenset({Symptom.PROBE}),
    prior=-1.9,
    needs=frozenset({"probe-transport-timeout", "event-tls-timeout", "live-tls-fails"}),
    terms=(
        Term("probe-transport-timeout", 2.2, Text("No usable connection until the timeout."),
             -2.0, Text("Connections were made or refused at once.")),
        Term("probe-https", 0.4, Text("The target is https."),
             -4.0, Text("The target is not https.")),
        Term("probe-tcp-passes", 2.6, Text("TCP to the same port passes, so what stalls comes after it."),
             -2.5, Text("TCP fails as well, so it is not the handshake.")),
        Term("event-deadline", 0.5, Text("The kubelet waited for headers in vain, which a dropped packet, a TLS stall and a blocked handler all look like.")),
        Term("event-dial-timeout", 0.4, Text("The kubelet could not connect in time either.")),
        Term("event-tls-timeout", 2.6, Text("The kubelet says so itself: the TLS handshake did not finish.")),
        Term("live-tls-fails", 0.6, Text("A handshake tried just now failed too."),
             -0.8, Text("A handshake tried just now succeeded.")),
        Term("live-tcp-connects", 1.0, Text("TCP connects now, so what stalls comes after it."),
             -1.5, Text("TCP does not connect, so it is not the handshake.")),
    ),
    exclusions=(
        Exclusion("probe-https", Text("The target is not https."), seen=False),
        Exclusion("probe-refused", Text("Refused at once, before any handshake."), also=(("probe-transport-timeout", False),)),
    ),
    next_steps=(
        Text("openssl s_client -connect <host>:<port> -servername <host> </dev/null"),
        Text("curl -v --connect-timeout 5 https://<host>:<port>/"),
    ),
    references=("https://github.com/prometheus/blackbox_exporter", "https://www.rfc-editor.org/rfc/rfc8446",),
    weights_from="Measured on the blackbox exporter: connect stays 0 until the timeout for https while a tcp module passes.",
)  # fmt: skip
