"""The certificate is valid only from a later time on, or a clock is behind."""

from causes.cause import Cause, Exclusion, Sentences, Symptom, Term
from domain.text import Text

CAUSE = Cause(
    slug="certificate-not-yet-valid",
    layer="network",
    title=Text("The certificate is not valid yet"),
    symptoms=frozenset({Symptom.PROBE}),
    prior=-2.0,
    weights_from=(
        "The verifier's own words (Go's crypto/x509, OpenSSL's X509_verify_cert) name one kind of fault each; the "
        "rest is judgement."
    ),
    narrows="tls-trust-or-scheme",
    needs=frozenset({"live-cert-not-yet-valid"}),
    terms=(
        Term("live-cert-not-yet-valid", supports=3.8),
        Term("clock-differs", supports=0.8),
        Term("probe-https", supports=0.4),
        Term("probe-redirect-failed", supports=1.0),
    ),
    sentences={
        "live-cert-not-yet-valid": Sentences(
            supports=Text("The verifier says that the certificate is valid only later.")
        ),
        "clock-differs": Sentences(
            supports=Text("A clock is off, and a certificate is judged by the clock of who asks.")
        ),
        "probe-https": Sentences(supports=Text("The target is https.")),
        "probe-redirect-failed": Sentences(
            supports=Text("The target sends its callers on to another address, whose certificate is asked then.")
        ),
    },
    exclusions=(Exclusion(when={"live-cert-not-yet-valid": False}, sentence=Text("The verifier does not say so.")),),
    next_steps=(
        Text(
            "openssl s_client -connect <host>:<port> -servername <host> </dev/null 2>/dev/null | openssl x509 "
            "-noout -subject -issuer -dates -ext subjectAltName"
        ),
        Text(
            "timedatectl show -p NTPSynchronized on the observer's host: a clock that is behind refuses a new "
            "certificate."
        ),
    ),
    references=("https://pkg.go.dev/crypto/x509#Certificate.Verify",),
)
