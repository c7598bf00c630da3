"""The popular rules as they are published, as the baseline of every figure. Nothing in the product follows them.

P99 of the peer round trip over 150 ms means the network between the zones; any increase of the leader counter is a
switch; `absent()` of a probe phase means that the connection failed, otherwise the application is slow; the text of
the first event decides the rest.
"""

import json
import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs

from domain.scope import Scope
from evidence.bundles import Bundle
from evidence.recording import Answer

P99_LIMIT_S = 0.150
TEXTS = (
    ("OOMKilled", "memory-exhausted"), ("BackOff", "handler-crash"), ("connection refused", "no-listener-at-start"),
    ("no such host", "dns-failure"), ("statuscode: 4", "wrong-probe-target"), ("x509", "tls-trust-or-scheme"),
    ("statuscode: 5", "handler-blocked-on-dependency"), ("connection reset", "connection-reset"),
    ("EOF", "connection-reset"), ("deadline exceeded", "network-path-drop"), ("timeout", "network-path-drop"),
    ("timed out", "network-path-drop"),
)  # fmt: skip


def naive_cause(bundle: Bundle, scope: Scope) -> str:
    """The cause that the published rules name, empty when none of them fires."""
    if any("etcd" in f"{alert.name} {alert.title}".lower() for alert in scope.alerts):
        return _etcd_cause(bundle)
    return _cause_by_events(bundle) or _cause_by_phases(bundle)


def _etcd_cause(bundle: Bundle) -> str:
    if max(_p99s(bundle), default=0.0) > P99_LIMIT_S:
        return "cross-az-network-jitter"
    return "etcd-member-down" if any(_changed(bundle, "etcd_server_leader_changes_seen_total")) else ""


def _p99s(bundle: Bundle) -> Iterator[float]:
    """`histogram_quantile(0.99, ...)` at every time of the recorded buckets, interpolated as Prometheus does it."""
    rows: dict[tuple[str, str, float], dict[float, float]] = {}
    for labels, values in _series(bundle, "round_trip_time_seconds_bucket"):
        if "le" not in labels:
            continue
        for at, text in values:
            key = (labels.get("instance", ""), labels.get("To", ""), at)
            rows.setdefault(key, {})[float(labels["le"].replace("+Inf", "inf"))] = float(text)
    yield from (_quantile(buckets) for buckets in rows.values())


def _quantile(buckets: dict[float, float]) -> float:
    total = buckets.get(float("inf"), 0.0)
    low, below = 0.0, 0.0
    for border, count in sorted(buckets.items()):
        if total > 0 and count >= 0.99 * total:
            return low if border == float("inf") else low + (border - low) * (0.99 * total - below) / (count - below)
        low, below = border, count
    return 0.0


def _cause_by_events(bundle: Bundle) -> str:
    for answer in _answers(bundle, lambda a: a.path.endswith("/events")):
        for event in answer.get("items", []):
            cause = _cause_by_text(f"{event.get('reason', '')} {event.get('message', '')}")
            if cause:
                return cause
    return ""


def _cause_by_text(event: str) -> str:
    return next((cause for text, cause in TEXTS if text in event), "")


def _cause_by_phases(bundle: Bundle) -> str:
    phases = {labels.get("phase") for labels, _ in _series(bundle, "probe_http_duration_seconds")} - {None}
    if not any(_changed(bundle, "probe_success")):
        return ""
    return "handler-blocked-on-dependency" if "connect" in phases else "network-path-drop"


def _changed(bundle: Bundle, metric: str) -> Iterator[bool]:
    """For each series of a metric: whether its value changed within the window."""
    for labels, values in _series(bundle, metric):
        if labels.get("__name__") == metric:
            yield len({text for _, text in values}) > 1


def _series(bundle: Bundle, asked_for: str) -> Iterator[tuple[dict[str, str], list[tuple[float, str]]]]:
    for answer in _answers(bundle, lambda a: asked_for in " ".join(parse_qs(a.body).get("query", []))):
        data = answer.get("data")
        for row in data.get("result", []) if isinstance(data, dict) else []:
            if re.search(asked_for, row["metric"].get("__name__", asked_for)):
                yield row["metric"], row.get("values", [])


def _answers(bundle: Bundle, wanted: Any) -> Iterator[dict[str, Any]]:
    for answer in bundle.answers:
        if answer.status == 200 and wanted(answer):
            yield _decoded(answer)


def _decoded(answer: Answer) -> dict[str, Any]:
    try:
        decoded = json.loads(answer.answer)
    except ValueError:
        return {}
    return decoded if isinstance(decoded, dict) else {}
