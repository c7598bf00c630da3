"""A member was defragmented and answered nothing meanwhile."""

from causes.cause import Cause, Condition, Exclusion, Sentences, Symptom, Term
from domain.entities import EntityKind
from domain.text import Text

CAUSE = Cause(
    slug="etcd-defragmentation",
    layer="infrastructure",
    title=Text("An etcd member was defragmented"),
    symptoms=frozenset({Symptom.ETCD, Symptom.API_SERVER}),
    about=EntityKind.ETCD_MEMBER,
    prior=-2.6,
    weights_from="etcd counts each defragmentation and its time itself, and blocks meanwhile. Weights are judgement.",
    needs=frozenset({"etcd-defragmented"}),
    terms=(
        Term("etcd-defragmented", supports=3.2, opposes=-0.4),
        Term("etcd-slow-applies", supports=0.6),
        Term("etcd-member-scrape-gap", supports=0.4),
        Term("etcd-member-restarted", supports=0.2, opposes=-1.0, when=Condition.NOT_SEEN),
        Term("etcd-fsync-one-slow", supports=0.4, opposes=-1.5, when=Condition.NOT_SEEN),
        Term("etcd-space-alarm", supports=0.1, opposes=-2.0, when=Condition.NOT_SEEN),
    ),
    sentences={
        "etcd-defragmented": Sentences(
            supports=Text("While that runs the member answers no request."),
            opposes=Text("Nobody defragmented a member."),
        ),
        "etcd-slow-applies": Sentences(supports=Text("Requests waited for it.")),
        "etcd-member-scrape-gap": Sentences(supports=Text("It answered nobody meanwhile.")),
        "etcd-member-restarted": Sentences(
            supports=Text("Nobody restarted."),
            opposes=Text("A member restarted, which explains it as well."),
        ),
        "etcd-fsync-one-slow": Sentences(
            supports=Text("No disk stands out."),
            opposes=Text("One disk is slow, which explains it as well."),
        ),
        "etcd-space-alarm": Sentences(
            supports=Text("No alarm is set, so writes are not refused."),
            opposes=Text("The space alarm is set; defragmentation is then the cure and not the cause."),
        ),
    },
    exclusions=(
        Exclusion(
            when={"etcd-defragmented": False},
            sentence=Text("No member was defragmented."),
        ),
    ),
    next_steps=(
        Text("Who ran it: look for a CronJob or a timer with etcdctl defrag"),
        Text("One member after the other, the leader last, at a quiet hour: etcdctl defrag --endpoints=<endpoint>"),
        Text("increase(etcd_disk_backend_defrag_duration_seconds_count[1h])"),
    ),
    references=("https://etcd.io/docs/v3.5/op-guide/maintenance/#defragmentation",),
)
