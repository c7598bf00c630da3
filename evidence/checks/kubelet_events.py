"""Which failures do the events of the pod report? They show which failure, and never how many."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from lightkube.models.core_v1 import Event

from domain.findings import Item
from domain.scope import Scope
from domain.text import Text
from evidence.check import Ask, Check, Measure, MeasureResult
from evidence.clients.kubernetes import of, utc
from evidence.kubelet_messages import OVER_LOOPBACK, MessageClass, classify
from evidence.onset import LEAD, fault_at
from evidence.pods import about_probes, is_ours, namespace

MEANINGS = {
    "event-refused": Text("nobody listens on the port"),
    "event-deadline": Text(
        "no answer within timeoutSeconds; a dropped packet, a TLS stall and a blocked handler all read like this"
    ),
    "event-headers-timeout": Text("connected, and no headers in time (old kubelet)"),
    "event-dial-timeout": Text("no TCP connection in time"),
    "event-unreachable": Text("no route to the pod"),
    "event-tls-trust": Text("the certificate is not trusted"),
    "event-tls-timeout": Text("connected, and the TLS handshake did not end"),
    "event-tls-refused": Text("the server refused the TLS handshake"),
    "event-tls-wants-certificate": Text("the server wants a client certificate, which a probe has not"),
    "event-tls-unknown-name": Text("the server has no certificate for the name that it was asked by (SNI)"),
    "event-tls-version": Text("no version of TLS that both sides speak"),
    "event-scheme-mismatch": Text("HTTP spoken to HTTPS or the other way round"),
    "event-reset": Text("the connection was reset"),
    "event-eof": Text("accepted, then closed without an answer"),
    "event-http2-cleartext": Text("the port speaks HTTP/2 without TLS, as gRPC does"),
    "event-connection-lost": Text("the connection was lost or closed before the answer"),
    "event-read-timeout": Text("connected, and then nothing was acknowledged any more"),
    "event-forbidden": Text("a policy forbids the connection"),
    OVER_LOOPBACK: Text("the probe asked the loopback address of its node, which crosses no network"),
    "event-status-code": Text("the application answered with an error status"),
    "event-status-auth": Text("status 401 or 403: the probe is not authorised"),
    "event-status-missing": Text("status 404: there is no such path"),
    "event-status-unavailable": Text("status 503: the application says it is not ready"),
    "event-status-internal": Text("status 500: the application says that it failed"),
    "event-status-bad-gateway": Text("status 502: a proxy got no valid answer from the server behind it"),
    "event-status-gateway-late": Text("status 504: a proxy waited in vain for the server behind it"),
    "event-status-limited": Text("status 429: too many requests"),
    "event-body-timeout": Text("headers came, and the body did not end in time"),
    "event-redirect-warning": Text("redirected to another host, which counts as success"),
    "event-redirect-loop": Text("redirected in a circle"),
    "event-grpc-connect": Text("no HTTP/2 connection for the gRPC probe"),
    "event-grpc-silent": Text("connected, and the gRPC health call was not answered"),
    "event-grpc-unimplemented": Text("the server has no gRPC health service"),
    "event-not-serving": Text("the application says NOT_SERVING"),
    "event-dns": Text("a name did not resolve"),
    "event-exec-timeout": Text("the probe's command did not end in time"),
    "event-exec-missing": Text("the probe's command is not in the container"),
    "event-exec-failed": Text("the probe's command ended with an error"),
    "event-exec-stopped": Text("the container did not run when the probe's command was to start"),
    "event-exec-runtime": Text("the container runtime could not start the probe's command"),
    "event-grpc-unknown-service": Text("the gRPC server does not know the service that the probe asks for"),
    "event-grpc-error": Text("the gRPC health call ended with an error"),
    "event-not-http": Text("the port does not speak HTTP"),
    "event-probe-invalid": Text("the probe itself is not valid"),
    "event-node-out-of-files": Text("the node has no free file descriptor for the probe"),
    "event-node-out-of-ports": Text("the node has no free local port for the probe"),
    "event-address-family": Text("the probe's address is of a family (IPv4, IPv6) that is not there"),
    "event-says-connections-full": Text("the server says that all its connections are taken"),
    "event-says-loading": Text("the server says that it is still loading or recovering"),
    "event-says-stopping": Text("the server says that it is shutting down"),
    "event-says-disk-full": Text("the server says that it cannot write to its disk"),
    "event-says-memory-full": Text("the server says that its memory is used up"),
    "event-says-denied": Text("the server says that the login is wrong or missing"),
    "event-says-no-upstream": Text("the proxy says that no server behind it can be reached"),
    "event-says-upstream-late": Text("the proxy says that the server behind it is late"),
    "event-says-limited": Text("the server says that it limits the rate of requests"),
    "event-says-workers-full": Text("the server says that its workers or files are used up"),
    "event-says-bad-settings": Text("the server says that its configuration is wrong"),
    "event-liveness-kill": Text("killed because the liveness probe failed"),
    "event-startup-kill": Text("killed because the startup probe failed"),
    "event-stopping": Text("stopped on purpose: a deletion or a rollout"),
    "event-backoff": Text("the restart is delayed because it failed again and again"),
    "event-failed-mount": Text("a volume could not be mounted"),
    "event-image-pull": Text("an image could not be pulled"),
    "event-not-scheduled": Text("no node was found for the pod"),
    "event-evicted": Text("the pod was evicted from its node"),
    "event-settings-missing": Text("the container's settings name something that is not there"),
    "event-start-fails": Text("the container runtime could not start the container"),
    "event-sandbox-fails": Text("the pod's sandbox, with its network, could not be made"),
}
# What a network may be the cause of.
CROSSING = frozenset({"event-deadline", "event-dial-timeout", "event-unreachable", "event-read-timeout"})
KEPT = timedelta(hours=1)
IF_NOT = Text(
    "None of the kept events says so. That is weak: events are limited in rate, joined when alike, and forgotten"
    " after an hour."
)


@dataclass(frozen=True, slots=True)
class PodEvent:
    """One event of the incident's pods within the window."""

    message_class: MessageClass
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
    events = sorted(_pod_events(api.events(where), ask.scope, since), key=lambda e: (e.first, e.pod, e.message))
    return {slug: _measure_of(slug, events, since, ask.scope.as_of - since > KEPT) for slug in MEANINGS}


def _pod_events(events: Iterable[Event], scope: Scope, since: datetime) -> Iterable[PodEvent]:
    """The events of the incident's pods that were seen at `since` or later and first by `as_of`."""
    for event in events:
        pod = event.involvedObject.name or ""
        if event.involvedObject.kind != "Pod" or not is_ours(scope, pod):
            continue
        first, last = _times(event)
        if not first or not last or utc(last) < since or utc(first) > scope.as_of:
            continue
        reason, message = event.reason or "", event.message or ""
        yield PodEvent(
            message_class=classify(reason, message),
            pod=pod,
            reason=reason,
            message=message[:300],
            count=_count(event),
            first=utc(first),
            last=utc(last),
        )


def _times(event: Event) -> tuple[datetime | None, datetime | None]:
    """When the event was first and last observed; old and new events carry their times in different fields."""
    last_of_series = event.series.lastObservedTime if event.series else None
    created = event.metadata.creationTimestamp
    last = event.lastTimestamp or last_of_series or event.eventTime or created
    first = event.firstTimestamp or event.eventTime or created or last
    return first, last


def _count(event: Event) -> int:
    of_series = event.series.count if event.series else None
    return of_series or event.count or 1


def _item(event: PodEvent) -> Item:
    return Item(f"{event.first:%H:%M:%S} {event.message}", float(event.message_class.code) or None, f"x{event.count}")


def _measure_of(slug: str, events: list[PodEvent], since: datetime, too_old: bool) -> MeasureResult:
    hits = [e for e in events if slug in e.message_class.slugs]
    if slug == OVER_LOOPBACK and any(CROSSING & set(e.message_class.slugs) for e in events if e not in hits):
        hits = []  # other probes of the incident fail as well, and may cross a network
    meaning = MEANINGS[slug]
    if not hits and too_old and not events:
        why = Text("the API server forgets events after about an hour")
        return MeasureResult(None, why, why_unknown=why)
    if not hits:
        no = Text("None of the {count} kept events says: {meaning}.", count=len(events), meaning=meaning)
        return MeasureResult(False, no, 0.0, 0)
    probes = ", ".join(sorted({e.message_class.probe for e in hits if e.message_class.probe})) or hits[0].reason
    yes = Text(
        "{count} events of {pod} ({probes}): {meaning}. A count of events is not a count of failures.",
        count=len(hits),
        pod=hits[0].pod,
        probes=probes,
        meaning=meaning,
    )
    items = tuple(
        Item(f"{e.first:%H:%M:%S} {e.message}", float(e.message_class.code) or None, f"x{e.count}") for e in hits[:8]
    )
    return MeasureResult(
        True, yes, float(len(hits)), 0, hits[0].pod, items=items, first_seen_at=max(hits[0].first, since)
    )


CHECK = Check(
    "kubelet-events",
    Text("What do the pod's events say?"),
    tuple(
        Measure(
            slug,
            Text("Does an event say: {meaning}?", meaning=t),
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
