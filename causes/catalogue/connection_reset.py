"""Something that accepted the connection kills it."""

from causes.cause import Cause, Condition, Exclusion, Sentences, Symptom, Term
from domain.entities import EntityKind
from domain.text import Text

CAUSE = Cause(
    slug="connection-reset",
    layer="network",
    title=Text("Connections are reset"),
    symptoms=frozenset({Symptom.PROBE}),
    prior=-2.0,
    weights_from=(
        "Measured on the blackbox exporter (reset and EOF before headers: connect above 0, processing 0, far below the "
        "timeout); the share of panics and proxies is judgement."
    ),
    may_follow=frozenset({EntityKind.HOST}),
    terms=(
        Term("event-reset", supports=2.4, opposes=-1.0),
        Term("event-eof", supports=0.6),
        Term("event-connection-lost", supports=2.6),
        Term("probe-dropped-by-app", supports=1.0, opposes=-1.2),
        Term("pod-crashed", supports=0.3, opposes=-1.5, when=Condition.NOT_SEEN),
        Term("pod-restarted", supports=0.2, opposes=-0.8, when=Condition.NOT_SEEN),
        Term("pod-being-deleted", supports=0.1, opposes=-1.0, when=Condition.NOT_SEEN),
        Term("event-scheme-mismatch", supports=0.1, opposes=-2.0, when=Condition.NOT_SEEN),
        Term("tcp-retransmits-high", supports=0.4),
    ),
    sentences={
        "event-reset": Sentences(
            supports=Text("The kubelet's connection was reset by the other side."),
            opposes=Text("The kubelet saw no reset."),
        ),
        "event-eof": Sentences(supports=Text("The connection was closed before any answer.")),
        "event-connection-lost": Sentences(
            supports=Text("The kubelet's HTTP/2 connection was lost or closed before the answer.")
        ),
        "probe-dropped-by-app": Sentences(
            supports=Text("Connected, then dropped at once without an answer."),
            opposes=Text("No connection was dropped."),
        ),
        "pod-crashed": Sentences(
            supports=Text("The process lives, so it is not its death that cuts the connections."),
            opposes=Text("The process died, which cuts connections."),
        ),
        "pod-restarted": Sentences(
            supports=Text("Nothing was restarted."),
            opposes=Text("A restart cuts connections as well."),
        ),
        "pod-being-deleted": Sentences(
            supports=Text("The pod was not on its way out."),
            opposes=Text("A pod on its way out closes its connections."),
        ),
        "event-scheme-mismatch": Sentences(
            supports=Text("Both sides speak the same scheme."),
            opposes=Text("Plain HTTP to a TLS port is closed just like this."),
        ),
        "tcp-retransmits-high": Sentences(supports=Text("Segments had to be sent again.")),
    },
    exclusions=(
        Exclusion(
            when={
                "probe-dropped-by-app": False,
                "event-reset": False,
                "event-eof": False,
                "event-connection-lost": False,
            },
            sentence=Text("No connection was dropped, by no observer."),
        ),
    ),
    next_steps=(
        Text("In the pod's network: tcpdump -ni any 'tcp[tcpflags] & tcp-rst != 0 and port <port>'"),
        Text("kubectl -n <ns> logs <pod> --since=30m | grep -iE 'panic|reset|broken pipe'"),
        Text("If a sidecar or proxy sits in front: look at its own connection limits and logs."),
    ),
    references=(
        "https://www.rfc-editor.org/rfc/rfc9293#name-reset-processing",
        "https://kubernetes.io/docs/tasks/debug/debug-application/debug-service/",
    ),
)
