"""Something that accepted the connection kills it."""

from causes.cause import Cause, Condition, Exclusion, Symptom, Term
from domain.entities import EntityKind
from domain.text import Text

CAUSE = Cause(
    slug="connection-reset",
    layer="network",
    title=Text("Connections are reset"),
    symptoms=frozenset({Symptom.PROBE}),
    prior=-2.0,
    terms=(
        Term("event-reset", 3.0, Text("The kubelet's connection was reset by the other side."),
             -1.0, Text("The kubelet saw no reset."), group="reset"),
        Term("event-eof", 0.6, Text("The connection was closed before any answer.")),
        Term("probe-dropped-by-app", 1.6, Text("Connected, then dropped at once without an answer."),
             -1.2, Text("No connection was dropped.")),
        Term("pod-crashed", 0.3, Text("The process lives, so it is not its death that cuts the connections."),
             -1.5, Text("The process died, which cuts connections."), condition=Condition.NOT_SEEN),
        Term("pod-restarted", 0.2, Text("Nothing was restarted."),
             -0.8, Text("A restart cuts connections as well."), condition=Condition.NOT_SEEN),
        Term("pod-being-deleted", 0.1, Text("The pod was not on its way out."),
             -1.0, Text("A pod on its way out closes its connections."), condition=Condition.NOT_SEEN),
        Term("event-scheme-mismatch", 0.1, Text("Both sides speak the same scheme."),
             -2.0, Text("Plain HTTP to a TLS port is closed just like this."), condition=Condition.NOT_SEEN),
        Term("tcp-retransmits-high", 0.4, Text("Segments had to be sent again.")),
    ),
    exclusions=(
        Exclusion("probe-dropped-by-app", Text("No connection was dropped, by no observer."), seen=False, also=(("event-reset", False), ("event-eof", False))),
    ),
    next_steps=(
        Text("In the pod's network: tcpdump -ni any 'tcp[tcpflags] & tcp-rst != 0 and port <port>'"),
        Text("kubectl -n <ns> logs <pod> --since=30m | grep -iE 'panic|reset|broken pipe'"),
        Text("If a sidecar or proxy sits in front: look at its own connection limits and logs."),
    ),
    references=("https://www.rfc-editor.org/rfc/rfc9293#name-reset-processing", "https://kubernetes.io/docs/tasks/debug/debug-application/debug-service/"),
    weights_from="Measured on the blackbox exporter (reset and EOF before headers: connect above 0, processing 0, far below the timeout); the share of panics and proxies is judgement.",
    may_follow=frozenset({EntityKind.HOST}),
)  # fmt: skip
