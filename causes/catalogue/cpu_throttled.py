"""The CPU quota is used up, so everything in the container is late."""

from causes.cause import Cause, Condition, Exclusion, Symptom, Term
from domain.entities import EntityKind
from domain.text import Text

CAUSE = Cause(
    slug="cpu-throttled",
    layer="application",
    title=Text("CPU throttled"),
    symptoms=frozenset({Symptom.PROBE}),
    prior=-1.9,
    needs=frozenset({"cpu-throttled"}),
    terms=(
        Term("cpu-throttled", 3.0, Text("A large share of the periods was throttled."),
             -2.5, Text("The quota was not used up.")),
        Term("request-latency-high", 1.0, Text("Several routes were late, not only the probed one."),
             -0.4, Text("Other routes were on time.")),
        Term("probe-app-silent", 0.8, Text("The application answered too late.")),
        Term("event-headers-timeout", 1.6, Text("The kubelet connected and got no headers in time.")),
        Term("event-exec-timeout", 0.8, Text("The probe's command did not end in time.")),
        Term("event-deadline", 0.8, Text("The kubelet waited for headers in vain, which a dropped packet, a TLS stall and a blocked handler all look like.")),
        Term("kubelet-probe-near-timeout", 0.5, Text("Even successful probes came close to their time limit.")),
        Term("event-grpc-silent", 0.8, Text("The health call was not answered in time.")),
        Term("other-routes-slow", 1.0, Text("Other routes were slow as well."),
             -0.3, Text("Other routes were on time.")),
        Term("go-gc-cpu-high", 0.1, Text("It is not the garbage collector."),
             -2.0, Text("The garbage collector takes the CPU, which is more exact."), condition=Condition.NOT_SEEN),
        Term("probe-slow-success", 0.6, Text("Successful probes were slow.")),
    ),
    exclusions=(
        Exclusion("cpu-throttled", Text("The quota was not used up."), seen=False),
    ),
    next_steps=(
        Text('rate(container_cpu_cfs_throttled_periods_total{pod="<pod>"}[5m]) / rate(container_cpu_cfs_periods_total{pod="<pod>"}[5m])'),
        Text("Raise or remove the CPU limit, or set GOMAXPROCS to it."),
    ),
    references=("https://kubernetes.io/docs/concepts/configuration/manage-resources-containers/",),
    weights_from="Share of throttled periods from the Kubernetes mixin's alert CPUThrottlingHigh (25 %); weights are judgement.",
    may_follow=frozenset({EntityKind.HOST, EntityKind.WORKLOAD}),
)  # fmt: skip
