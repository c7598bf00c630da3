"""The etcd database hit its quota and refuses writes."""

from causes.cause import Cause, Condition, Exclusion, Symptom, Term
from domain.entities import EntityKind
from domain.text import Text

CAUSE = Cause(
    slug="etcd-space-alarm",
    layer="infrastructure",
    title=Text("etcd space alarm"),
    symptoms=frozenset({Symptom.ETCD, Symptom.API_SERVER}),
    prior=-2.2,
    terms=(
        Term("etcd-space-alarm", 3.8, Text("With the alarm set etcd refuses every write."),
             -3.0, Text("No alarm is set.")),
        Term("etcd-leader-switch", 0.2, Text("The quota does not move the leader."),
             -0.4, Text("A full database does not change the leader."), condition=Condition.NOT_SEEN),
        Term("etcd-disk-space-low", 0.6, Text("The database is close to its quota, or the disk is almost full."),
             -0.5, Text("There is room in the database.")),
    ),
    exclusions=(
        Exclusion("etcd-space-alarm", Text("No member has the alarm set."), seen=False),
    ),
    next_steps=(
        Text("etcdctl endpoint status --cluster -w table"),
        Text("etcdctl compact <revision>; etcdctl defrag --cluster; etcdctl alarm disarm"),
        Text("etcd_mvcc_db_total_size_in_bytes / etcd_server_quota_backend_bytes"),
    ),
    references=("https://etcd.io/docs/v3.5/op-guide/maintenance/#space-quota",),
    weights_from="The alarm is a statement of etcd itself. Weight at the bound.",
    about=EntityKind.ETCD_CLUSTER,
)  # fmt: skip
