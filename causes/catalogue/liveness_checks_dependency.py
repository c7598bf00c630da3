"""Liveness asks a dependency, so the dependency's outage restarts healthy pods."""

from causes.cause import Cause, Condition, Exclusion, Symptom, Term
from domain.entities import EntityKind
from domain.text import Text

CAUSE = Cause(
    slug="liveness-checks-dependency",
    layer="probe settings",
    title=Text("Liveness depends on another service", "存活探针依赖其他服务"),
    symptoms=frozenset({Symptom.PROBE}),
    prior=-2.2,
    needs=frozenset({"event-liveness-kill", "kubelet-liveness-failing"}),
    terms=(
        Term("dependency-failing", 2.2, Text("The dependency has an alert or a failing probe of its own at that time.", "依赖在当时有自己的告警或失败探测。"),
             -0.8, Text("No witness of a dependency saw trouble.", "没有依赖的证人看到异常。")),
        Term("dependency-latency-high", 1.4, Text("The dependency was slow at that time.", "依赖当时变慢。")),
        Term("event-liveness-kill", 1.8, Text("The kubelet ended containers because of liveness.", "kubelet 因存活探针终止容器。"),
             -1.8, Text("The kubelet ended no container because of liveness.", "kubelet 没有因存活探针终止容器。")),
        Term("kubelet-liveness-failing", 1.6, Text("Liveness fails, and a dependency should never reach it.", "存活探针失败，而依赖不应影响它。"),
             -2.0, Text("Liveness does not fail.", "存活探针没有失败。")),
        Term("peers-same-workload-fail", 1.2, Text("Many pods of the workload fail at once: they share the dependency.", "该工作负载的多个 Pod 同时失败：它们共享依赖。"),
             -0.8, Text("Other pods of the workload are fine.", "该工作负载的其他 Pod 正常。")),
        Term("probe-status-unavailable", 1.6, Text("A liveness route that answers 503 looks at something else than its own process.", "存活探针接口返回 503，说明它检查了进程以外的东西。")),
        Term("event-status-unavailable", 1.6, Text("A liveness route that answers 503 looks at something else than its own process.", "存活探针接口返回 503，说明它检查了进程以外的东西。")),
        Term("pod-restarted", 0.6, Text("Restarts follow.", "随后发生重启。"),
             -0.4, Text("Nothing was restarted.", "没有重启。")),
        Term("pod-crashed", 0.2, Text("No process ended by itself.", "没有进程自行退出。"),
             -1.2, Text("The process ended by itself.", "进程自行退出。"), condition=Condition.NOT_SEEN),
    ),
    exclusions=(
        Exclusion("kubelet-liveness-failing", Text("Liveness did not fail.", "存活探针没有失败。"), seen=False, also=(("pod-restarted", False),)),
    ),
    next_steps=(
        Text("kubectl -n <ns> get events --field-selector reason=Killing --sort-by=.lastTimestamp", "kubectl -n <ns> get events --field-selector reason=Killing --sort-by=.lastTimestamp"),
        Text("Take every database, cache and remote call out of the liveness route; readiness may look at what this pod cannot serve without.", "将数据库、缓存和远程调用移出存活探针接口；就绪探针可检查必需依赖。"),
        Text("Repair the dependency first: restarting pods does not help and makes it worse when they all reconnect.", "先修复依赖：重启 Pod 无济于事，集中重连反而加重负担。"),
    ),
    references=("https://kubernetes.io/docs/concepts/configuration/liveness-readiness-startup-probes/", "https://sre.google/sre-book/addressing-cascading-failures/"),
    weights_from="Judgement: the dependency's own alert in the same window, several pods at once and liveness failures together; none of them alone is enough.",
    about=EntityKind.WORKLOAD,
    may_follow=frozenset({EntityKind.ETCD_CLUSTER, EntityKind.ETCD_MEMBER, EntityKind.WORKLOAD}),
)  # fmt: skip
