"""An etcd member has not enough CPU: it is late with everything although its disk is quick."""

from causes.cause import Cause, Condition, Exclusion, Sentences, Symptom, Term
from domain.entities import EntityKind
from domain.text import Text

CAUSE = Cause(
    slug="etcd-cpu-starved",
    layer="infrastructure",
    title=Text("etcd member has not enough CPU"),
    symptoms=frozenset({Symptom.ETCD, Symptom.API_SERVER}),
    about=EntityKind.ETCD_MEMBER,
    prior=-2.4,
    weights_from="Judgement: a busy process, late in spite of quick disks; the etcd FAQ names CPU beside disks.",
    needs=frozenset({"etcd-cpu-busy"}),
    terms=(
        Term("etcd-cpu-busy", supports=2.4, opposes=-0.4),
        Term("etcd-heartbeat-failures", supports=1.2, opposes=-1.2),
        Term("etcd-slow-applies", supports=0.8),
        Term("etcd-fsync-one-slow", supports=0.6, opposes=-2.0, when=Condition.NOT_SEEN),
        Term("etcd-client-surge", supports=0.4, opposes=-1.2, when=Condition.NOT_SEEN, group="surge"),
        Term("etcd-rtt-cross-zone", supports=0.2, opposes=-1.0, when=Condition.NOT_SEEN),
    ),
    sentences={
        "etcd-cpu-busy": Sentences(
            supports=Text("It uses all that it gets."),
            opposes=Text("No member is busy."),
        ),
        "etcd-heartbeat-failures": Sentences(
            supports=Text("A leader without CPU sends its heartbeats late."),
            opposes=Text("Heartbeats went out in time."),
        ),
        "etcd-slow-applies": Sentences(supports=Text("What it computes waits.")),
        "etcd-fsync-one-slow": Sentences(
            supports=Text("Its disk is quick, so it does not wait for that."),
            opposes=Text("A disk is slow, which explains late heartbeats."),
        ),
        "etcd-client-surge": Sentences(
            supports=Text("Clients ask no more than usual."),
            opposes=Text("Clients ask far more, and that lies below it."),
        ),
        "etcd-rtt-cross-zone": Sentences(
            supports=Text("Round trips between zones did not rise."),
            opposes=Text("The path between zones is slow."),
        ),
    },
    exclusions=(
        Exclusion(
            when={"etcd-cpu-busy": False},
            sentence=Text("No member uses more CPU than usual."),
        ),
        Exclusion(
            when={"etcd-heartbeat-failures": False, "etcd-slow-applies": False},
            sentence=Text("Nothing in etcd was late."),
        ),
    ),
    next_steps=(
        Text('rate(process_cpu_seconds_total{job="etcd"}[1m])'),
        Text(
            'rate(container_cpu_cfs_throttled_periods_total{pod=~"etcd.*"}[5m]) / '
            'rate(container_cpu_cfs_periods_total{pod=~"etcd.*"}[5m])'
        ),
        Text("On its host: top -H -p $(pidof etcd); nothing else with load belongs beside it."),
    ),
    references=("https://etcd.io/docs/v3.5/faq/#what-does-the-etcd-warning-failed-to-send-out-heartbeat-on-time-mean",),
)
