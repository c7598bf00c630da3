"""An event loop, or a server of one thread, computes for one request while all others wait."""

from causes.cause import Cause, Condition, Exclusion, Sentences, Symptom, Term
from domain.text import Text

CAUSE = Cause(
    slug="single-thread-busy",
    layer="application",
    title=Text("The server's only thread is busy computing"),
    symptoms=frozenset({Symptom.PROBE}),
    prior=-2.2,
    weights_from="A thread that computes takes one full core, whatever the limit; the rest is judgement.",
    needs=frozenset({"cpu-one-core"}),
    terms=(
        Term("cpu-one-core", supports=3.6),
        Term("event-deadline", supports=1.0),
        Term("live-app-silent", supports=0.8),
        Term("probe-app-silent", supports=0.8),
        Term("cpu-throttled", supports=0.1, opposes=-1.5, when=Condition.NOT_SEEN),
        Term("dependency-latency-high", supports=0.1, opposes=-1.5, when=Condition.NOT_SEEN),
        Term("dependency-failing", supports=0.1, opposes=-1.5, when=Condition.NOT_SEEN),
    ),
    sentences={
        "cpu-one-core": Sentences(
            supports=Text("The container takes one whole core, as one thread that computes does.")
        ),
        "event-deadline": Sentences(supports=Text("The kubelet waited for an answer in vain.")),
        "live-app-silent": Sentences(supports=Text("A request tried just now was accepted and not answered.")),
        "probe-app-silent": Sentences(supports=Text("It was connected, and no answer came.")),
        "cpu-throttled": Sentences(
            supports=Text("The CPU quota does not explain it."),
            opposes=Text("CPU throttling explains the lateness of everything in the container."),
        ),
        "dependency-latency-high": Sentences(
            supports=Text("No dependency was slow."), opposes=Text("A dependency was slow, which takes no CPU.")
        ),
        "dependency-failing": Sentences(
            supports=Text("No dependency failed."), opposes=Text("A dependency failed, which takes no CPU.")
        ),
    },
    exclusions=(Exclusion(when={"cpu-one-core": False}, sentence=Text("The container did not take one whole core.")),),
    next_steps=(
        Text("kubectl -n <ns> exec <pod> -- top -H -b -n 1 | head -20"),
        Text('rate(container_cpu_usage_seconds_total{pod="<pod>"}[1m])'),
        Text(
            "Find the request that computes (a profile of the process shows it), move it to a worker, "
            "and bound its size."
        ),
    ),
    references=("https://nodejs.org/en/docs/guides/dont-block-the-event-loop",),
)
