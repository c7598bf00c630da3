"""The monitoring lost samples; the service did not fail."""

from causes.cause import Cause, Condition, Exclusion, Sentences, Symptom, Term
from domain.entities import EntityKind
from domain.text import Text

# What another witness saw of the patient itself: statistics of the monitoring never outvote it.
FAILURES = (
    "kubelet-readiness-failing", "kubelet-liveness-failing", "kubelet-startup-failing", "pod-crashed", "pod-oom-killed",
    "pod-waiting", "probe-transport-timeout", "probe-refused", "probe-app-silent", "probe-status-error",
    "probe-dropped-by-app", "probe-dns-absent", "probe-body-stall", "etcd-quorum-lost", "etcd-member-restarted",
    "etcd-member-down", "etcd-leader-switch", "etcd-no-leader-seen",
)  # fmt: skip

CAUSE = Cause(
    slug="no-fault-scrape-gap",
    layer="no-fault",
    title=Text("Gap in the monitoring, no fault"),
    symptoms=frozenset({Symptom.ETCD, Symptom.PROBE}),
    about=EntityKind.CLUSTER,
    no_fault=True,
    prior=-2.0,
    weights_from="Judgement: a pause of the server, or failed scrapes of what worked on, is no failure of the patient.",
    needs=frozenset({"scrape-gap"}),
    terms=(
        Term("scrape-gap", supports=3.0, opposes=-2.5),
        Term("probe-recovered-fast", supports=0.4),
        Term("pod-restarted", supports=0.3, opposes=-1.5, when=Condition.NOT_SEEN),
        Term("etcd-leader-switch", supports=0.3, opposes=-2.5, when=Condition.NOT_SEEN),
    ),
    sentences={
        "scrape-gap": Sentences(
            supports=Text("The monitoring had a gap, and the alert began with it."),
            opposes=Text("The monitoring had no gap."),
        ),
        "probe-recovered-fast": Sentences(supports=Text("It was over at once.")),
        "pod-restarted": Sentences(
            supports=Text("Nothing restarted."),
            opposes=Text("Something restarted."),
        ),
        "etcd-leader-switch": Sentences(
            supports=Text("No leader changed."),
            opposes=Text("The leader really changed."),
        ),
    },
    exclusions=(
        Exclusion(
            when={"scrape-gap": False},
            sentence=Text("The monitoring had no gap."),
        ),
        *(
            Exclusion(when={measure: True}, sentence=Text("Another witness saw the failure itself."))
            for measure in FAILURES
        ),
    ),
    next_steps=(
        Text("min_over_time(up[15m])"),
        Text('changes(process_start_time_seconds{job="prometheus"}[1h])'),
        Text("prometheus_tsdb_head_samples_appended_total"),
    ),
    references=("https://prometheus.io/docs/prometheus/latest/querying/basics/#staleness",),
)
