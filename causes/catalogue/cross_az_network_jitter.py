"""The network between zones delays or stalls what etcd members say to each other."""

from causes.cause import Cause, Condition, Exclusion, Symptom, Term
from domain.entities import EntityKind
from domain.text import Text

CAUSE = Cause(
    slug="cross-az-network-jitter",
    layer="network",
    title=Text("Network jitter between zones", "跨可用区网络抖动"),
    symptoms=frozenset({Symptom.ETCD}),
    prior=-1.5,
    needs=frozenset({"etcd-rtt-rise", "etcd-rtt-cross-zone"}),
    terms=(
        Term("etcd-rtt-rise", 1.0, Text("Members heard each other later than before.", "成员之间的通信比之前更慢。"),
             -3.0, Text("Steady round trips do not unseat a leader, however long they are.", "往返时延平稳，再高也不会导致换主。")),
        Term("etcd-rtt-cross-zone", 2.4, Text("Slow on pairs that cross a zone border points at the path between zones.", "慢在跨可用区的成员对上，指向区间网络。"),
             -1.5, Text("The path between zones would slow the pairs that cross it.", "区间网络问题应使跨区成员对变慢。")),
        Term("etcd-rtt-before-switch", 1.0, Text("The delay came first, the switch after it.", "先有时延上升，后换主。"),
             -0.8, Text("The delay did not come before the switch.", "时延上升并不早于换主。")),
        Term("etcd-rtt-over-limit", 0.4, Text("Certainly over the limit that follows from the election timeout.", "确定超过由选举超时推出的上限。")),
        Term("etcd-leader-switch", 0.3, Text("A stall longer than the election timeout unseats the leader.", "超过选举超时的停顿会导致换主。"),
             -2.0, Text("No leader was unseated.", "没有换主。")),
        Term("etcd-rtt-steady-high", 0.1, Text("Long round trips are not usual there.", "该处往返时延平时不高。"),
             -1.5, Text("Long round trips are usual there.", "该处往返时延平时就高。"), condition=Condition.NOT_SEEN),
        Term("etcd-no-leader-seen", 0.4, Text("Members lost sight of the leader for a while.", "成员一度失去主节点。")),
    ),
    exclusions=(
        Exclusion("etcd-rtt-rise", Text("Round trips were steady: a steady delay, even a long one, is not jitter.", "往返时延平稳：时延稳定（即使较高）不是抖动。"), seen=False),
        Exclusion("etcd-member-scrape-gap", Text("One member stopped answering everybody, the monitoring too: that is the process, not the path.", "一个成员对所有人（包括监控）都停止应答：问题在进程而非网络。")),
        Exclusion("etcd-member-hangs", Text("One member accepts connections and answers nobody, the monitoring neither: that is the process, not the path.", "一个成员接受连接但不应答任何一方（包括监控）：问题在进程而非网络。"), also=(("etcd-member-down", True),)),
        Exclusion("etcd-rtt-one-member", Text("Slow only towards one member: that member or its host, not the path between zones.", "仅到一个成员变慢：问题在该成员或其主机，而非区间网络。"), also=(("etcd-rtt-cross-zone", False),)),
    ),
    next_steps=(
        Text("sum by (instance, To) (rate(etcd_network_peer_round_trip_time_seconds_sum[5m])) / sum by (instance, To) (rate(etcd_network_peer_round_trip_time_seconds_count[5m]))",
             "sum by (instance, To) (rate(etcd_network_peer_round_trip_time_seconds_sum[5m])) / sum by (instance, To) (rate(etcd_network_peer_round_trip_time_seconds_count[5m]))"),
        Text("Between the zones: mtr -rwz -c 100 <peer-ip>", "在可用区之间执行：mtr -rwz -c 100 <peer-ip>"),
        Text("Look for segments sent again, on each member: ss -ti dport = :2380",
             "在各成员上查看重传：ss -ti dport = :2380"),
        Text("Ask the network provider for events between the two zones in the time range of the evidence.", "向网络提供方查询证据时段内两个可用区之间的事件。"),
    ),
    references=("https://etcd.io/docs/v3.5/tuning/#time-parameters", "https://etcd.io/docs/v3.5/metrics/"),
    weights_from="Recorded fault (160 to 210 ms one way between three zones, then bursts of 2 s): pairs across the border and the order rise, no leader, switch. A steady 340 ms was recorded without any switch, hence the exclusion.",
    about=EntityKind.ETCD_CLUSTER,
)  # fmt: skip
