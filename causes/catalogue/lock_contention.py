"""Goroutines wait for a lock within the process."""

from causes.cause import Cause, Exclusion, Sentences, Symptom, Term
from domain.entities import EntityKind
from domain.text import Text

CAUSE = Cause(
    slug="lock-contention",
    layer="application",
    title=Text("Waiting for a lock within the process"),
    symptoms=frozenset({Symptom.PROBE}),
    prior=-2.2,
    weights_from=(
        "Runtime metric of Go 1.20 and newer; the picture is that of the recorded fault in which 60 requests waited "
        "for one lock. Without that metric it stays behind the general cause by design."
    ),
    needs=frozenset({"go-mutex-wait-high"}),
    may_follow=frozenset({EntityKind.WORKLOAD}),
    terms=(
        Term("go-mutex-wait-high", supports=3.2, opposes=-2.2),
        Term("probe-app-silent", supports=2.2, opposes=-0.8),
        Term("event-grpc-silent", supports=2.0),
        Term("event-headers-timeout", supports=1.6),
        Term("event-deadline", supports=0.8),
        Term("go-goroutines-rising", supports=1.0, opposes=-0.6),
        Term("other-routes-slow", supports=0.6),
        Term("probe-route-slow", supports=0.8),
        Term("live-app-silent", supports=1.8),
    ),
    sentences={
        "go-mutex-wait-high": Sentences(
            supports=Text("The runtime itself counts the time spent waiting for locks."),
            opposes=Text("The runtime counted hardly any waiting for locks."),
        ),
        "probe-app-silent": Sentences(
            supports=Text("Connected, then no byte of an answer."),
            opposes=Text("Not the picture of a route that waits."),
        ),
        "event-grpc-silent": Sentences(supports=Text("The health call was accepted and not answered.")),
        "event-headers-timeout": Sentences(supports=Text("The kubelet connected and got no headers in time.")),
        "event-deadline": Sentences(
            supports=Text("The kubelet waited for headers in vain, which fits but does not prove it.")
        ),
        "go-goroutines-rising": Sentences(
            supports=Text("Those who wait for the lock pile up."),
            opposes=Text("Nobody piles up."),
        ),
        "other-routes-slow": Sentences(supports=Text("Other routes that take the same lock are slow too.")),
        "probe-route-slow": Sentences(supports=Text("The probed route was slow by the process's own clock.")),
        "live-app-silent": Sentences(supports=Text("A request tried just now was accepted and not answered.")),
    },
    exclusions=(
        Exclusion(
            when={"go-mutex-wait-high": False},
            sentence=Text("The runtime counted hardly any waiting for locks."),
        ),
        Exclusion(
            when={"probe-refused": True, "probe-app-silent": False, "event-deadline": False},
            sentence=Text("The connection was refused: nobody was there to wait."),
        ),
    ),
    next_steps=(
        Text("curl -s 'http://<pod-ip>:<port>/debug/pprof/mutex?debug=1' | head -60"),
        Text(
            "curl -s 'http://<pod-ip>:<port>/debug/pprof/goroutine?debug=2' | grep -A12 -E 'sync.(\\(\\*)?(RW)?Mutex' "
            "| head -80"
        ),
        Text('rate(go_sync_mutex_wait_total_seconds_total{pod="<pod>"}[5m])'),
        Text("Let the probe's route take no lock that request handlers hold."),
    ),
    references=(
        "https://pkg.go.dev/runtime/metrics",
        "https://pkg.go.dev/net/http/pprof",
    ),
)
