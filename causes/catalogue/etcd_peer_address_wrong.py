"""An etcd member was started with a peer address at which nobody reaches it."""

from causes.cause import Cause, Exclusion, Sentences, Symptom, Term
from domain.entities import EntityKind
from domain.text import Text

CAUSE = Cause(
    slug="etcd-peer-address-wrong",
    layer="infrastructure",
    title=Text("etcd member listens for its peers at another address than they know"),
    symptoms=frozenset({Symptom.ETCD}),
    about=EntityKind.ETCD_MEMBER,
    prior=-2.2,
    weights_from=(
        "Seen on a follower that was started with a wrong peer port: it reaches its peers, none reaches it, and that "
        "began with the start. A network does not wait for a start. Weights are judgement."
    ),
    needs=frozenset({"etcd-isolated-since-start"}),
    terms=(
        Term("etcd-isolated-since-start", supports=3.6, opposes=-3.0, group="start"),
        Term("etcd-member-isolated", supports=1.2, opposes=-3.0),
        Term("etcd-member-restarted", supports=0.4, opposes=-2.0),
    ),
    sentences={
        "etcd-isolated-since-start": Sentences(
            supports=Text("The way out works and the way in does not, since it was started: it listens elsewhere."),
            opposes=Text("That is not how a wrong peer address looks."),
        ),
        "etcd-member-isolated": Sentences(
            supports=Text("All its peers miss it, and its process lives."),
            opposes=Text("Its peers reach every member."),
        ),
        "etcd-member-restarted": Sentences(
            supports=Text("A start is when a new address takes effect."),
            opposes=Text("No member was started anew."),
        ),
    },
    exclusions=(
        Exclusion(
            when={"etcd-member-isolated": False},
            sentence=Text("Every member that was up was reached by its peers."),
        ),
        Exclusion(
            when={"etcd-isolated-since-start": False},
            sentence=Text("It did not begin with a start of the member that is cut off."),
        ),
    ),
    next_steps=(
        Text("Compare on its host: ps -o args -C etcd | tr ' ' '\\n' | grep peer-urls"),
        Text("with what the others know: etcdctl member list -w table"),
        Text("Correct listen-peer-urls, or tell the others: etcdctl member update <member-id> --peer-urls=<url>"),
    ),
    references=("https://etcd.io/docs/v3.5/op-guide/runtime-configuration/",),
)
