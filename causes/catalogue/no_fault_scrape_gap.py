"""The monitoring lost samples; the service did not fail."""

from causes.cause import Cause, Condition, Exclusion, Symptom, Term
from domain.entities import EntityKind
from domain.text import Text

CAUSE = Cause(
    slug="no-fault-scrape-gap",
    layer="no-fault",
    title=Text("Gap in the monitoring, no fault"),
    symptoms=frozenset({Symptom.ETCD, Symptom.PROBE}),
    prior=-2.0,
    needs=frozenset({"scrape-gap"}),
    terms=(
        Term("scrape-gap", 3.0, Text("Many targets of one server gapped together: the monitoring paused."),
             -2.5, Text("The monitoring had no gap.")),
        Term("probe-recovered-fast", 0.4, Text("It was over at once.")),
        Term("pod-restarted", 0.3, Text("Nothing restarted."),
             -1.5, Text("Something restarted."), condition=Condition.NOT_SEEN),
        Term("etcd-leader-switch", 0.3, Text("No leader changed."),
             -2.5, Text("The leader really changed."), condition=Condition.NOT_SEEN),
    ),
    exclusions=(
        Exclusion("scrape-gap", Text("The monitoring had no gap."), seen=False),
    ),
    next_steps=(
        Text("min_over_time(up[15m])"),
        Text('changes(process_start_time_seconds{job="prometheus"}[1h])'),
        Text("prometheus_tsdb_head_samples_appended_total"),
    ),
    references=("https://prometheus.io/docs/prometheus/latest/querying/basics/#staleness",),
    weights_from="Judgement: eight in ten targets do not fail at one moment by themselves.",
    about=EntityKind.CLUSTER,
    no_fault=True,
)  # fmt: skip
