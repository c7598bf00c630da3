"""The certificate is signed by an authority that the observer does not know."""

from causes.cause import Cause, Condition, Exclusion, Sentences, Symptom, Term
from domain.text import Text

CAUSE = Cause(
    slug="certificate-unknown-authority",
    layer="network",
    title=Text("The certificate is from an unknown authority"),
    symptoms=frozenset({Symptom.PROBE}),
    prior=-2.0,
    weights_from=(
        "The verifier's own words (Go's crypto/x509, OpenSSL's X509_verify_cert) name one kind of fault each; the "
        "rest is judgement."
    ),
    narrows="tls-trust-or-scheme",
    needs=frozenset({"live-cert-unknown-authority"}),
    terms=(
        Term("live-cert-unknown-authority", supports=3.8),
        Term("probe-https", supports=0.4),
        Term("probe-redirect-failed", supports=1.0),
        Term("probe-recovered-fast", supports=0.2, opposes=-1.0, when=Condition.NOT_SEEN),
    ),
    sentences={
        "live-cert-unknown-authority": Sentences(
            supports=Text("The verifier says that it does not know who signed the certificate.")
        ),
        "probe-https": Sentences(supports=Text("The target is https.")),
        "probe-redirect-failed": Sentences(
            supports=Text("The target sends its callers on to another address, whose certificate is asked then.")
        ),
        "probe-recovered-fast": Sentences(
            supports=Text("It did not heal by itself."),
            opposes=Text("It healed by itself, which a certificate does not."),
        ),
    },
    exclusions=(
        Exclusion(when={"live-cert-unknown-authority": False}, sentence=Text("The verifier does not say so.")),
    ),
    next_steps=(
        Text(
            "openssl s_client -connect <host>:<port> -servername <host> </dev/null 2>/dev/null | openssl x509 "
            "-noout -subject -issuer -dates -ext subjectAltName"
        ),
        Text("Is the chain complete? openssl s_client -connect <host>:<port> -servername <host> -showcerts </dev/null"),
        Text(
            "Give the observer the authority's certificate (tls_config.ca_file of its module), or have the server "
            "show one from a known authority."
        ),
    ),
    references=(
        "https://pkg.go.dev/crypto/x509#Certificate.Verify",
        "https://github.com/prometheus/blackbox_exporter/blob/master/CONFIGURATION.md#tls_config",
    ),
)
