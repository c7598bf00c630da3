"""What the application writes to has no room left."""

from causes.cause import Cause, Condition, Exclusion, Sentences, Symptom, Term
from domain.entities import EntityKind
from domain.text import Text

CAUSE = Cause(
    slug="disk-full",
    layer="application",
    title=Text("The disk under the application is full"),
    symptoms=frozenset({Symptom.PROBE}),
    prior=-2.0,
    weights_from="The server's own words or status; the rest is judgement.",
    needs=frozenset({"event-says-disk-full"}),
    may_follow=frozenset({EntityKind.HOST, EntityKind.WORKLOAD}),
    terms=(
        Term("event-says-disk-full", supports=3.6),
        Term("node-pressure", supports=0.6),
        Term("event-evicted", supports=0.4),
        Term("pod-crashed", supports=0.1, opposes=-1.0, when=Condition.NOT_SEEN),
    ),
    sentences={
        "event-says-disk-full": Sentences(supports=Text("The server says so itself.")),
        "node-pressure": Sentences(supports=Text("Its node was under pressure as well.")),
        "event-evicted": Sentences(supports=Text("A pod was evicted.")),
        "pod-crashed": Sentences(
            supports=Text("The container itself did not crash."), opposes=Text("The container itself crashed.")
        ),
    },
    exclusions=(Exclusion(when={"event-says-disk-full": False}, sentence=Text("No server complained of its disk.")),),
    next_steps=(
        Text("kubectl -n <ns> exec <pod> -- df -h"),
        Text("kubectl -n <ns> exec <pod> -- df -i"),
        Text(
            'kubelet_volume_stats_available_bytes{namespace="<ns>"} / '
            'kubelet_volume_stats_capacity_bytes{namespace="<ns>"}'
        ),
        Text(
            "Free room or grow the volume first; a server that stopped writing to protect its data "
            "begins again by itself or after a restart."
        ),
    ),
    references=(
        "https://redis.io/docs/latest/operate/oss_and_stack/management/persistence/",
        "https://www.postgresql.org/docs/current/disk-full.html",
    ),
)
