"""An etcd member was restarted and came back."""

from causes.cause import Cause, Condition, Exclusion, Sentences, Symptom, Term
from domain.entities import EntityKind
from domain.text import Text

CAUSE = Cause(
    slug="etcd-member-restart",
    layer="infrastructure",
    title=Text("etcd member was restarted"),
    symptoms=frozenset({Symptom.ETCD}),
    about=EntityKind.ETCD_MEMBER,
    prior=-1.8,
    weights_from=(
        "Recorded fault (follower ended and started): its own counter jumps while the members that kept running count "
        "nothing."
    ),
    terms=(
        Term("etcd-member-restarted", supports=3.2, opposes=-3.0),
        Term("etcd-leader-switch", supports=0.8, opposes=-0.4, when=Condition.NOT_SEEN),
        Term("etcd-member-down", supports=0.4, opposes=-1.5, when=Condition.NOT_SEEN),
        Term("etcd-membership-changed", supports=0.1, opposes=-3.0, when=Condition.NOT_SEEN, group="membership"),
        Term("etcd-member-isolated", supports=0.1, opposes=-3.0, when=Condition.NOT_SEEN),
    ),
    sentences={
        "etcd-member-restarted": Sentences(
            supports=Text("A restart makes the counter of leader changes jump without a switch."),
            opposes=Text("No process restarted."),
        ),
        "etcd-leader-switch": Sentences(
            supports=Text("Nothing but the restarted member saw a change."),
            opposes=Text("The leader changed as well, as when the leader restarts."),
        ),
        "etcd-member-down": Sentences(
            supports=Text("It came back."),
            opposes=Text("It did not come back."),
        ),
        "etcd-membership-changed": Sentences(
            supports=Text("It came back as the same member."),
            opposes=Text("It came back as another member, with data of its own."),
        ),
        "etcd-member-isolated": Sentences(
            supports=Text("Its peers reached it again."),
            opposes=Text("It is up again, and its peers do not reach it: the restart alone does not explain that."),
        ),
    },
    exclusions=(
        Exclusion(
            when={"etcd-member-restarted": False},
            sentence=Text("No etcd process restarted in the window."),
        ),
    ),
    next_steps=(
        Text('process_start_time_seconds{job="etcd"}'),
        Text('changes(process_start_time_seconds{job="etcd"}[1h])'),
        Text("journalctl -u etcd --since -1h; kubectl -n kube-system describe pod etcd-<node>"),
    ),
    references=(
        "https://etcd.io/docs/v3.5/faq/",
        "https://etcd.io/docs/v3.5/metrics/",
    ),
)
