"""All connections of a pool are taken, so whoever needs one waits."""

from causes.cause import Cause, Exclusion, Sentences, Symptom, Term
from domain.entities import EntityKind
from domain.text import Text

CAUSE = Cause(
    slug="pool-exhausted",
    layer="application",
    title=Text("All connections are in use"),
    symptoms=frozenset({Symptom.PROBE}),
    prior=-2.2,
    weights_from=(
        "The pool's own counters (in use equals the maximum, waiting time grows) are a statement of the library; the "
        "rest is judgement."
    ),
    needs=frozenset({"pool-exhausted", "event-says-connections-full"}),
    may_follow=frozenset({EntityKind.ETCD_CLUSTER, EntityKind.ETCD_MEMBER, EntityKind.WORKLOAD}),
    terms=(
        Term("pool-exhausted", supports=3.6, opposes=-2.5),
        Term("probe-app-silent", supports=1.6),
        Term("event-grpc-silent", supports=1.4),
        Term("event-headers-timeout", supports=1.6),
        Term("event-deadline", supports=0.8),
        Term("probe-status-unavailable", supports=0.8),
        Term("event-status-unavailable", supports=0.8),
        Term("go-goroutines-rising", supports=0.6),
        Term("other-routes-slow", supports=0.4),
        Term("live-app-silent", supports=1.4),
        Term("event-says-connections-full", supports=3.8),
    ),
    sentences={
        "pool-exhausted": Sentences(
            supports=Text("Every connection is in use and callers wait for one."),
            opposes=Text("The pool had free connections."),
        ),
        "probe-app-silent": Sentences(supports=Text("The probed route waits as well, so it needs the pool.")),
        "event-grpc-silent": Sentences(supports=Text("The health call was accepted and not answered.")),
        "event-headers-timeout": Sentences(supports=Text("The kubelet connected and got no headers in time.")),
        "event-deadline": Sentences(
            supports=Text("The kubelet waited for headers in vain, which fits but does not prove it.")
        ),
        "probe-status-unavailable": Sentences(supports=Text("The application says itself that it is not ready.")),
        "event-status-unavailable": Sentences(supports=Text("The kubelet was told that it is not ready.")),
        "go-goroutines-rising": Sentences(supports=Text("Those who wait pile up.")),
        "other-routes-slow": Sentences(supports=Text("Other routes wait for the pool too.")),
        "event-says-connections-full": Sentences(supports=Text("The server says itself that it takes no more.")),
        "live-app-silent": Sentences(supports=Text("A request tried just now was accepted and not answered.")),
    },
    exclusions=(
        Exclusion(
            when={"pool-exhausted": False, "event-says-connections-full": False},
            sentence=Text("The pool had free connections throughout, and no server refused one."),
        ),
    ),
    next_steps=(
        Text("psql -c 'select usename, state, count(*) from pg_stat_activity group by 1, 2 order by 3 desc'"),
        Text('go_sql_in_use_connections{pod="<pod>"} / go_sql_max_open_connections{pod="<pod>"}'),
        Text('rate(go_sql_wait_duration_seconds_total{pod="<pod>"}[5m])'),
        Text(
            "Find who holds connections: a query without a time limit, rows that are not closed, a transaction around "
            "a call to another service. Take the pool out of the liveness route."
        ),
    ),
    references=(
        "https://pkg.go.dev/database/sql#DBStats",
        "https://go.dev/doc/database/manage-connections",
    ),
)
