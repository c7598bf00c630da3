"""Goroutines are started and never end, until the process is too busy or too big."""

from causes.cause import Cause, Condition, Exclusion, Symptom, Term
from domain.entities import EntityKind
from domain.text import Text

CAUSE = Cause(
    slug="goroutine-leak",
    layer="application",
    title=Text("Goroutines leak"),
    symptoms=frozenset({Symptom.PROBE}),
    prior=-2.2,
    needs=frozenset({"go-goroutines-leaking", "go-goroutines-rising"}),
    terms=(
        Term("go-goroutines-leaking", 3.4, Text("They climbed steadily long before the alert, which a sudden block does not do."),
             -2.0, Text("They did not climb before the alert.")),
        Term("go-goroutines-rising", 3.4, Text("There are thousands of them, far more than requests that could wait."),
             -1.0, Text("There are no more than requests can explain."), condition=Condition.OVER, limit=2000.0),
        Term("memory-near-limit", 0.8, Text("Their stacks fill the memory.")),
        Term("probe-app-silent", 1.0, Text("The process is too busy to answer in time.")),
        Term("event-deadline", 0.8, Text("The kubelet waited for headers in vain.")),
        Term("other-routes-slow", 0.5, Text("Every route is slower.")),
        Term("probe-slow-success", 0.4, Text("Successful probes were slow.")),
    ),
    exclusions=(
        Exclusion("go-goroutines-leaking", Text("The number of goroutines was steady before the alert."), seen=False),
    ),
    next_steps=(
        Text('go_goroutines{pod="<pod>"}'),
        Text("curl -s 'http://<pod-ip>:<port>/debug/pprof/goroutine?debug=1' | head -60"),
        Text("Look for a send or receive without a reader, and for requests without a context deadline; a restart helps until the next time."),
    ),
    references=("https://pkg.go.dev/net/http/pprof", "https://go.dev/blog/context"),
    weights_from="Judgement: a steady climb over the half hour before the alert tells a leak from a pile-up. Not yet measured on a recorded fault.",
    may_follow=frozenset({EntityKind.WORKLOAD}),
)  # fmt: skip
