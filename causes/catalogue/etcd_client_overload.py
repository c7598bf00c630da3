"""Clients ask more of etcd than it can do: large ranges, many writes, watchers that fall behind."""

from causes.cause import Cause, Condition, Exclusion, Sentences, Symptom, Term
from domain.entities import EntityKind
from domain.text import Text

CAUSE = Cause(
    slug="etcd-client-overload",
    layer="infrastructure",
    title=Text("Clients overload etcd"),
    symptoms=frozenset({Symptom.ETCD, Symptom.API_SERVER}),
    about=EntityKind.ETCD_CLUSTER,
    prior=-2.2,
    weights_from="Judgement: three times the usual requests while the disks are quick; on no recorded fault.",
    needs=frozenset({"etcd-client-surge", "etcd-watchers-behind"}),
    terms=(
        Term("etcd-client-surge", supports=2.6, opposes=-1.0),
        Term("etcd-watchers-behind", supports=1.2, group="watchers"),
        Term("etcd-slow-applies", supports=0.8),
        Term("etcd-slow-reads", supports=0.8, group="reads"),
        Term("etcd-compaction-long", supports=0.4, group="compaction"),
        Term("etcd-cpu-busy", supports=0.6, opposes=-0.3, group="cpu"),
        Term("etcd-fsync-one-slow", supports=0.4, opposes=-1.8, when=Condition.NOT_SEEN),
        Term("etcd-rtt-cross-zone", supports=0.2, opposes=-1.0, when=Condition.NOT_SEEN),
    ),
    sentences={
        "etcd-client-surge": Sentences(
            supports=Text("What is asked of it rose first of all."),
            opposes=Text("What is asked of it is as usual."),
        ),
        "etcd-watchers-behind": Sentences(supports=Text("It cannot send events as fast as they happen.")),
        "etcd-slow-applies": Sentences(supports=Text("Requests wait to be applied.")),
        "etcd-slow-reads": Sentences(supports=Text("Reads wait as well.")),
        "etcd-compaction-long": Sentences(supports=Text("So many revisions were made that compaction takes long.")),
        "etcd-cpu-busy": Sentences(
            supports=Text("It computes for them."),
            opposes=Text("It does not compute more than usual."),
        ),
        "etcd-fsync-one-slow": Sentences(
            supports=Text("No disk stands out."),
            opposes=Text("One disk is slow, which explains it without more requests."),
        ),
        "etcd-rtt-cross-zone": Sentences(
            supports=Text("Round trips between zones did not rise."),
            opposes=Text("The path between zones is slow."),
        ),
    },
    exclusions=(
        Exclusion(
            when={"etcd-client-surge": False, "etcd-watchers-behind": False},
            sentence=Text("Clients ask no more than usual, and watchers keep up."),
        ),
    ),
    next_steps=(
        Text("topk(10, sum by (grpc_method, instance) (rate(grpc_server_started_total[5m])))"),
        Text("Who: topk(10, sum by (resource, verb) (rate(apiserver_request_total[5m])))"),
        Text("Look for lists without a limit, and for a controller that writes in a loop."),
    ),
    references=("https://etcd.io/docs/v3.5/op-guide/performance/",),
)
