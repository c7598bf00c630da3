"""The API server is slow or answers with errors, so everything that asks it is late."""

from causes.cause import Cause, Condition, Exclusion, Sentences, Symptom, Term
from domain.entities import EntityKind
from domain.text import Text

CAUSE = Cause(
    slug="apiserver-overloaded",
    layer="infrastructure",
    title=Text("The API server is overloaded"),
    symptoms=frozenset({Symptom.PROBE, Symptom.API_SERVER}),
    about=EntityKind.CLUSTER,
    prior=-2.2,
    weights_from="Limits of the Kubernetes service level objectives (1 s for single objects); weights are judgement.",
    may_follow=frozenset({EntityKind.ETCD_CLUSTER, EntityKind.ETCD_MEMBER}),
    terms=(
        Term("apiserver-slow", supports=2.6, opposes=-2.0),
        Term("apiserver-errors", supports=2.2, opposes=-0.8),
        Term("apiserver-etcd-slow", supports=0.6, opposes=-1.8, when=Condition.NOT_SEEN),
        Term("peers-most-pods-fail", supports=0.8, opposes=-0.6),
    ),
    sentences={
        "apiserver-slow": Sentences(
            supports=Text("Its requests take far longer than they should."),
            opposes=Text("Its requests are on time."),
        ),
        "apiserver-errors": Sentences(
            supports=Text("It answers with errors or turns requests away."),
            opposes=Text("It answers without errors."),
        ),
        "apiserver-etcd-slow": Sentences(
            supports=Text("The etcd below it is quick, so the load is its own."),
            opposes=Text("It waits for its etcd, which lies below it."),
        ),
        "peers-most-pods-fail": Sentences(
            supports=Text("Pods of all services are affected at once."),
            opposes=Text("Other services are fine."),
        ),
    },
    exclusions=(
        Exclusion(
            when={"apiserver-slow": False, "apiserver-errors": False},
            sentence=Text("The API server is quick and answers without errors."),
        ),
    ),
    next_steps=(
        Text("topk(10, sum by (resource, verb) (rate(apiserver_request_total[5m])))"),
        Text(
            "histogram_quantile(0.99, sum by (le, verb) "
            '(rate(apiserver_request_duration_seconds_bucket{verb!~"WATCH|CONNECT"}[5m])))'
        ),
        Text(
            "kubectl get --raw /debug/api_priority_and_fairness/dump_priority_levels; kubectl get --raw "
            "'/readyz?verbose'"
        ),
    ),
    references=(
        "https://kubernetes.io/docs/concepts/cluster-administration/flow-control/",
        "https://kubernetes.io/docs/reference/instrumentation/slis/",
    ),
)
