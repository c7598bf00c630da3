"""The etcd database hit its quota and refuses writes."""

from causes.cause import Cause, Condition, Exclusion, Sentences, Symptom, Term
from domain.entities import EntityKind
from domain.text import Text

CAUSE = Cause(
    slug="etcd-space-alarm",
    layer="infrastructure",
    title=Text("etcd space alarm"),
    symptoms=frozenset({Symptom.ETCD, Symptom.API_SERVER}),
    about=EntityKind.ETCD_CLUSTER,
    prior=-2.2,
    weights_from="The alarm is a statement of etcd itself. Weight at the bound.",
    terms=(
        Term("etcd-space-alarm", supports=3.8, opposes=-3.0),
        Term("etcd-leader-switch", supports=0.2, opposes=-0.4, when=Condition.NOT_SEEN),
        Term("etcd-disk-space-low", supports=0.6, opposes=-0.5),
    ),
    sentences={
        "etcd-space-alarm": Sentences(
            supports=Text("With the alarm set etcd refuses every write."),
            opposes=Text("No alarm is set."),
        ),
        "etcd-leader-switch": Sentences(
            supports=Text("The quota does not move the leader."),
            opposes=Text("A full database does not change the leader."),
        ),
        "etcd-disk-space-low": Sentences(
            supports=Text("The database is close to its quota, or the disk is almost full."),
            opposes=Text("There is room in the database."),
        ),
    },
    exclusions=(
        Exclusion(
            when={"etcd-space-alarm": False},
            sentence=Text("No member has the alarm set."),
        ),
    ),
    next_steps=(
        Text("etcdctl endpoint status --cluster -w table"),
        Text("etcdctl compact <revision>; etcdctl defrag --cluster; etcdctl alarm disarm"),
        Text("etcd_mvcc_db_total_size_in_bytes / etcd_server_quota_backend_bytes"),
    ),
    references=("https://etcd.io/docs/v3.5/op-guide/maintenance/#space-quota",),
)
