"""The process ended with an error and took its listener with it."""

from causes.cause import Cause, Condition, Exclusion, Symptom, Term
from domain.entities import EntityKind
from domain.text import Text

CAUSE = Cause(
    slug="handler-crash",
    layer="application",
    title=Text("The process or its handler crashed", "进程或处理函数崩溃"),
    symptoms=frozenset({Symptom.PROBE}),
    prior=-1.8,
    needs=frozenset({"pod-crashed", "event-eof", "probe-dropped-by-app", "event-backoff", "pod-waiting"}),
    terms=(
        Term("pod-crashed", 3.0, Text("The container ended with an error of its own.", "容器自身以错误退出。"),
             -2.0, Text("No container ended with an error.", "没有容器以错误退出。"), group="crash"),
        Term("probe-refused", 0.8, Text("Refused at once: the listener is gone.", "立即被拒绝：监听已消失。"),
             -0.4, Text("Nothing was refused.", "没有连接被拒绝。")),
        Term("probe-dropped-by-app", 2.2, Text("Connections were closed without an answer, as a panic in a handler does while the process lives on.", "连接未应答即被关闭：处理函数 panic 时进程仍存活。"), group="crash"),
        Term("pod-restarted", 0.8, Text("The container was restarted.", "容器已重启。"),
             -0.4, Text("No restart was counted.", "没有重启。")),
        Term("pod-oom-killed", 0.1, Text("It was not killed for memory.", "并非因内存被杀。"),
             -2.0, Text("It was killed for memory, it did not crash by itself.", "因内存被杀，而非自身崩溃。"), condition=Condition.NOT_SEEN),
        Term("event-refused", 0.8, Text("The kubelet was refused: the listener is gone.", "kubelet 被拒绝：监听已消失。")),
        Term("event-reset", 0.2, Text("Nothing was reset: whoever closed did it in order.", "没有重置：连接是有序关闭的。"),
             -1.0, Text("Connections were reset, which a panic in a handler does not do.", "连接被重置，处理函数 panic 不会如此。"), condition=Condition.NOT_SEEN),
        Term("event-eof", 3.4, Text("The server accepted and closed without an answer, as a panic in a handler makes it.", "服务端接受连接后未应答即关闭，处理函数 panic 即如此。"), group="crash"),
        Term("event-backoff", 0.8, Text("The kubelet waits longer and longer before the next start.", "kubelet 重启间隔不断增大。")),
        Term("pod-waiting", 0.8, Text("The container waits to be started again.", "容器正等待再次启动。")),
        Term("kubelet-liveness-failing", 0.2, Text("It was not ended by the liveness probe.", "并非被存活探针终止。"),
             -0.8, Text("The liveness probe failed before, so it may have been ended from outside.", "此前存活探针失败，可能是被外部终止。"), condition=Condition.NOT_SEEN),
        Term("event-startup-kill", 0.1, Text("It was not ended by the startup probe.", "并非被启动探针终止。"),
             -2.5, Text("The kubelet ended it because of the startup probe.", "kubelet 因启动探针失败终止了它。"), condition=Condition.NOT_SEEN, group="killed"),
        Term("event-liveness-kill", 0.1, Text("The kubelet did not end it.", "并非被 kubelet 终止。"),
             -2.0, Text("The kubelet ended it because of liveness.", "kubelet 因存活探针终止了它。"), condition=Condition.NOT_SEEN, group="killed"),
        Term("live-refused", 0.6, Text("A connection tried just now was refused.", "刚才的连接尝试被拒绝。")),
    ),
    exclusions=(
        Exclusion("pod-crashed", Text("No container ended with an error, none restarted, and no connection was dropped.", "没有容器出错退出或重启，也没有连接被断开。"), seen=False, also=(("pod-restarted", False), ("probe-dropped-by-app", False))),
    ),
    next_steps=(
        Text("kubectl -n <ns> logs <pod> --previous --tail=200", "kubectl -n <ns> logs <pod> --previous --tail=200"),
        Text("kubectl -n <ns> get pod <pod> -o jsonpath='{.status.containerStatuses[*].lastState.terminated}'", "kubectl -n <ns> get pod <pod> -o jsonpath='{.status.containerStatuses[*].lastState.terminated}'"),
        Text("If the failure began with a release: kubectl -n <ns> rollout undo deployment/<name>", "若由发布引起：kubectl -n <ns> rollout undo deployment/<name>"),
    ),
    references=("https://kubernetes.io/docs/tasks/debug/debug-application/debug-running-pod/",),
    weights_from="Exit codes are statements of the runtime; the rest is judgement.",
    may_follow=frozenset({EntityKind.HOST, EntityKind.WORKLOAD}),
)  # fmt: skip
