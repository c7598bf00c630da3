"""Goroutines are started and never end, until the process is too busy or too big."""

from causes.cause import Cause, Condition, Exclusion, Symptom, Term
from domain.entities import EntityKind
from domain.text import Text

CAUSE = Cause(
    slug="goroutine-leak",
    layer="application",
    title=Text("Goroutines leak", "协程泄漏"),
    symptoms=frozenset({Symptom.PROBE}),
    prior=-2.2,
    needs=frozenset({"go-goroutines-leaking", "go-goroutines-rising"}),
    terms=(
        Term("go-goroutines-leaking", 3.4, Text("They climbed steadily long before the alert, which a sudden block does not do.", "早在告警之前就持续上升，突发阻塞不会如此。"),
             -2.0, Text("They did not climb before the alert.", "告警前没有持续上升。")),
        Term("go-goroutines-rising", 3.4, Text("There are thousands of them, far more than requests that could wait.", "数量达数千，远超可能在等待的请求。"),
             -1.0, Text("There are no more than requests can explain.", "数量未超出请求所能解释的范围。"), condition=Condition.OVER, limit=2000.0),
        Term("memory-near-limit", 0.8, Text("Their stacks fill the memory.", "协程栈占满内存。")),
        Term("probe-app-silent", 1.0, Text("The process is too busy to answer in time.", "进程过忙，未能及时应答。")),
        Term("event-deadline", 0.8, Text("The kubelet waited for headers in vain.", "kubelet 未等到响应头。")),
        Term("other-routes-slow", 0.5, Text("Every route is slower.", "所有接口都变慢。")),
        Term("probe-slow-success", 0.4, Text("Successful probes were slow.", "成功的探测变慢。")),
    ),
    exclusions=(
        Exclusion("go-goroutines-leaking", Text("The number of goroutines was steady before the alert.", "告警前协程数平稳。"), seen=False),
    ),
    next_steps=(
        Text("go_goroutines{pod=\"<pod>\"}", "go_goroutines{pod=\"<pod>\"}"),
        Text("curl -s 'http://<pod-ip>:<port>/debug/pprof/goroutine?debug=1' | head -60", "curl -s 'http://<pod-ip>:<port>/debug/pprof/goroutine?debug=1' | head -60"),
        Text("Look for a send or receive without a reader, and for requests without a context deadline; a restart helps until the next time.", "查找没有读者的发送或接收，以及没有超时上下文的请求；重启只能暂时缓解。"),
    ),
    references=("https://pkg.go.dev/net/http/pprof", "https://go.dev/blog/context"),
    weights_from="Judgement: a steady climb over the half hour before the alert tells a leak from a pile-up. Not yet measured on a recorded fault.",
    may_follow=frozenset({EntityKind.WORKLOAD}),
)  # fmt: skip
