"""An etcd member was restarted and came back."""

from causes.cause import Cause, Condition, Exclusion, Symptom, Term
from domain.entities import EntityKind
from domain.text import Text

CAUSE = Cause(
    slug="etcd-member-restart",
    layer="infrastructure",
    title=Text("etcd member was restarted"),
    symptoms=frozenset({Symptom.ETCD}),
    prior=-1.8,
    terms=(
        Term("etcd-member-restarted", 3.2, Text("A restart makes the counter of leader changes jump without a switch."),
             -3.0, Text("No process restarted.")),
        Term("etcd-leader-switch", 0.8, Text("Nothing but the restarted member saw a change."),
             -0.4, Text("The leader changed as well, as when the leader restarts."), condition=Condition.NOT_SEEN),
        Term("etcd-member-down", 0.4, Text("It came back."),
             -1.5, Text("It did not come back."), condition=Condition.NOT_SEEN),
    ),
    exclusions=(
        Exclusion("etcd-member-restarted", Text("No etcd process restarted in the window."), seen=False),
    ),
    next_steps=(
        Text('process_start_time_seconds{job="etcd"}'),
        Text('changes(process_start_time_seconds{job="etcd"}[1h])'),
        Text("journalctl -u etcd --since -1h; kubectl -n kube-system describe pod etcd-<node>"),
    ),
    references=("https://etcd.io/docs/v3.5/faq/", "https://etcd.io/docs/v3.5/metrics/",),
    weights_from="Recorded fault (follower ended and started): its own counter jumps while the members that kept running count nothing.",
    about=EntityKind.ETCD_MEMBER,
)  # fmt: skip
