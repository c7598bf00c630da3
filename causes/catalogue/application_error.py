"""The probed route answers 500."""

from causes.cause import Cause, Condition, Exclusion, Sentences, Symptom, Term
from domain.entities import EntityKind
from domain.text import Text

CAUSE = Cause(
    slug="application-error",
    layer="application",
    title=Text("The application itself answers with an error"),
    symptoms=frozenset({Symptom.PROBE}),
    prior=-2.0,
    weights_from="The application's own status; why it fails it does not say. Weights are judgement.",
    needs=frozenset({"event-status-internal"}),
    may_follow=frozenset({EntityKind.HOST, EntityKind.WORKLOAD}),
    terms=(
        Term("event-status-internal", supports=2.6),
        Term("dependency-failing", supports=0.6),
        Term("pod-crashed", supports=0.1, opposes=-0.8, when=Condition.NOT_SEEN),
        Term("event-deadline", supports=0.1, opposes=-0.8, when=Condition.NOT_SEEN),
    ),
    sentences={
        "event-status-internal": Sentences(supports=Text("500: the probed route ran, and failed.")),
        "dependency-failing": Sentences(supports=Text("Something that it depends on was in trouble at that time.")),
        "pod-crashed": Sentences(supports=Text("The container did not crash."), opposes=Text("The container crashed.")),
        "event-deadline": Sentences(supports=Text("It answers in time."), opposes=Text("It also answers too late.")),
    },
    exclusions=(
        Exclusion(when={"event-status-internal": False}, sentence=Text("The application did not answer 500.")),
    ),
    next_steps=(
        Text("kubectl -n <ns> logs <pod> --since=30m | grep -iE 'error|exception|traceback' | tail -30"),
        Text("kubectl -n <ns> exec <pod> -- wget -S -O- http://127.0.0.1:<port><path>"),
        Text("kubectl -n <ns> rollout history deployment/<name>"),
    ),
    references=("https://www.rfc-editor.org/rfc/rfc9110#name-500-internal-server-error",),
)
