"""The network between zones delays or stalls what etcd members say to each other."""

from causes.cause import Cause, Condition, Exclusion, Sentences, Symptom, Term
from domain.entities import EntityKind
from domain.text import Text

CAUSE = Cause(
    slug="cross-az-network-jitter",
    layer="network",
    title=Text("Network jitter between zones"),
    symptoms=frozenset({Symptom.ETCD}),
    about=EntityKind.ETCD_CLUSTER,
    prior=-1.5,
    weights_from=(
        "Recorded fault (160 to 210 ms one way between three zones, then bursts of 2 s): pairs across the border and "
        "the order rise, no leader, switch. Between two zones only, with stalls of 2.5 s, no leader was unseated, so a "
        "switch weighs little. A steady 340 ms was recorded without any switch, hence the exclusion."
    ),
    needs=frozenset({"etcd-rtt-rise", "etcd-rtt-cross-zone"}),
    terms=(
        Term("etcd-rtt-rise", supports=1.0, opposes=-3.0),
        Term("etcd-rtt-cross-zone", supports=2.4, opposes=-1.5),
        Term("etcd-rtt-one-member", supports=0.2, opposes=-1.0, when=Condition.NOT_SEEN),
        Term("etcd-rtt-before-switch", supports=1.0, opposes=-0.8),
        Term("etcd-rtt-over-limit", supports=0.4),
        Term("etcd-leader-switch", supports=0.3, opposes=-0.4),
        Term("etcd-rtt-steady-high", supports=0.1, opposes=-1.5, when=Condition.NOT_SEEN),
        Term("etcd-no-leader-seen", supports=0.4),
    ),
    sentences={
        "etcd-rtt-rise": Sentences(
            supports=Text("Members heard each other later than before."),
            opposes=Text("Steady round trips do not unseat a leader, however long they are."),
        ),
        "etcd-rtt-cross-zone": Sentences(
            supports=Text("Slow on pairs that cross a zone border points at the path between zones."),
            opposes=Text("The path between zones would slow the pairs that cross it."),
        ),
        "etcd-rtt-one-member": Sentences(
            supports=Text("It is not one member alone."),
            opposes=Text("One member alone has slow pairs, which its host explains as well."),
        ),
        "etcd-rtt-before-switch": Sentences(
            supports=Text("The delay came first, the switch after it."),
            opposes=Text("The delay did not come before the switch."),
        ),
        "etcd-rtt-over-limit": Sentences(
            supports=Text("Certainly over the limit that follows from the election timeout.")
        ),
        "etcd-leader-switch": Sentences(
            supports=Text("A stall longer than the election timeout unseats the leader."),
            opposes=Text("No leader was unseated, so no stall lasted as long as the election timeout."),
        ),
        "etcd-rtt-steady-high": Sentences(
            supports=Text("Long round trips are not usual there."),
            opposes=Text("Long round trips are usual there."),
        ),
        "etcd-no-leader-seen": Sentences(supports=Text("Members lost sight of the leader for a while.")),
    },
    exclusions=(
        Exclusion(
            when={"etcd-rtt-rise": False},
            sentence=Text("Round trips were steady: a steady delay, even a long one, is not jitter."),
        ),
        Exclusion(
            when={"etcd-member-scrape-gap": True},
            sentence=Text(
                "One member stopped answering everybody, the monitoring too: that is the process, not the path."
            ),
        ),
        Exclusion(
            when={"etcd-member-hangs": True, "etcd-member-down": True},
            sentence=Text(
                "One member accepts connections and answers nobody, the monitoring neither: that is the process, not "
                "the path."
            ),
        ),
        Exclusion(
            when={"etcd-rtt-one-member": True, "etcd-rtt-cross-zone": False},
            sentence=Text("Slow only towards one member: that member or its host, not the path between zones."),
        ),
        Exclusion(
            when={"etcd-rtt-towards-one": True, "etcd-rtt-cross-zone": False},
            sentence=Text("Members waited for one of them and not the other way round: a path delays both ways."),
        ),
    ),
    next_steps=(
        Text(
            "sum by (instance, To) (rate(etcd_network_peer_round_trip_time_seconds_sum[5m])) / sum by (instance, To) "
            "(rate(etcd_network_peer_round_trip_time_seconds_count[5m]))"
        ),
        Text("Between the zones: mtr -rwz -c 100 <peer-ip>"),
        Text("Look for segments sent again, on each member: ss -ti dport = :2380"),
        Text("Ask the network provider for events between the two zones in the time range of the evidence."),
    ),
    references=(
        "https://etcd.io/docs/v3.5/tuning/#time-parameters",
        "https://etcd.io/docs/v3.5/metrics/",
    ),
)
