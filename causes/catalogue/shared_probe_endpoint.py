"""Liveness and readiness ask the same route, so what should only take the pod out of service kills it."""

from causes.cause import Cause, Exclusion, Symptom, Term
from domain.text import Text

CAUSE = Cause(
    slug="shared-probe-endpoint",
    layer="probe settings",
    title=Text("Liveness and readiness share a route", "存活与就绪探针共用接口"),
    symptoms=frozenset({Symptom.PROBE}),
    prior=-2.4,
    needs=frozenset({"spec-shared-endpoint", "kubelet-probes-fail-together"}),
    terms=(
        Term("spec-shared-endpoint", 2.2, Text("The spec gives both probes the same path and port.", "规格中两个探针使用相同的路径与端口。"),
             -2.5, Text("Each probe has a route of its own.", "各探针使用独立接口。")),
        Term("kubelet-probes-fail-together", 1.6, Text("Both kinds of probe fail at the same time.", "两类探针同时失败。"),
             -1.2, Text("They do not fail together.", "它们并未同时失败。")),
        Term("event-liveness-kill", 1.6, Text("The kubelet ended the container because of liveness.", "kubelet 因存活探针终止容器。"),
             -1.0, Text("The kubelet ended no container because of liveness.", "kubelet 没有因存活探针终止容器。")),
        Term("kubelet-liveness-failing", 0.8, Text("Liveness fails as well.", "存活探针同样失败。"),
             -1.2, Text("Liveness does not fail.", "存活探针没有失败。")),
        Term("pod-restarted", 0.8, Text("Restarts follow.", "随后发生重启。"),
             -0.6, Text("Nothing was restarted yet.", "尚未发生重启。"), group="kills"),
        Term("probe-app-silent", 0.6, Text("The shared route does not answer.", "共用接口没有应答。")),
        Term("event-deadline", 0.4, Text("The kubelet waited for headers in vain.", "kubelet 未等到响应头。")),
        Term("go-goroutines-rising", 0.4, Text("Probes themselves pile up behind the block.", "探针请求自身也在堆积。")),
    ),
    exclusions=(
        Exclusion("spec-shared-endpoint", Text("Each probe has a route of its own.", "各探针使用独立接口。"), seen=False),
        Exclusion("kubelet-liveness-failing", Text("Liveness did not fail, so sharing the route did no harm.", "存活探针没有失败，共用接口未造成影响。"), seen=False, also=(("pod-restarted", False),)),
    ),
    next_steps=(
        Text("kubectl -n <ns> get pod <pod> -o yaml | grep -A6 -E 'livenessProbe|readinessProbe'", "kubectl -n <ns> get pod <pod> -o yaml | grep -A6 -E 'livenessProbe|readinessProbe'"),
        Text("Give liveness a route that only says that the process runs, for example /livez, and leave dependencies to /readyz.", "为存活探针提供仅表明进程存活的接口（如 /livez），依赖检查留给 /readyz。"),
        Text("Until then raise the liveness probe's failureThreshold, so that a slow minute does not restart pods.", "在此之前提高存活探针的 failureThreshold，避免短时变慢导致重启。"),
    ),
    references=("https://kubernetes.io/docs/concepts/configuration/liveness-readiness-startup-probes/",),
    weights_from="Judgement on the spec and on both probe kinds failing together; needs restarts or failing liveness, because a shared route alone harms nobody.",
    contributes_to=frozenset({"lock-contention", "pool-exhausted", "cpu-throttled", "goroutine-leak", "handler-blocked-on-dependency", "liveness-checks-dependency"}),
)  # fmt: skip
