"""What do the events of the pod say, message by message? They tell which failure, and never how many."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from lightkube.models.core_v1 import Event

from domain.findings import Item
from domain.scope import Scope
from domain.text import Text
from evidence.check import Ask, Check, Measure, MeasureResult
from evidence.clients.kubernetes import of
from evidence.kubelet_messages import Said, classify
from evidence.onset import fault_at
from evidence.pods import LEAD, about_probes, is_ours, namespace

MEANINGS = {
    "event-refused": Text("nobody listens on the port", "端口无监听"),
    "event-deadline": Text(
        "no answer within timeoutSeconds; a dropped packet, a TLS stall and a blocked handler all read like this",
        "在 timeoutSeconds 内无响应；丢包、TLS 停滞与处理阻塞的文本完全相同",
    ),
    "event-headers-timeout": Text("connected, and no headers in time (old kubelet)", "已连接但响应头超时（旧版）"),
    "event-dial-timeout": Text("no TCP connection in time", "未能按时建立 TCP 连接"),
    "event-unreachable": Text("no route to the pod", "没有到 Pod 的路由"),
    "event-tls-trust": Text("the certificate is not trusted", "证书不受信任"),
    "event-tls-timeout": Text("connected, and the TLS handshake did not end", "已连接但 TLS 握手未完成"),
    "event-scheme-mismatch": Text("HTTP spoken to HTTPS or the other way round", "HTTP 与 HTTPS 协议不匹配"),
    "event-reset": Text("the connection was reset", "连接被重置"),
    "event-eof": Text("accepted, then closed without an answer", "已接受连接，但未应答即关闭"),
    "event-status-code": Text("the application answered with an error status", "应用返回错误状态码"),
    "event-status-auth": Text("status 401 or 403: the probe is not authorised", "状态 401 或 403：探针未获授权"),
    "event-status-missing": Text("status 404: there is no such path", "状态 404：路径不存在"),
    "event-status-unavailable": Text("status 503: the application says it is not ready", "状态 503：应用表示未就绪"),
    "event-body-timeout": Text("headers came, and the body did not end in time", "收到响应头，但正文未按时结束"),
    "event-redirect-warning": Text("redirected to another host, which counts as success", "重定向到其他主机，计为成功"),
    "event-redirect-loop": Text("redirected in a circle", "循环重定向"),
    "event-grpc-connect": Text("no HTTP/2 connection for the gRPC probe", "gRPC 探针无法建立 HTTP/2 连接"),
    "event-grpc-silent": Text("connected, and the gRPC health call was not answered", "已连接，但 gRPC 健康检查未应答"),
    "event-grpc-unimplemented": Text("the server has no gRPC health service", "服务端未实现 gRPC 健康检查"),
    "event-not-serving": Text("the application says NOT_SERVING", "应用返回 NOT_SERVING"),
    "event-dns": Text("a name did not resolve", "域名无法解析"),
    "event-exec-timeout": Text("the probe's command did not end in time", "探针命令未按时结束"),
    "event-liveness-kill": Text("killed because the liveness probe failed", "因存活探针失败被杀"),
    "event-startup-kill": Text("killed because the startup probe failed", "因启动探针失败被杀"),
    "event-stopping": Text("stopped on purpose: a deletion or a rollout", "主动停止：删除或发布"),
    "event-backoff": Text("the restart is delayed because it failed again and again", "反复失败，重启被延后"),
    "event-failed-mount": Text("a volume could not be mounted", "卷无法挂载"),
}  # fmt: skip
KEPT = timedelta(hours=1)
IF_NOT = Text(
    "None of the kept events says so. That is weak: events are limited in rate, joined when alike, and forgotten "
    "after an hour.",
    "保留的事件均未提及。证据较弱：事件受限速、会合并，且一小时后被清除。",
)


@dataclass(frozen=True, slots=True)
class Seen:
    """One event of the incident's pods within the window."""

    said: Said
    pod: str
    reason: str
    message: str
    count: int
    first: datetime
    last: datetime


def _collect(ask: Ask) -> dict[str, MeasureResult]:
    where = namespace(ask.scope)
    api = ask.kubernetes(of("api/v1", where, "events"))
    since = fault_at(ask.scope) - LEAD
    events = sorted(_read(api.events(where), ask.scope, since), key=lambda e: (e.first, e.pod, e.message))
    return {slug: _told(slug, events, since, ask.scope.as_of - since > KEPT) for slug in MEANINGS}


def _read(events: Iterable[Event], scope: Scope, since: datetime) -> Iterable[Seen]:
    for event in events:
        name = event.involvedObject.name or ""
        if event.involvedObject.kind != "Pod" or not is_ours(scope, name):
            continue
        series = event.series.lastObservedTime if event.series else None
        last = event.lastTimestamp or series or event.eventTime or event.metadata.creationTimestamp
        first = event.firstTimestamp or event.eventTime or event.metadata.creationTimestamp or last
        if last and first and since <= _utc(last) and _utc(first) <= scope.as_of:
            said = classify(event.reason or "", event.message or "")
            count = (event.series.count if event.series else None) or event.count or 1
            yield Seen(said, name, event.reason or "", (event.message or "")[:300], count, _utc(first), _utc(last))


def _utc(time: datetime) -> datetime:
    return time.astimezone(UTC) if time.tzinfo else time.replace(tzinfo=UTC)


def _told(slug: str, events: list[Seen], since: datetime, too_old: bool) -> MeasureResult:
    hits = [e for e in events if slug in e.said.slugs]
    meaning = MEANINGS[slug]
    if not hits and too_old and not events:
        why = Text("the API server forgets events after about an hour", "API Server 约一小时后清除事件")
        return MeasureResult(None, why, why_unknown=why)
    if not hits:
        no = Text(f"None of the {len(events)} kept events says: {meaning.en}.",
                  f"保留的 {len(events)} 条事件均未说明：{meaning.zh}。")  # fmt: skip
        return MeasureResult(False, no, 0.0, 0)
    probes = ", ".join(sorted({e.said.probe for e in hits if e.said.probe})) or hits[0].reason
    yes = Text(
        f"{len(hits)} events of {hits[0].pod} ({probes}): {meaning.en}. A count of events is not a count of failures.",
        f"{hits[0].pod} 的 {len(hits)} 条事件（{probes}）：{meaning.zh}。事件数不等于失败次数。",
    )
    items = tuple(Item(f"{e.first:%H:%M:%S} {e.message}", float(e.said.code) or None, f"x{e.count}") for e in hits[:8])
    return MeasureResult(
        True, yes, float(len(hits)), 0, hits[0].pod, items=items, first_seen_at=max(hits[0].first, since)
    )


CHECK = Check(
    "kubelet-events",
    Text("What do the pod's events say?", "该 Pod 的事件说明了什么？"),
    tuple(
        Measure(
            slug,
            Text(f"Does an event say: {t.en}?", f"是否有事件说明：{t.zh}？"),
            "events",
            if_not=IF_NOT,
            items_unit="status",
        )
        for slug, t in MEANINGS.items()
    ),
    about_probes,
    _collect,
    needs=("kubernetes api",),
)
