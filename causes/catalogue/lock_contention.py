"""Goroutines wait for a lock within the process."""

from causes.cause import Cause, Exclusion, Symptom, Term
from domain.entities import EntityKind
from domain.text import Text

CAUSE = Cause(
    slug="lock-contention",
    layer="application",
    title=Text("Waiting for a lock within the process"),
    symptoms=frozenset({Symptom.PROBE}),
    prior=-2.2,
    needs=frozenset({"go-mutex-wait-high"}),
    terms=(
        Term("go-mutex-wait-high", 3.2, Text("The runtime itself counts the time spent waiting for locks."),
             -2.2, Text("The runtime counted hardly any waiting for locks.")),
        Term("probe-app-silent", 2.2, Text("Connected, then no byte of an answer."),
             -0.8, Text("Not the picture of a route that waits.")),
        Term("event-grpc-silent", 2.0, Text("The health call was accepted and not answered.")),
        Term("event-headers-timeout", 1.6, Text("The kubelet connected and got no headers in time.")),
        Term("event-deadline", 0.8, Text("The kubelet waited for headers in vain, which fits but does not prove it.")),
        Term("go-goroutines-rising", 1.0, Text("Those who wait for the lock pile up."),
             -0.6, Text("Nobody piles up.")),
        Term("other-routes-slow", 0.6, Text("Other routes that take the same lock are slow too.")),
        Term("probe-route-slow", 0.8, Text("The probed route was slow by the process's own clock.")),
        Term("live-app-silent", 1.8, Text("A request tried just now was accepted and not answered.")),
    ),
    exclusions=(
        Exclusion("go-mutex-wait-high", Text("The runtime counted hardly any waiting for locks."), seen=False),
        Exclusion("probe-refused", Text("The connection was refused: nobody was there to wait."), also=(("probe-app-silent", False), ("event-deadline", False))),
    ),
    next_steps=(
        Text("curl -s 'http://<pod-ip>:<port>/debug/pprof/mutex?debug=1' | head -60"),
        Text("curl -s 'http://<pod-ip>:<port>/debug/pprof/goroutine?debug=2' | grep -A12 -E 'sync.(\\(\\*)?(RW)?Mutex' | head -80"),
        Text('rate(go_sync_mutex_wait_total_seconds_total{pod="<pod>"}[5m])'),
        Text("Let the probe's route take no lock that request handlers hold."),
    ),
    references=("https://pkg.go.dev/runtime/metrics", "https://pkg.go.dev/net/http/pprof"),
    weights_from="Runtime metric of Go 1.20 and newer; the picture is that of the recorded fault in which 60 requests waited for one lock. Without that metric it stays behind the general cause by design.",
    may_follow=frozenset({EntityKind.WORKLOAD}),
)  # fmt: skip
