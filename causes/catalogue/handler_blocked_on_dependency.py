"""The probed route waits for something else: I/O, a lock, a pool."""

from causes.cause import Cause, Condition, Exclusion, Symptom, Term
from domain.entities import EntityKind
from domain.text import Text

CAUSE = Cause(
    slug="handler-blocked-on-dependency",
    layer="application",
    title=Text("The probe's route is blocked", "探针接口被阻塞"),
    symptoms=frozenset({Symptom.PROBE}),
    prior=-1.6,
    needs=frozenset({"probe-app-silent", "event-grpc-silent", "event-headers-timeout", "event-deadline", "event-exec-timeout", "probe-route-slow"}),
    terms=(
        Term("probe-app-silent", 3.0, Text("Connected, then no byte of an answer until the timeout: the application did not answer.", "连接成功但直到超时都没有应答：应用未响应。"),
             -1.4, Text("Not the picture of a route that is blocked.", "不符合接口阻塞的特征。")),
        Term("go-goroutines-rising", 1.2, Text("Requests pile up behind what blocks.", "请求在阻塞点后堆积。"),
             -0.4, Text("Requests do not pile up.", "没有请求堆积。")),
        Term("probe-tcp-passes", 0.5, Text("The path and the listener are fine, so the route is not.", "网络与监听正常，问题在接口。"),
             -0.6, Text("TCP fails as well, which a blocked route does not cause.", "TCP 同样失败，接口阻塞不会如此。")),
        Term("go-process-answers", 0.8, Text("Another route of the process answers, so one route is blocked.", "进程的其他接口有应答，说明是单个接口阻塞。")),
        Term("request-latency-high", 0.5, Text("Other routes wait for the same thing.", "其他接口也在等待同一资源。")),
        Term("kubelet-readiness-failing", 0.3, Text("The kubelet sees it too.", "kubelet 同样观察到。")),
        Term("cpu-throttled", 0.2, Text("The CPU quota does not explain it.", "CPU 配额无法解释。"),
             -2.0, Text("CPU throttling explains the lateness of everything in the container.", "CPU 限流可以解释容器内的全部延迟。"), condition=Condition.NOT_SEEN),
        Term("event-headers-timeout", 1.6, Text("The kubelet connected and got no headers in time.", "kubelet 已连接但未按时收到响应头。")),
        Term("event-exec-timeout", 0.8, Text("The probe's command did not end in time.", "探针命令未按时结束。")),
        Term("event-deadline", 1.0, Text("The kubelet waited for headers in vain, which a dropped packet, a TLS stall and a blocked handler all look like.", "kubelet 未等到响应头：丢包、TLS 停滞和接口阻塞表现相同。")),
        Term("event-grpc-silent", 2.6, Text("The health call was accepted and not answered: the application, not the network.", "健康检查调用已被接受但未应答：问题在应用而非网络。")),
        Term("probe-route-slow", 1.2, Text("The probed route itself was slow, by the process's own clock.", "按进程自身计时，被探测接口变慢。"),
             -0.6, Text("The probed route was on time by the process's own clock.", "按进程自身计时，被探测接口正常。")),
        Term("dependency-failing", 1.4, Text("Something that it depends on was in trouble at that time.", "其依赖当时出现故障。")),
        Term("dependency-latency-high", 1.4, Text("Something that it depends on was slow at that time.", "其依赖当时变慢。")),
        Term("go-mutex-wait-high", 0.2, Text("It is not a lock within the process.", "并非进程内的锁。"),
             -2.0, Text("Goroutines wait for a lock within the process, which is more exact.", "协程在等待进程内的锁，这一解释更准确。"), condition=Condition.NOT_SEEN),
        Term("pool-exhausted", 0.2, Text("The connection pool had room.", "连接池有余量。"),
             -2.2, Text("The connection pool was exhausted, which is more exact.", "连接池已耗尽，这一解释更准确。"), condition=Condition.NOT_SEEN),
        Term("go-goroutines-leaking", 0.1, Text("Goroutines did not climb beforehand.", "此前协程数没有持续上升。"),
             -1.2, Text("Goroutines had been climbing for long before.", "协程数此前早已持续上升。"), condition=Condition.NOT_SEEN, group="goroutines-before"),
        Term("kubelet-probes-fail-together", 0.1, Text("Liveness goes on, so the block does not kill.", "存活探针正常，阻塞不会导致重启。"),
             -2.0, Text("Liveness fails with readiness, and kills: that both feel the block is what made it an outage.", "存活与就绪探针同时失败并导致重启：两者同受阻塞才使其成为故障。"), condition=Condition.NOT_SEEN),
        Term("listen-overflows", 0.2, Text("The process accepts connections.", "进程正常接受连接。"),
             -1.2, Text("The process does not even accept connections.", "进程甚至没有接受连接。"), condition=Condition.NOT_SEEN),
        Term("live-tls-fails", 0.1, Text("A handshake tried just now succeeded.", "刚才的 TLS 握手成功。"),
             -2.0, Text("A handshake tried just now does not end, so no handler was reached.", "刚才的 TLS 握手未完成，请求未到达处理函数。"), condition=Condition.NOT_SEEN),
    ),
    exclusions=(
        Exclusion("probe-refused", Text("The connection was refused: there was no listener to block.", "连接被拒绝：没有监听，谈不上阻塞。"), also=(("probe-app-silent", False), ("event-deadline", False))),
        Exclusion("probe-dns-absent", Text("The name did not resolve, the application was not reached.", "域名未解析，请求未到达应用。")),
    ),
    next_steps=(
        Text("kubectl -n <ns> describe pod <pod> | sed -n '/Events/,$p'", "kubectl -n <ns> describe pod <pod> | sed -n '/Events/,$p'"),
        Text("curl -s http://<pod-ip>:<port>/debug/pprof/goroutine?debug=2 | head -200", "curl -s http://<pod-ip>:<port>/debug/pprof/goroutine?debug=2 | head -200"),
        Text("Give the probe a route of its own that touches no database and no lock.", "为探针提供独立接口，不访问数据库，也不等待锁。"),
    ),
    references=("https://kubernetes.io/docs/concepts/configuration/liveness-readiness-startup-probes/", "https://pkg.go.dev/net/http/pprof",),
    weights_from="Recorded fault (a request held the shared lock for 40 s, 60 others waited): connected, no byte, goroutines pile up, TCP passes.",
    may_follow=frozenset({EntityKind.ETCD_CLUSTER, EntityKind.ETCD_MEMBER, EntityKind.HOST, EntityKind.WORKLOAD}),
)  # fmt: skip
