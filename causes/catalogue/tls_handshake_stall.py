"""TCP connects, the TLS handshake does not finish."""

from causes.cause import Cause, Exclusion, Symptom, Term
from domain.text import Text

CAUSE = Cause(
    slug="tls-handshake-stall",
    layer="network",
    title=Text("TLS handshake stalls", "TLS 握手停滞"),
    symptoms=frozenset({Symptom.PROBE}),
    prior=-1.9,
    needs=frozenset({"probe-transport-timeout", "event-tls-timeout", "live-tls-fails"}),
    terms=(
        Term("probe-transport-timeout", 2.2, Text("No usable connection until the timeout.", "直到超时都没有可用连接。"),
             -2.0, Text("Connections were made or refused at once.", "连接已建立或立即被拒绝。")),
        Term("probe-https", 0.4, Text("The target is https.", "目标为 https。"),
             -4.0, Text("The target is not https.", "目标不是 https。")),
        Term("probe-tcp-passes", 2.6, Text("TCP to the same port passes, so what stalls comes after it.", "同一端口 TCP 成功，停滞发生在其后。"),
             -2.5, Text("TCP fails as well, so it is not the handshake.", "TCP 也失败，因此不是握手。")),
        Term("event-deadline", 0.5, Text("The kubelet waited for headers in vain, which a dropped packet, a TLS stall and a blocked handler all look like.", "kubelet 未等到响应头：丢包、TLS 停滞和接口阻塞表现相同。")),
        Term("event-dial-timeout", 0.4, Text("The kubelet could not connect in time either.", "kubelet 同样未能及时建立连接。")),
        Term("event-tls-timeout", 2.6, Text("The kubelet says so itself: the TLS handshake did not finish.", "kubelet 明确报告 TLS 握手未完成。")),
        Term("live-tls-fails", 0.6, Text("A handshake tried just now failed too.", "刚才的握手同样失败。"),
             -0.8, Text("A handshake tried just now succeeded.", "刚才的握手成功。")),
        Term("live-tcp-connects", 1.0, Text("TCP connects now, so what stalls comes after it.", "TCP 现可连接，停滞发生在其后。"),
             -1.5, Text("TCP does not connect, so it is not the handshake.", "TCP 无法连接，因此不是握手。")),
    ),
    exclusions=(
        Exclusion("probe-https", Text("The target is not https.", "目标不是 https。"), seen=False),
        Exclusion("probe-refused", Text("Refused at once, before any handshake.", "握手前即被拒绝。"), also=(("probe-transport-timeout", False),)),
    ),
    next_steps=(
        Text("openssl s_client -connect <host>:<port> -servername <host> </dev/null", "openssl s_client -connect <host>:<port> -servername <host> </dev/null"),
        Text("curl -v --connect-timeout 5 https://<host>:<port>/", "curl -v --connect-timeout 5 https://<host>:<port>/"),
    ),
    references=("https://github.com/prometheus/blackbox_exporter", "https://www.rfc-editor.org/rfc/rfc8446",),
    weights_from="Measured on the blackbox exporter: connect stays 0 until the timeout for https while a tcp module passes.",
)  # fmt: skip
