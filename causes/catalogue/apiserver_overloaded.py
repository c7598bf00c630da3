"""The API server is slow or answers with errors, so everything that asks it is late."""

from causes.cause import Cause, Condition, Exclusion, Symptom, Term
from domain.entities import EntityKind
from domain.text import Text

CAUSE = Cause(
    slug="apiserver-overloaded",
    layer="infrastructure",
    title=Text("The API server is overloaded"),
    symptoms=frozenset({Symptom.PROBE, Symptom.API_SERVER}),
    prior=-2.2,
    terms=(
        Term("apiserver-slow", 2.6, Text("Its requests take far longer than they should."),
             -2.0, Text("Its requests are on time.")),
        Term("apiserver-errors", 2.2, Text("It answers with errors or turns requests away."),
             -0.8, Text("It answers without errors.")),
        Term("apiserver-etcd-slow", 0.6, Text("The etcd below it is quick, so the load is its own."),
             -1.8, Text("It waits for its etcd, which lies below it."), condition=Condition.NOT_SEEN),
        Term("peers-most-pods-fail", 0.8, Text("Pods of all services are affected at once."),
             -0.6, Text("Other services are fine.")),
    ),
    exclusions=(
        Exclusion("apiserver-slow", Text("The API server is quick and answers without errors."), seen=False, also=(("apiserver-errors", False),)),
    ),
    next_steps=(
        Text("topk(10, sum by (resource, verb) (rate(apiserver_request_total[5m])))"),
        Text('histogram_quantile(0.99, sum by (le, verb) (rate(apiserver_request_duration_seconds_bucket{verb!~"WATCH|CONNECT"}[5m])))'),
        Text("kubectl get --raw /debug/api_priority_and_fairness/dump_priority_levels; kubectl get --raw '/readyz?verbose'"),
    ),
    references=("https://kubernetes.io/docs/concepts/cluster-administration/flow-control/", "https://kubernetes.io/docs/reference/instrumentation/slis/"),
    weights_from="Limits of the Kubernetes service level objectives (1 s for single objects); weights are judgement.",
    about=EntityKind.CLUSTER,
    may_follow=frozenset({EntityKind.ETCD_CLUSTER, EntityKind.ETCD_MEMBER}),
)  # fmt: skip
