"""What each message of the kubelet proves: a table of patterns, first hit wins within the probe messages.

The texts come from Go's HTTP client, which changed: rows marked `old` were met up to Go 1.22. A message is other
people's text; it is matched within its first 2,000 characters only.
"""

import re
from dataclasses import dataclass, replace

READ = 2000
OVER_LOOPBACK = "event-over-loopback"
# The recorder of events puts its own words in front when it joins similar ones.
COMBINED = r"^(?:\(combined from similar events\): )?"
PREFIX = re.compile(COMBINED + r"(Readiness|Liveness|Startup) probe (failed|errored|warning)", re.IGNORECASE)
URL = re.compile(r'\b(Get|Head|Post) "[^"]*": ')
LOOPBACK = re.compile(
    r'\b(?:Get|Head|Post) "https?://(?:127\.\d+\.\d+\.\d+[:/"]|localhost[:/"]|\[::1\])|'
    r"\bdial tcp[46]? (?:127\.|\[::1\])"
)
CODE = re.compile(r"HTTP probe failed with statuscode: (\d{3})")
BY_CODE = {401: "event-status-auth", 403: "event-status-auth", 404: "event-status-missing",
           503: "event-status-unavailable"}  # fmt: skip

# In this order: a more specific text comes before the general one that it contains.
PROBE_ROWS: tuple[tuple[str, tuple[str, ...]], ...] = (
    # A probe that errors with a status of gRPC ran in its container, by the runtime's interface.
    (r"executable file not found|OCI runtime exec failed: .{0,200}no such file or directory", ("event-exec-missing",)),
    (
        r"probe errored[^:]{0,40}: rpc error: code = DeadlineExceeded|failed to exec in container: timeout",
        ("event-exec-timeout",),
    ),
    (r"while reading body", ("event-body-timeout",)),
    (r"Probe terminated redirects", ("event-redirect-warning",)),
    (r"stopped after \d+ redirects", ("event-redirect-loop",)),
    (r'responded with "NOT_SERVING"|service unhealthy \(responded', ("event-not-serving",)),
    (r"health rpc did not complete within|health rpc probe timed out", ("event-grpc-silent",)),
    (r"(timeout|error): failed to connect service", ("event-grpc-connect",)),
    (r"does not implement the grpc health protocol", ("event-grpc-unimplemented",)),
    (r"no such host|server misbehaving|lookup \S+( on \S+)?: ", ("event-dns",)),
    (r"x509: |tls: (failed to verify|bad certificate|unknown certificate)", ("event-tls-trust",)),
    (r"remote error: tls: certificate required", ("event-tls-refused", "event-tls-wants-certificate")),
    (r"remote error: tls: unrecognized name", ("event-tls-refused", "event-tls-unknown-name")),
    (
        r"remote error: tls: (protocol version not supported|insufficient security level)",
        ("event-tls-refused", "event-tls-version"),
    ),
    (r"tls: server selected unsupported protocol version|tls: no supported versions", ("event-tls-version",)),
    (r"remote error: tls: ", ("event-tls-refused",)),
    (r"TLS handshake timeout", ("event-tls-timeout",)),
    (r"server gave HTTP response to HTTPS client", ("event-scheme-mismatch",)),
    (r'malformed HTTP response "\\x15\\x03|first record does not look like a TLS', ("event-scheme-mismatch",)),
    # The first frame of HTTP/2, settings, in place of a status line.
    (r'malformed HTTP response "\\x00\\x00', ("event-http2-cleartext",)),
    (
        r"http2: (no cached connection|server sent GOAWAY|client connection (lost|force closed))",
        ("event-connection-lost",),
    ),
    (r"connection refused", ("event-refused",)),
    (r"connect: (operation not permitted|permission denied)", ("event-forbidden",)),
    (r"\bread tcp[46]? .{0,200}: read: connection timed out", ("event-read-timeout",)),
    (r"no route to host|network is unreachable|host is down", ("event-unreachable",)),
    (r"dial tcp[46]? \S+: (i/o timeout|connect: connection timed out)", ("event-dial-timeout",)),
    # old: still dialling or in the TLS handshake
    (r"request canceled while waiting for connection", ("event-dial-timeout",)),
    # old: connected, and no headers came
    (r"net/http: request canceled \(Client\.Timeout", ("event-deadline", "event-headers-timeout")),
    # Dropped SYN, TLS stall, blocked handler, frozen process: all the same bytes. Ambiguous for ever.
    (r"context deadline exceeded|Client\.Timeout exceeded while awaiting headers", ("event-deadline",)),
    (r"connection reset by peer|broken pipe", ("event-reset",)),
    (r"\bEOF\b|server closed idle connection", ("event-eof",)),
    (r"command .* timed out|command timed out", ("event-exec-timeout",)),
)
# The words of the kubelet about an image that it cannot get; `BackOff` and `Failed` speak of containers too.
IMAGE = re.compile(
    r"pull(?:ing)? image|ErrImagePull|ImagePullBackOff|ErrImageNeverPull|InvalidImageName|RegistryUnavailable|"
    r"SignatureValidationFailed|image tag|inspect image|pull policy",
    re.IGNORECASE,
)
PROBE_TABLE = tuple((re.compile(pattern), slugs) for pattern, slugs in PROBE_ROWS)


@dataclass(frozen=True, slots=True)
class MessageClass:
    """What one event proves: measure slugs, the probe's type (empty if none) and the HTTP status (0 if none)."""

    slugs: tuple[str, ...]
    probe: str = ""
    code: int = 0


def classify(reason: str, message: str) -> MessageClass:
    """The slugs that an event of this reason and message proves; none when the table does not know it."""
    text = URL.sub("", message[:READ])  # a probe's path is anybody's text
    found = PREFIX.match(text)
    if reason in {"Unhealthy", "ProbeWarning"} or found:
        made = _probe_class(text, found.group(1).capitalize() if found else "")
        return replace(made, slugs=(*made.slugs, OVER_LOOPBACK)) if LOOPBACK.search(message[:READ]) else made
    return MessageClass(_lifecycle(reason, text))


def _probe_class(text: str, probe: str) -> MessageClass:
    if status := CODE.search(text):
        code = int(status.group(1))
        special = BY_CODE.get(code)
        return MessageClass(("event-status-code", *((special,) if special else ())), probe, code)
    for pattern, slugs in PROBE_TABLE:
        if pattern.search(text):
            return MessageClass(slugs, probe)
    return MessageClass((), probe)


def _lifecycle(reason: str, text: str) -> tuple[str, ...]:
    if reason == "Killing":
        if "failed liveness probe" in text:
            return ("event-liveness-kill",)
        if "failed startup probe" in text:
            return ("event-startup-kill",)
        return ("event-stopping",) if text.startswith("Stopping container") else ()
    if reason == "BackOff" and "restarting failed container" in text:
        return ("event-backoff",)
    if reason in {"InspectFailed", "ErrImageNeverPull"} or (reason in {"BackOff", "Failed"} and IMAGE.search(text)):
        return ("event-image-pull",)
    return ("event-failed-mount",) if reason in {"FailedMount", "FailedAttachVolume"} else ()
