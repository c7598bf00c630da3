"""The network between zones delays or stalls what etcd members say to each other."""

from causes.cause import Cause, Condition, Exclusion, Symptom, Term
from domain.entities import EntityKind
from domain.text import Text

CAUSE = Cause(
    slug="cross-az-network-jitter",
    layer="network",
    title=Text("Network jitter between zones"),
    symptoms=frozenset({Symptom.ETCD}),
    prior=-1.5,
    needs=frozenset({"etcd-rtt-rise", "etcd-rtt-cross-zone"}),
    terms=(
        Term("etcd-rtt-rise", 1.0, Text("Members heard each other later than before."),
             -3.0, Text("Steady round trips do not unseat a leader, however long they are.")),
        Term("etcd-rtt-cross-zone", 2.4, Text("Slow on pairs that cross a zone border points at the path between zones."),
             -1.5, Text("The path between zones would slow the pairs that cross it.")),
        Term("etcd-rtt-before-switch", 1.0, Text("The delay came first, the switch after it."),
             -0.8, Text("The delay did not come before the switch.")),
        Term("etcd-rtt-over-limit", 0.4, Text("Certainly over the limit that follows from the election timeout.")),
        Term("etcd-leader-switch", 0.3, Text("A stall longer than the election timeout unseats the leader."),
             -2.0, Text("No leader was unseated.")),
        Term("etcd-rtt-steady-high", 0.1, Text("Long round trips are not usual there."),
             -1.5, Text("Long round trips are usual there."), condition=Condition.NOT_SEEN),
        Term("etcd-no-leader-seen", 0.4, Text("Members lost sight of the leader for a while.")),
    ),
    exclusions=(
        Exclusion("etcd-rtt-rise", Text("Round trips were steady: a steady delay, even a long one, is not jitter."), seen=False),
        Exclusion("etcd-member-scrape-gap", Text("One member stopped answering everybody, the monitoring too: that is the process, not the path.")),
        Exclusion("etcd-member-hangs", Text("One member accepts connections and answers nobody, the monitoring neither: that is the process, not the path."), also=(("etcd-member-down", True),)),
        Exclusion("etcd-rtt-one-member", Text("Slow only towards one member: that member or its host, not the path between zones."), also=(("etcd-rtt-cross-zone", False),)),
    ),
    next_steps=(
        Text("sum by (instance, To) (rate(etcd_network_peer_round_trip_time_seconds_sum[5m])) / sum by (instance, To) (rate(etcd_network_peer_round_trip_time_seconds_count[5m]))"),
        Text("Between the zones: mtr -rwz -c 100 <peer-ip>"),
        Text("Look for segments sent again, on each member: ss -ti dport = :2380"),
        Text("Ask the network provider for events between the two zones in the time range of the evidence."),
    ),
    references=("https://etcd.io/docs/v3.5/tuning/#time-parameters", "https://etcd.io/docs/v3.5/metrics/"),
    weights_from="Recorded fault (160 to 210 ms one way between three zones, then bursts of 2 s): pairs across the border and the order rise, no leader, switch. A steady 340 ms was recorded without any switch, hence the exclusion.",
    about=EntityKind.ETCD_CLUSTER,
)  # fmt: skip
