"""All connections of a pool are taken, so whoever needs one waits."""

from causes.cause import Cause, Exclusion, Symptom, Term
from domain.entities import EntityKind
from domain.text import Text

CAUSE = Cause(
    slug="pool-exhausted",
    layer="application",
    title=Text("Connection pool exhausted", "连接池耗尽"),
    symptoms=frozenset({Symptom.PROBE}),
    prior=-2.2,
    needs=frozenset({"pool-exhausted"}),
    terms=(
        Term("pool-exhausted", 3.6, Text("Every connection is in use and callers wait for one.", "所有连接都在使用，调用方在等待。"),
             -2.5, Text("The pool had free connections.", "连接池有空闲连接。")),
        Term("probe-app-silent", 1.6, Text("The probed route waits as well, so it needs the pool.", "被探测接口同样在等待，说明它依赖连接池。")),
        Term("event-grpc-silent", 1.4, Text("The health call was accepted and not answered.", "健康检查调用已被接受但未应答。")),
        Term("event-headers-timeout", 1.6, Text("The kubelet connected and got no headers in time.", "kubelet 已连接但未按时收到响应头。")),
        Term("event-deadline", 0.8, Text("The kubelet waited for headers in vain, which fits but does not prove it.", "kubelet 未等到响应头：符合但不足以证明。")),
        Term("probe-status-unavailable", 0.8, Text("The application says itself that it is not ready.", "应用自报未就绪。")),
        Term("event-status-unavailable", 0.8, Text("The kubelet was told that it is not ready.", "kubelet 收到未就绪应答。")),
        Term("go-goroutines-rising", 0.6, Text("Those who wait pile up.", "等待者在堆积。")),
        Term("other-routes-slow", 0.4, Text("Other routes wait for the pool too.", "其他接口同样在等待连接池。")),
        Term("live-app-silent", 1.4, Text("A request tried just now was accepted and not answered.", "刚才的请求已被接受但未应答。")),
    ),
    exclusions=(
        Exclusion("pool-exhausted", Text("The pool had free connections throughout.", "连接池始终有空闲连接。"), seen=False),
    ),
    next_steps=(
        Text("go_sql_in_use_connections{pod=\"<pod>\"} / go_sql_max_open_connections{pod=\"<pod>\"}", "go_sql_in_use_connections{pod=\"<pod>\"} / go_sql_max_open_connections{pod=\"<pod>\"}"),
        Text("rate(go_sql_wait_duration_seconds_total{pod=\"<pod>\"}[5m])", "rate(go_sql_wait_duration_seconds_total{pod=\"<pod>\"}[5m])"),
        Text("Find who holds connections: a query without a time limit, rows that are not closed, a transaction around a call to another service. Take the pool out of the liveness route.", "找出占用连接者：无时限查询、未关闭的结果集、跨服务调用的事务。存活探针接口不应使用连接池。"),
    ),
    references=("https://pkg.go.dev/database/sql#DBStats", "https://go.dev/doc/database/manage-connections"),
    weights_from="The pool's own counters (in use equals the maximum, waiting time grows) are a statement of the library; the rest is judgement.",
    may_follow=frozenset({EntityKind.ETCD_CLUSTER, EntityKind.ETCD_MEMBER, EntityKind.WORKLOAD}),
)  # fmt: skip
