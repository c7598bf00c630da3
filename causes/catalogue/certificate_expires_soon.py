"""Nothing fails yet: the certificate will run out within days."""

from causes.cause import Cause, Condition, Exclusion, Sentences, Symptom, Term
from domain.text import Text

CAUSE = Cause(
    slug="certificate-expires-soon",
    layer="network",
    title=Text("The certificate expires soon"),
    symptoms=frozenset({Symptom.PROBE}),
    prior=-2.0,
    weights_from="The date on the certificate is a fact; that nothing else fails is needed. The limits are judgement.",
    needs=frozenset({"probe-cert-expires-soon"}),
    terms=(
        Term("probe-cert-expires-soon", supports=1.8, opposes=-2.0),
        Term("probe-refused", supports=0.7, opposes=-2.0, when=Condition.NOT_SEEN),
        Term("probe-transport-timeout", supports=0.7, opposes=-2.0, when=Condition.NOT_SEEN),
        Term("probe-status-error", supports=0.7, opposes=-2.0, when=Condition.NOT_SEEN),
    ),
    sentences={
        "probe-cert-expires-soon": Sentences(
            supports=Text("The certificate runs out within the limit of the usual alerts."),
            opposes=Text("The certificate is valid for long."),
        ),
        "probe-refused": Sentences(
            supports=Text("No probe is refused."), opposes=Text("Probes are refused, so something else is wrong now.")
        ),
        "probe-transport-timeout": Sentences(
            supports=Text("No probe waits in vain."),
            opposes=Text("Probes wait in vain, so something else is wrong now."),
        ),
        "probe-status-error": Sentences(
            supports=Text("No probe is answered with an error."),
            opposes=Text("Probes are answered with errors, so something else is wrong now."),
        ),
    },
    exclusions=(
        Exclusion(
            when={"probe-cert-expires-soon": False}, sentence=Text("The certificate is valid for long, or has expired.")
        ),
    ),
    next_steps=(
        Text("(probe_ssl_earliest_cert_expiry - time()) / 86400"),
        Text("Renew it now; see why the renewal did not run: kubectl get certificate,certificaterequest,order -A"),
    ),
    references=(
        "https://github.com/prometheus/blackbox_exporter",
        "https://letsencrypt.org/docs/integration-guide/#when-to-renew",
    ),
)
