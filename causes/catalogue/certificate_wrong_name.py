"""The certificate is for other names than the one that was asked for."""

from causes.cause import Cause, Condition, Exclusion, Sentences, Symptom, Term
from domain.text import Text

CAUSE = Cause(
    slug="certificate-wrong-name",
    layer="network",
    title=Text("The certificate is for another name"),
    symptoms=frozenset({Symptom.PROBE}),
    prior=-2.0,
    weights_from=(
        "The verifier's own words (Go's crypto/x509, OpenSSL's X509_verify_cert) name one kind of fault each; the "
        "rest is judgement."
    ),
    narrows="tls-trust-or-scheme",
    needs=frozenset({"live-cert-wrong-name"}),
    terms=(
        Term("live-cert-wrong-name", supports=3.8),
        Term("probe-https", supports=0.4),
        Term("probe-redirect-failed", supports=1.0),
        Term("probe-recovered-fast", supports=0.2, opposes=-1.0, when=Condition.NOT_SEEN),
    ),
    sentences={
        "live-cert-wrong-name": Sentences(supports=Text("The verifier says that the certificate is for other names.")),
        "probe-https": Sentences(supports=Text("The target is https.")),
        "probe-redirect-failed": Sentences(
            supports=Text("The target sends its callers on to another address, whose certificate is asked then.")
        ),
        "probe-recovered-fast": Sentences(
            supports=Text("It did not heal by itself."),
            opposes=Text("It healed by itself, which a certificate does not."),
        ),
    },
    exclusions=(Exclusion(when={"live-cert-wrong-name": False}, sentence=Text("The verifier does not say so.")),),
    next_steps=(
        Text(
            "openssl s_client -connect <host>:<port> -servername <host> </dev/null 2>/dev/null | openssl x509 "
            "-noout -subject -issuer -dates -ext subjectAltName"
        ),
        Text(
            "Does the router send this name to another server (SNI), or does the probe ask by address instead of "
            "by name?"
        ),
    ),
    references=(
        "https://pkg.go.dev/crypto/x509#Certificate.Verify",
        "https://www.rfc-editor.org/rfc/rfc6125",
    ),
)
