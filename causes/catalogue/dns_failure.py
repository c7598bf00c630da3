"""The probed name does not resolve."""

from causes.cause import Cause, Exclusion, Symptom, Term
from domain.text import Text

CAUSE = Cause(
    slug="dns-failure",
    layer="network",
    title=Text("Name does not resolve"),
    symptoms=frozenset({Symptom.PROBE}),
    prior=-2.0,
    terms=(
        Term("probe-dns-absent", 3.8, Text("No phase beyond the lookup was reached: the name did not resolve."),
             -3.0, Text("The name resolved.")),
        Term("probe-peers-fail", 0.4, Text("Other names fail as well.")),
        Term("event-dns", 3.4, Text("The kubelet says that the lookup failed.")),
    ),
    exclusions=(
        Exclusion("probe-dns-absent", Text("The name resolved."), seen=False, also=(("event-dns", False),)),
    ),
    next_steps=(
        Text("dig +tries=1 +time=2 <host> @<resolver>"),
        Text("kubectl -n kube-system logs -l k8s-app=kube-dns --tail=100"),
        Text("sum by (rcode) (rate(coredns_dns_responses_total[5m]))"),
    ),
    references=("https://kubernetes.io/docs/tasks/administer-cluster/dns-debugging-resolution/",),
    weights_from="Measured on the blackbox exporter: the phases are absent only when the name does not resolve.",
)  # fmt: skip
