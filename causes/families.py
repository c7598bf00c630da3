"""Which measures are readings of one measurement: several observations of one fact count once in a cause's sum.

A kubelet event and a blackbox probe that both report "refused" observed one closed port; the mean fsync of a member
and the guidance it breaks are one histogram. Of the terms of one family only the one with the most weight counts.
"""

from collections.abc import Mapping
from types import MappingProxyType

FAMILIES: Mapping[str, frozenset[str]] = MappingProxyType({
    "name resolution": frozenset({"probe-dns-absent", "event-dns"}),
    "no connection": frozenset({
        "probe-transport-timeout", "event-dial-timeout", "live-dial-timeout", "event-read-timeout",
    }),
    "refused": frozenset({"probe-refused", "event-refused", "live-refused"}),
    "no answer": frozenset({"probe-app-silent", "event-grpc-silent", "event-headers-timeout", "live-app-silent"}),
    "dropped": frozenset({"probe-dropped-by-app", "event-reset", "event-eof", "event-connection-lost"}),
    "body": frozenset({"probe-body-stall", "event-body-timeout"}),
    "redirects": frozenset({"probe-redirect-loop", "event-redirect-loop", "event-redirect-warning"}),
    "status": frozenset({
        "probe-status-error", "probe-status-auth", "probe-status-missing", "probe-status-unavailable",
        "event-status-code", "event-status-auth", "event-status-missing", "event-status-unavailable",
        "event-status-internal", "event-status-bad-gateway", "event-status-gateway-late", "event-status-limited",
    }),
    "bare connection": frozenset({"probe-tcp-passes", "live-tcp-connects"}),
    "TLS": frozenset({"event-tls-timeout", "live-tls-fails"}),
    "scheme": frozenset({
        "event-tls-trust", "event-scheme-mismatch", "event-tls-refused", "event-tls-wants-certificate",
        "event-tls-unknown-name", "event-tls-version", "live-tls-untrusted", "live-scheme-mismatch",
    }),
    "certificate": frozenset({"live-cert-expired", "probe-cert-expired"}),
    "no route": frozenset({"event-unreachable", "live-unreachable"}),
    "forbidden": frozenset({"event-forbidden", "live-forbidden"}),
    "quorum": frozenset({"etcd-quorum-lost", "etcd-no-consensus", "etcd-quorum-was-lost"}),
    "image": frozenset({"event-image-pull", "pod-image-waits"}),
    "settings": frozenset({
        "event-settings-missing", "pod-settings-missing", "pod-says-bad-settings", "event-says-bad-settings",
    }),
    "start of a container": frozenset({"event-start-fails", "pod-start-fails", "event-sandbox-fails"}),
    "scheduling": frozenset({"pod-unschedulable", "event-not-scheduled"}),
    "eviction": frozenset({"pod-evicted", "event-evicted"}),
    "connections": frozenset({"pool-exhausted", "event-says-connections-full"}),
    "latency near the limit": frozenset({
        "kubelet-probe-near-timeout", "probe-slow-success", "spec-timeout-below-latency",
    }),
    "kills": frozenset({"event-liveness-kill", "kubelet-liveness-failing"}),
    "startup probe": frozenset({"kubelet-startup-failing", "event-startup-kill"}),
    "restarts": frozenset({"pod-restarted", "pod-waiting", "event-backoff"}),
    "age at failure": frozenset({"pod-young", "pod-recovered-after-start"}),
    "goroutines": frozenset({"go-goroutines-rising", "go-goroutines-leaking"}),
    "routes": frozenset({"request-latency-high", "other-routes-slow"}),
    "neighbours": frozenset({"peers-same-node-fail", "peers-keep-to-zone", "peers-other-zones-fail"}),
    "other targets": frozenset({"probe-peers-fail", "peers-most-pods-fail"}),
    "dependency": frozenset({"dependency-failing", "dependency-latency-high"}),
    "change": frozenset({"change-before", "change-guilty"}),
    "rollout": frozenset({"rollout-in-progress", "rollout-stuck"}),
    "etcd silence": frozenset({"etcd-member-scrape-gap", "etcd-member-hangs"}),
    "etcd member gone": frozenset({"etcd-member-down", "etcd-peer-disconnected"}),
    "etcd member health": frozenset({"etcd-member-unhealthy", "etcd-endpoint-unhealthy"}),
    "etcd log writes": frozenset({"etcd-fsync-one-slow", "etcd-fsync-over-guidance"}),
    "etcd round trips": frozenset({"etcd-rtt-rise", "etcd-rtt-over-limit"}),
    "etcd place of the rise": frozenset({"etcd-rtt-one-member", "etcd-rtt-towards-one", "etcd-late-member-led"}),
    "etcd cut off": frozenset({
        "etcd-member-isolated", "etcd-isolated-since-start", "etcd-peers-one-way", "etcd-membership-changed",
    }),
    "etcd load": frozenset({
        "etcd-client-surge", "etcd-watchers-behind", "etcd-slow-reads", "etcd-proposals-failed", "etcd-defragmented",
        "etcd-compaction-long", "etcd-cpu-busy",
    }),
    "etcd database room": frozenset({"etcd-disk-space-low", "etcd-quota-forecast"}),
    "API server": frozenset({"apiserver-slow", "apiserver-errors"}),
})  # fmt: skip
_FAMILY_OF = {measure: name for name, measures in FAMILIES.items() for measure in measures}


def family(measure: str) -> str:
    """The measurement that a measure is a reading of; a measure without a family is its own measurement."""
    return _FAMILY_OF.get(measure, measure)
