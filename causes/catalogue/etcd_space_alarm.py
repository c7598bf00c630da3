"""The etcd database hit its quota and refuses writes."""

from causes.cause import Cause, Condition, Exclusion, Symptom, Term
from domain.entities import EntityKind
from domain.text import Text

CAUSE = Cause(
    slug="etcd-space-alarm",
    layer="infrastructure",
    title=Text("etcd space alarm", "etcd 空间告警"),
    symptoms=frozenset({Symptom.ETCD, Symptom.API_SERVER}),
    prior=-2.2,
    terms=(
        Term("etcd-space-alarm", 3.8, Text("With the alarm set etcd refuses every write.", "告警期间 etcd 拒绝所有写入。"),
             -3.0, Text("No alarm is set.", "没有告警。")),
        Term("etcd-leader-switch", 0.2, Text("The quota does not move the leader.", "配额不会导致换主。"),
             -0.4, Text("A full database does not change the leader.", "数据库已满不会导致换主。"), condition=Condition.NOT_SEEN),
        Term("etcd-disk-space-low", 0.6, Text("The database is close to its quota, or the disk is almost full.", "数据库接近配额或磁盘将满。"),
             -0.5, Text("There is room in the database.", "数据库仍有空间。")),
    ),
    exclusions=(
        Exclusion("etcd-space-alarm", Text("No member has the alarm set.", "没有成员处于空间告警。"), seen=False),
    ),
    next_steps=(
        Text("etcdctl endpoint status --cluster -w table", "etcdctl endpoint status --cluster -w table"),
        Text("etcdctl compact <revision>; etcdctl defrag --cluster; etcdctl alarm disarm", "etcdctl compact <revision>; etcdctl defrag --cluster; etcdctl alarm disarm"),
        Text("etcd_mvcc_db_total_size_in_bytes / etcd_server_quota_backend_bytes", "etcd_mvcc_db_total_size_in_bytes / etcd_server_quota_backend_bytes"),
    ),
    references=("https://etcd.io/docs/v3.5/op-guide/maintenance/#space-quota",),
    weights_from="The alarm is a statement of etcd itself. Weight at the bound.",
    about=EntityKind.ETCD_CLUSTER,
)  # fmt: skip
