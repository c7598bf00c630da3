"""Goroutines are started and never end, until the process is too busy or too big."""

from causes.cause import Cause, Condition, Exclusion, Sentences, Symptom, Term
from domain.entities import EntityKind
from domain.text import Text

CAUSE = Cause(
    slug="goroutine-leak",
    layer="application",
    title=Text("Goroutines leak"),
    symptoms=frozenset({Symptom.PROBE}),
    prior=-2.2,
    weights_from=(
        "Judgement: a steady climb over the half hour before the alert tells a leak from a pile-up. Not yet measured "
        "on a recorded fault."
    ),
    needs=frozenset({"go-goroutines-leaking", "go-goroutines-rising"}),
    may_follow=frozenset({EntityKind.WORKLOAD}),
    terms=(
        Term("go-goroutines-leaking", supports=3.4, opposes=-2.0),
        Term("go-goroutines-rising", supports=3.4, opposes=-1.0, when=Condition.OVER, limit=2000.0),
        Term("memory-near-limit", supports=0.8),
        Term("probe-app-silent", supports=1.0),
        Term("event-deadline", supports=0.8),
        Term("other-routes-slow", supports=0.5),
        Term("probe-slow-success", supports=0.4),
    ),
    sentences={
        "go-goroutines-leaking": Sentences(
            supports=Text("They climbed steadily long before the alert, which a sudden block does not do."),
            opposes=Text("They did not climb before the alert."),
        ),
        "go-goroutines-rising": Sentences(
            supports=Text("There are thousands of them, far more than requests that could wait."),
            opposes=Text("There are no more than requests can explain."),
        ),
        "memory-near-limit": Sentences(supports=Text("Their stacks fill the memory.")),
        "probe-app-silent": Sentences(supports=Text("The process is too busy to answer in time.")),
        "event-deadline": Sentences(supports=Text("The kubelet waited for headers in vain.")),
        "other-routes-slow": Sentences(supports=Text("Every route is slower.")),
        "probe-slow-success": Sentences(supports=Text("Successful probes were slow.")),
    },
    exclusions=(
        Exclusion(
            when={"go-goroutines-leaking": False},
            sentence=Text("The number of goroutines was steady before the alert."),
        ),
    ),
    next_steps=(
        Text('go_goroutines{pod="<pod>"}'),
        Text("curl -s 'http://<pod-ip>:<port>/debug/pprof/goroutine?debug=1' | head -60"),
        Text(
            "Look for a send or receive without a reader, and for requests without a context deadline; a restart helps "
            "until the next time."
        ),
    ),
    references=(
        "https://pkg.go.dev/net/http/pprof",
        "https://go.dev/blog/context",
    ),
)
