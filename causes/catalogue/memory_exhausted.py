"""The container needs more memory than its limit."""

from causes.cause import Cause, Exclusion, Symptom, Term
from domain.entities import EntityKind
from domain.text import Text

CAUSE = Cause(
    slug="memory-exhausted",
    layer="application",
    title=Text("Memory exhausted"),
    symptoms=frozenset({Symptom.PROBE}),
    prior=-1.8,
    needs=frozenset({"pod-oom-killed", "memory-near-limit"}),
    terms=(
        Term("pod-oom-killed", 3.5, Text("The kernel killed it for memory."),
             -1.8, Text("It was not killed for memory.", context="memory")),
        Term("memory-near-limit", 1.2, Text("The working set was close to the limit."),
             -0.3, Text("No sample of the working set was near the limit, which a fast growth passes between two samples.")),
        Term("pod-restarted", 0.4, Text("It was restarted."),
             -0.4, Text("It was not restarted.")),
        Term("event-backoff", 0.4, Text("The kubelet waits longer and longer before the next start.")),
    ),
    exclusions=(
        Exclusion("pod-oom-killed", Text("Not killed for memory, and far from the limit."), seen=False, also=(("memory-near-limit", False),)),
    ),
    next_steps=(
        Text('container_memory_working_set_bytes{pod="<pod>"} / on(pod, container) kube_pod_container_resource_limits{resource="memory"}'),
        Text("curl -s http://<pod-ip>:<port>/debug/pprof/heap > heap.pb.gz; go tool pprof -top heap.pb.gz"),
        Text("Raise the limit, or set GOMEMLIMIT to about 90 % of it."),
    ),
    references=("https://kubernetes.io/docs/tasks/configure-pod-container/assign-memory-resource/",),
    weights_from="Reason OOMKilled is the kernel's own statement; exit code 137 alone is not counted, as a liveness kill ends with it too.",
    may_follow=frozenset({EntityKind.WORKLOAD}),
)  # fmt: skip
