"""The container needs more memory than its limit."""

from causes.cause import Cause, Exclusion, Sentences, Symptom, Term
from domain.entities import EntityKind
from domain.text import Text

CAUSE = Cause(
    slug="memory-exhausted",
    layer="application",
    title=Text("Memory exhausted"),
    symptoms=frozenset({Symptom.PROBE}),
    prior=-1.8,
    weights_from=(
        "Reason OOMKilled is the kernel's own statement; exit code 137 alone is not counted, as a liveness kill ends "
        "with it too."
    ),
    needs=frozenset({"pod-oom-killed", "memory-near-limit"}),
    may_follow=frozenset({EntityKind.WORKLOAD}),
    terms=(
        Term("pod-oom-killed", supports=3.5, opposes=-1.8),
        Term("memory-near-limit", supports=1.2, opposes=-0.3),
        Term("pod-restarted", supports=0.4, opposes=-0.4),
        Term("event-backoff", supports=0.4),
    ),
    sentences={
        "pod-oom-killed": Sentences(
            supports=Text("The kernel killed it for memory."),
            opposes=Text("It was not killed for memory.", context="memory"),
        ),
        "memory-near-limit": Sentences(
            supports=Text("The working set was close to the limit."),
            opposes=Text(
                "No sample of the working set was near the limit, which a fast growth passes between two samples."
            ),
        ),
        "pod-restarted": Sentences(
            supports=Text("It was restarted."),
            opposes=Text("It was not restarted."),
        ),
        "event-backoff": Sentences(supports=Text("The kubelet waits longer and longer before the next start.")),
    },
    exclusions=(
        Exclusion(
            when={"pod-oom-killed": False, "memory-near-limit": False},
            sentence=Text("Not killed for memory, and far from the limit."),
        ),
    ),
    next_steps=(
        Text(
            'container_memory_working_set_bytes{pod="<pod>"} / on(pod, container) '
            'kube_pod_container_resource_limits{resource="memory"}'
        ),
        Text("curl -s http://<pod-ip>:<port>/debug/pprof/heap > heap.pb.gz; go tool pprof -top heap.pb.gz"),
        Text("Raise the limit, or set GOMEMLIMIT to about 90 % of it."),
    ),
    references=("https://kubernetes.io/docs/tasks/configure-pod-container/assign-memory-resource/",),
)
