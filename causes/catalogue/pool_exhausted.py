"""All connections of a pool are taken, so whoever needs one waits."""

from causes.cause import Cause, Exclusion, Symptom, Term
from domain.entities import EntityKind
from domain.text import Text

CAUSE = Cause(
    slug="pool-exhausted",
    layer="application",
    title=Text("Connection pool exhausted"),
    symptoms=frozenset({Symptom.PROBE}),
    prior=-2.2,
    needs=frozenset({"pool-exhausted"}),
    terms=(
        Term("pool-exhausted", 3.6, Text("Every connection is in use and callers wait for one."),
             -2.5, Text("The pool had free connections.")),
        Term("probe-app-silent", 1.6, Text("The probed route waits as well, so it needs the pool.")),
        Term("event-grpc-silent", 1.4, Text("The health call was accepted and not answered.")),
        Term("event-headers-timeout", 1.6, Text("The kubelet connected and got no headers in time.")),
        Term("event-deadline", 0.8, Text("The kubelet waited for headers in vain, which fits but does not prove it.")),
        Term("probe-status-unavailable", 0.8, Text("The application says itself that it is not ready.")),
        Term("event-status-unavailable", 0.8, Text("The kubelet was told that it is not ready.")),
        Term("go-goroutines-rising", 0.6, Text("Those who wait pile up.")),
        Term("other-routes-slow", 0.4, Text("Other routes wait for the pool too.")),
        Term("live-app-silent", 1.4, Text("A request tried just now was accepted and not answered.")),
    ),
    exclusions=(
        Exclusion("pool-exhausted", Text("The pool had free connections throughout."), seen=False),
    ),
    next_steps=(
        Text('go_sql_in_use_connections{pod="<pod>"} / go_sql_max_open_connections{pod="<pod>"}'),
        Text('rate(go_sql_wait_duration_seconds_total{pod="<pod>"}[5m])'),
        Text("Find who holds connections: a query without a time limit, rows that are not closed, a transaction around a call to another service. Take the pool out of the liveness route."),
    ),
    references=("https://pkg.go.dev/database/sql#DBStats", "https://go.dev/doc/database/manage-connections"),
    weights_from="The pool's own counters (in use equals the maximum, waiting time grows) are a statement of the library; the rest is judgement.",
    may_follow=frozenset({EntityKind.ETCD_CLUSTER, EntityKind.ETCD_MEMBER, EntityKind.WORKLOAD}),
)  # fmt: skip
