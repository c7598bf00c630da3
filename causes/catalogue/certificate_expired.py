"""The certificate that the server shows has run out."""

from causes.cause import Cause, Condition, Exclusion, Sentences, Symptom, Term
from domain.text import Text

CAUSE = Cause(
    slug="certificate-expired",
    layer="network",
    title=Text("The certificate has expired"),
    symptoms=frozenset({Symptom.PROBE}),
    prior=-2.0,
    weights_from=(
        "The verifier's own words (Go's crypto/x509, OpenSSL's X509_verify_cert) name one kind of fault each, and "
        "the date "
        "on the last certificate is a fact; the rest is judgement."
    ),
    narrows="tls-trust-or-scheme",
    needs=frozenset({"live-cert-expired", "probe-cert-expired"}),
    terms=(
        Term("live-cert-expired", supports=3.8),
        Term("probe-cert-expired", supports=3.4, opposes=-2.0),
        Term("probe-https", supports=0.4),
        Term("probe-recovered-fast", supports=0.2, opposes=-1.0, when=Condition.NOT_SEEN),
        Term("probe-redirect-failed", supports=1.0),
    ),
    sentences={
        "live-cert-expired": Sentences(supports=Text("The verifier says that the certificate has expired.")),
        "probe-cert-expired": Sentences(
            supports=Text("The date on the last certificate that was seen had passed when the probes began to fail."),
            opposes=Text("The last certificate that was seen was still valid."),
        ),
        "probe-https": Sentences(supports=Text("The target is https.")),
        "probe-recovered-fast": Sentences(
            supports=Text("It did not heal by itself."),
            opposes=Text("It healed by itself, which a certificate does not."),
        ),
        "probe-redirect-failed": Sentences(
            supports=Text("The target sends its callers on to another address, whose certificate is asked then.")
        ),
    },
    exclusions=(
        Exclusion(when={"live-cert-not-yet-valid": True}, sentence=Text("The verifier says that it is not valid yet.")),
        Exclusion(when={"live-cert-wrong-name": True}, sentence=Text("The verifier says that it is for another name.")),
        Exclusion(
            when={"live-cert-unknown-authority": True},
            sentence=Text("The verifier says that its authority is unknown."),
        ),
        Exclusion(
            when={"probe-cert-expired": False, "live-cert-expired": False},
            sentence=Text("The certificate was still valid."),
        ),
    ),
    next_steps=(
        Text(
            "openssl s_client -connect <host>:<port> -servername <host> </dev/null 2>/dev/null | openssl x509 "
            "-noout -subject -issuer -dates -ext subjectAltName"
        ),
        Text("(probe_ssl_earliest_cert_expiry - time()) / 86400"),
        Text("Renew it, and see why the renewal did not run: kubectl get certificate,certificaterequest,order -A"),
    ),
    references=(
        "https://pkg.go.dev/crypto/x509#Certificate.Verify",
        "https://cert-manager.io/docs/troubleshooting/",
    ),
)
