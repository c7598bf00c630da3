"""The probed name does not resolve."""

from causes.cause import Cause, Exclusion, Sentences, Symptom, Term
from domain.text import Text

CAUSE = Cause(
    slug="dns-failure",
    layer="network",
    title=Text("Name does not resolve"),
    symptoms=frozenset({Symptom.PROBE}),
    prior=-2.0,
    weights_from="Measured on the blackbox exporter: the phases are absent only when the name does not resolve.",
    terms=(
        Term("probe-dns-absent", supports=3.8, opposes=-3.0),
        Term("probe-peers-fail", supports=0.4),
        Term("event-dns", supports=3.4),
    ),
    sentences={
        "probe-dns-absent": Sentences(
            supports=Text("No phase beyond the lookup was reached: the name did not resolve."),
            opposes=Text("The name resolved."),
        ),
        "probe-peers-fail": Sentences(supports=Text("Other names fail as well.")),
        "event-dns": Sentences(supports=Text("The kubelet says that the lookup failed.")),
    },
    exclusions=(
        Exclusion(
            when={"probe-dns-absent": False, "event-dns": False},
            sentence=Text("The name resolved."),
        ),
    ),
    next_steps=(
        Text("dig +tries=1 +time=2 <host> @<resolver>"),
        Text("kubectl -n kube-system logs -l k8s-app=kube-dns --tail=100"),
        Text("sum by (rcode) (rate(coredns_dns_responses_total[5m]))"),
    ),
    references=("https://kubernetes.io/docs/tasks/administer-cluster/dns-debugging-resolution/",),
)
