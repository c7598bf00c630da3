"""The etcd database is close to its quota; once it is there, etcd refuses writes."""

from causes.cause import Cause, Condition, Exclusion, Sentences, Symptom, Term
from domain.entities import EntityKind
from domain.text import Text

CAUSE = Cause(
    slug="etcd-quota-near",
    layer="infrastructure",
    title=Text("etcd database is close to its quota"),
    symptoms=frozenset({Symptom.ETCD, Symptom.API_SERVER}),
    about=EntityKind.ETCD_MEMBER,
    prior=-2.2,
    weights_from="Size and quota are etcd's own statements; 95 percent is where its own rules call it critical.",
    needs=frozenset({"etcd-disk-space-low", "etcd-quota-forecast"}),
    terms=(
        Term("etcd-disk-space-low", supports=3.0, opposes=-1.5),
        Term("etcd-quota-forecast", supports=2.4, opposes=-0.5),
        Term("etcd-space-alarm", supports=0.3, opposes=-3.0, when=Condition.NOT_SEEN),
        Term("etcd-leader-switch", supports=0.2, opposes=-1.0, when=Condition.NOT_SEEN),
        Term("etcd-fsync-one-slow", supports=0.2, opposes=-0.8, when=Condition.NOT_SEEN),
    ),
    sentences={
        "etcd-disk-space-low": Sentences(
            supports=Text("A little more, and every write is refused."),
            opposes=Text("There is room now."),
        ),
        "etcd-quota-forecast": Sentences(
            supports=Text("At this rate it will be full soon."),
            opposes=Text("It does not grow towards its quota."),
        ),
        "etcd-space-alarm": Sentences(
            supports=Text("The alarm is not set yet."),
            opposes=Text("The alarm is set: it is full already."),
        ),
        "etcd-leader-switch": Sentences(
            supports=Text("The leader stayed, as it does with a full database."),
            opposes=Text("The leader changed, which a full database does not do."),
        ),
        "etcd-fsync-one-slow": Sentences(
            supports=Text("No disk stands out."),
            opposes=Text("A disk is slow as well."),
        ),
    },
    exclusions=(
        Exclusion(
            when={"etcd-space-alarm": True},
            sentence=Text("The alarm is set: it is not close to its quota but over it."),
        ),
        Exclusion(
            when={"etcd-disk-space-low": False, "etcd-quota-forecast": False},
            sentence=Text("The database is not close to its quota and does not grow towards it."),
        ),
    ),
    next_steps=(
        Text("etcdctl endpoint status --cluster -w table"),
        Text("etcdctl compact <revision>; then etcdctl defrag for one member after the other, the leader last"),
        Text(
            "Who writes: topk(10, apiserver_storage_objects); or set auto-compaction-retention, or a larger "
            "quota-backend-bytes (at most 8 GiB)"
        ),
    ),
    references=("https://etcd.io/docs/v3.5/op-guide/maintenance/#space-quota",),
)
