"""The two sides do not agree on TLS: wrong scheme, unknown authority, wrong name or an expired certificate."""

from causes.cause import Cause, Condition, Exclusion, Symptom, Term
from domain.text import Text

CAUSE = Cause(
    slug="tls-trust-or-scheme",
    layer="network",
    title=Text("TLS trust or scheme does not fit", "TLS 证书或协议不匹配"),
    symptoms=frozenset({Symptom.PROBE}),
    prior=-2.0,
    needs=frozenset({"event-scheme-mismatch", "event-tls-trust", "probe-refused", "live-tls-fails"}),
    terms=(
        Term("event-scheme-mismatch", 3.6, Text("One side speaks TLS and the other plain HTTP.", "一侧使用 TLS 而另一侧为明文 HTTP。")),
        Term("event-tls-trust", 3.6, Text("The certificate was not accepted.", "证书未被接受。")),
        Term("live-tls-fails", 1.2, Text("A handshake tried just now failed.", "刚才的握手失败。"),
             -1.0, Text("A handshake tried just now succeeded.", "刚才的握手成功。")),
        Term("probe-https", 0.4, Text("The target is https.", "目标为 https。"),
             -0.4, Text("The target is plain http.", "目标为明文 http。")),
        Term("probe-refused", 1.0, Text("The probe ended at once without a usable connection, as a failed handshake does.", "探测立即结束且无可用连接，握手失败即如此。")),
        Term("probe-tcp-passes", 2.0, Text("TCP to the same port passes, so it was the handshake that failed at once.", "同一端口 TCP 成功，立即失败的是握手。"),
             -1.5, Text("TCP fails as well.", "TCP 同样失败。")),
        Term("event-eof", 0.6, Text("The connection was closed without an answer.", "连接未应答即被关闭。")),
        Term("pod-restarted", 0.2, Text("Nothing was restarted.", "没有重启。"),
             -0.6, Text("It was restarted meanwhile.", "期间有重启。"), condition=Condition.NOT_SEEN),
        Term("probe-recovered-fast", 0.3, Text("It did not heal by itself.", "没有自愈。"),
             -1.0, Text("It healed by itself, which a certificate or a scheme does not.", "问题自行恢复，而证书或协议问题不会。"), condition=Condition.NOT_SEEN),
    ),
    exclusions=(
        Exclusion("probe-transport-timeout", Text("The probe ran into its timeout; a wrong scheme or certificate is answered at once.", "探测直到超时；协议或证书错误会立即得到应答。"), also=(("event-scheme-mismatch", False), ("event-tls-trust", False))),
    ),
    next_steps=(
        Text("openssl s_client -connect <host>:<port> -servername <host> </dev/null 2>/dev/null | openssl x509 -noout -dates -issuer -ext subjectAltName", "openssl s_client -connect <host>:<port> -servername <host> </dev/null 2>/dev/null | openssl x509 -noout -dates -issuer -ext subjectAltName"),
        Text("kubectl -n <ns> get pod <pod> -o yaml | grep -B2 -A6 'scheme:'", "kubectl -n <ns> get pod <pod> -o yaml | grep -B2 -A6 'scheme:'"),
        Text("probe_ssl_earliest_cert_expiry - time()", "probe_ssl_earliest_cert_expiry - time()"),
    ),
    references=("https://kubernetes.io/docs/tasks/configure-pod-container/configure-liveness-readiness-startup-probes/#http-probes", "https://www.rfc-editor.org/rfc/rfc8446"),
    weights_from="The kubelet's and Go's own messages, measured with old and new Go; the kubelet itself does not check certificates, so trust errors come from other observers. The rest is judgement.",
)  # fmt: skip
