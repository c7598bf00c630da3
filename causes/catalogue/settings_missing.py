"""A ConfigMap, a Secret or a key is missing, or the program refuses its configuration."""

from causes.cause import Cause, Exclusion, Sentences, Symptom, Term
from domain.text import Text

CAUSE = Cause(
    slug="settings-missing",
    layer="start",
    title=Text("The container's settings are wrong or name what is not there"),
    symptoms=frozenset({Symptom.PROBE}),
    prior=-2.0,
    weights_from="The kubelet's and the scheduler's own statements; the rest is judgement.",
    needs=frozenset(
        {"event-settings-missing", "pod-settings-missing", "pod-says-bad-settings", "event-says-bad-settings"}
    ),
    terms=(
        Term("event-settings-missing", supports=3.8),
        Term("pod-settings-missing", supports=3.8),
        Term("pod-says-bad-settings", supports=3.4),
        Term("event-says-bad-settings", supports=3.4),
        Term("pod-not-started", supports=0.6),
    ),
    sentences={
        "event-settings-missing": Sentences(
            supports=Text("The kubelet says so itself; its message names the ConfigMap, the Secret or the key.")
        ),
        "pod-settings-missing": Sentences(supports=Text("The container waits for what its settings name.")),
        "pod-says-bad-settings": Sentences(supports=Text("The program's last words blame its configuration.")),
        "event-says-bad-settings": Sentences(supports=Text("The program says that its configuration is wrong.")),
        "pod-not-started": Sentences(supports=Text("The pod never became ready.")),
    },
    exclusions=(
        Exclusion(
            when={
                "event-settings-missing": False,
                "pod-settings-missing": False,
                "pod-says-bad-settings": False,
                "event-says-bad-settings": False,
            },
            sentence=Text("Nothing complained of the container's settings."),
        ),
    ),
    next_steps=(
        Text("kubectl -n <ns> describe pod <pod> | sed -n '/Events/,$p'"),
        Text("kubectl -n <ns> get configmap,secret"),
        Text("kubectl -n <ns> logs <pod> --previous --tail=50"),
        Text("If it began with a release: kubectl -n <ns> rollout undo deployment/<name>"),
    ),
    references=("https://kubernetes.io/docs/tasks/configure-pod-container/configure-pod-configmap/",),
)
