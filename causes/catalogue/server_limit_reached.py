"""The server has used up its workers, files, connections or memory, and says so."""

from causes.cause import Cause, Condition, Exclusion, Sentences, Symptom, Term
from domain.entities import EntityKind
from domain.text import Text

CAUSE = Cause(
    slug="server-limit-reached",
    layer="application",
    title=Text("The server has reached a limit of its own"),
    symptoms=frozenset({Symptom.PROBE}),
    prior=-2.0,
    weights_from="The server's own words or status; the rest is judgement.",
    needs=frozenset({"event-says-workers-full", "event-says-memory-full"}),
    may_follow=frozenset({EntityKind.HOST, EntityKind.WORKLOAD}),
    terms=(
        Term("event-says-workers-full", supports=3.4),
        Term("event-says-memory-full", supports=3.4),
        Term("load-surge", supports=0.6),
        Term("listen-overflows", supports=0.6),
        Term("pod-crashed", supports=0.1, opposes=-1.0, when=Condition.NOT_SEEN),
    ),
    sentences={
        "event-says-workers-full": Sentences(supports=Text("The server says which of its limits is reached.")),
        "event-says-memory-full": Sentences(supports=Text("The server says that it has no memory left for it.")),
        "load-surge": Sentences(supports=Text("There were more requests than usual.")),
        "listen-overflows": Sentences(supports=Text("Connections wait to be accepted.")),
        "pod-crashed": Sentences(
            supports=Text("The container itself did not crash."), opposes=Text("The container itself crashed.")
        ),
    },
    exclusions=(
        Exclusion(
            when={"event-says-workers-full": False, "event-says-memory-full": False},
            sentence=Text("The server complained of no limit."),
        ),
    ),
    next_steps=(
        Text("kubectl -n <ns> describe pod <pod> | sed -n '/Events/,$p'"),
        Text("kubectl -n <ns> logs <pod> --since=30m | grep -iE 'limit|max|not enough|too many' | tail -20"),
        Text(
            "Raise the limit that the message names (worker_connections, pm.max_children, maxmemory, "
            "ulimit -n), or find who holds what it counts."
        ),
    ),
    references=(
        "https://nginx.org/en/docs/ngx_core_module.html#worker_connections",
        "https://redis.io/docs/latest/operate/oss_and_stack/management/admin/",
    ),
)
