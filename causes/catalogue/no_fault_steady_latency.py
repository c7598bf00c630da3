"""Round trips between etcd members are long, as they always are there; nothing changed."""

from causes.cause import Cause, Condition, Exclusion, Symptom, Term
from domain.entities import EntityKind
from domain.text import Text

CAUSE = Cause(
    slug="no-fault-steady-latency",
    layer="no-fault",
    title=Text("Long but steady round trips, no fault", "往返时延高但平稳，非故障"),
    symptoms=frozenset({Symptom.ETCD}),
    prior=-2.0,
    terms=(
        Term("etcd-rtt-steady-high", 2.6, Text("They are at their own usual level.", "处于其自身的平时水平。"),
             -1.0, Text("They are not long on an ordinary day.", "平时并不高。")),
        Term("etcd-rtt-over-limit", 1.0, Text("The fixed limit of the alert lies below what is usual there.", "告警的固定上限低于该处的平时水平。"), group="limit"),
        Term("etcd-leader-switch", 1.0, Text("The leader stayed.", "没有换主。"),
             -3.0, Text("The leader changed.", "发生换主。"), condition=Condition.NOT_SEEN),
        Term("etcd-rtt-rise", 0.6, Text("No pair rose over its own level.", "没有成员对高于自身水平。"),
             -2.5, Text("Round trips rose.", "往返时延上升。"), condition=Condition.NOT_SEEN, group="rise"),
        Term("etcd-fsync-one-slow", 0.3, Text("No disk stands out.", "没有磁盘异常。"),
             -1.5, Text("A disk is slow.", "有磁盘缓慢。"), condition=Condition.NOT_SEEN),
        Term("etcd-member-restarted", 0.2, Text("Nobody restarted.", "没有成员重启。"),
             -1.5, Text("A member restarted.", "有成员重启。"), condition=Condition.NOT_SEEN),
        Term("etcd-member-unhealthy", 0.2, Text("Every member is healthy.", "所有成员健康。"),
             -2.0, Text("A member is not healthy.", "有成员不健康。"), condition=Condition.NOT_SEEN),
    ),
    exclusions=(
        Exclusion("etcd-rtt-rise", Text("Round trips rose over their own level.", "往返时延高于自身水平。")),
        Exclusion("etcd-leader-switch", Text("The leader changed, which a steady delay does not do.", "发生换主，平稳时延不会如此。")),
    ),
    next_steps=(
        Text("Set heartbeat-interval to about the round trip and election-timeout to at least ten times of it, the same on all members.", "将 heartbeat-interval 设为约等于往返时延，election-timeout 至少为其十倍，所有成员一致。"),
        Text("Make the alert's limit relative to the election timeout instead of a fixed 150 ms.", "告警上限应相对选举超时设置，而非固定 150 毫秒。"),
        Text("sum by (instance, To) (rate(etcd_network_peer_round_trip_time_seconds_sum[1h])) / sum by (instance, To) (rate(etcd_network_peer_round_trip_time_seconds_count[1h]))", "sum by (instance, To) (rate(etcd_network_peer_round_trip_time_seconds_sum[1h])) / sum by (instance, To) (rate(etcd_network_peer_round_trip_time_seconds_count[1h]))"),
    ),
    references=("https://etcd.io/docs/v3.5/tuning/#time-parameters",),
    weights_from="Recorded without any fault: 340 ms round trips all the time, and the leader stayed.",
    about=EntityKind.ETCD_CLUSTER,
    no_fault=True,
)  # fmt: skip
