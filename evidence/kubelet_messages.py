"""What each message of the kubelet proves: a table of patterns, first hit wins within the probe messages.

A probe that is a command fails with the command's output and nothing else, so a text that no other probe can have is
such an output. The other texts come from Go's HTTP client, which changed: rows marked `old` were met up to Go 1.22. A
message is other people's text; it is matched within its first 2,000 characters only.
"""

import re
from dataclasses import dataclass, replace

from evidence.server_words import measure_of_words

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
BY_CODE = {
    401: "event-status-auth", 403: "event-status-auth", 404: "event-status-missing", 429: "event-status-limited",
    500: "event-status-internal", 502: "event-status-bad-gateway", 503: "event-status-unavailable",
    504: "event-status-gateway-late",
}  # fmt: skip
EXEC_FAILED = "event-exec-failed"
# How the probes that are no command begin: the kubelet's HTTP client, its dialler, and its gRPC client.
NO_COMMAND = re.compile(
    r"(Get|Head|Post) (\"|https?:)|HTTP probe failed|dial tcp|read tcp|service unhealthy|stopped after|net/http: |"
    r"(timeout|error): (failed to connect service|health rpc|this server does not)|http2?: |remote error: |tls: |"
    r"x509: |(unexpected )?EOF$|context deadline exceeded|rpc error: |command .* timed out|lookup "
)

# In this order: a more specific text comes before the general one that it contains.
PROBE_ROWS: tuple[tuple[str, tuple[str, ...]], ...] = (
    # A probe that errors with a status of gRPC ran in its container, by the runtime's interface.
    (r"executable file not found|OCI runtime exec failed: .{0,200}no such file or directory", ("event-exec-missing",)),
    (
        r"probe errored[^:]{0,40}: rpc error: code = DeadlineExceeded|failed to exec in container: timeout|"
        r"probe errored[^:]{0,40}: (rpc error: .{0,200})?(ExecSync .{0,80}timeout|command .{0,400}timed out)",
        ("event-exec-timeout",),
    ),
    (
        r"cannot exec in a (stopped|deleted|paused)|container (not running|is not created or running|not found)|"
        r"container \S+ (is not running|not found)|process already finished|"
        r"(failed to|could not) find (container|sandbox)|task \S+ not found|container is in CONTAINER_(EXITED|CREATED)",
        ("event-exec-stopped",),
    ),
    (
        r"OCI runtime exec failed|failed to (start|create) exec|failed to exec in container|fork/exec |"
        r"probe errored[^:]{0,40}: rpc error: code = (Unknown|Unavailable|Internal|ResourceExhausted)|"
        r"probe errored[^:]{0,40}: .{0,100}(conmon|crun|runc)",
        ("event-exec-runtime",),
    ),
    (r"while reading body", ("event-body-timeout",)),
    (r"Probe terminated redirects", ("event-redirect-warning",)),
    (r"stopped after \d+ redirects", ("event-redirect-loop",)),
    (r'responded with "NOT_SERVING"|service unhealthy \(responded', ("event-not-serving",)),
    (r"health rpc did not complete within|health rpc probe timed out", ("event-grpc-silent",)),
    (r"(timeout|error): failed to connect service", ("event-grpc-connect",)),
    (r"does not implement the grpc health protocol|code = Unimplemented", ("event-grpc-unimplemented",)),
    (r"health rpc probe failed: .{0,100}code = NotFound", ("event-grpc-unknown-service",)),
    (
        r"health rpc probe failed: .{0,100}code = (Unavailable|Internal|Unknown|ResourceExhausted|Unauthenticated|"
        r"PermissionDenied)",
        ("event-grpc-error",),
    ),
    (
        r"port \S+ not found|invalid port number|couldn't find port|parsing \"[^\"]*\": invalid syntax|"
        r"unsupported protocol scheme|invalid URL (port|escape)|missing probe handler",
        ("event-probe-invalid",),
    ),
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
    (r"malformed HTTP (response|status code|version)|malformed MIME header", ("event-not-http",)),
    (
        r"http2: (no cached connection|server sent GOAWAY|client connection (lost|force closed)|frame too large)|"
        r"stream error: stream ID \d+; |use of closed network connection|http2: Transport: ",
        ("event-connection-lost",),
    ),
    # These two are of the node: the kubelet could not even make a socket.
    (r"(socket|accept4?): too many open files|too many open files in system", ("event-node-out-of-files",)),
    (r"cannot assign requested address", ("event-node-out-of-ports",)),
    (r"address family not supported|no suitable address found|protocol not supported", ("event-address-family",)),
    (r"connection refused", ("event-refused",)),
    (r"connect: (operation not permitted|permission denied)", ("event-forbidden",)),
    (r"\bread tcp[46]? .{0,200}: read: connection timed out", ("event-read-timeout",)),
    (r"no route to host|network is unreachable|host is down|administratively prohibited", ("event-unreachable",)),
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
# A shell that does not find what it is to run, and a runtime that does not find the shell.
EXEC_MISSING = re.compile(
    r"executable file not found|OCI runtime exec failed: .{0,200}no such file|"
    r"^(/\S*/)?(ba|da|a|z|k)?sh: ((line )?\d+: )?[^:]{1,200}: (command )?not found"
)
REFUSED = re.compile(r"connection refused", re.IGNORECASE)
BY_REASON = {
    "FailedMount": "event-failed-mount", "FailedAttachVolume": "event-failed-mount",
    "FailedMapVolume": "event-failed-mount", "FailedScheduling": "event-not-scheduled", "Evicted": "event-evicted",
    "FailedCreatePodSandBox": "event-sandbox-fails",
}  # fmt: skip
# What CreateContainerConfigError comes with: the container's settings name something that is not there.
SETTINGS = re.compile(
    r'(configmap|secret) "[^"]*" not found|couldn\'t find key|CreateContainerConfigError|non-existent config key|'
    r"container has runAsNonRoot|references non-existent",
    re.IGNORECASE,
)
# What the runtime says of a container's own command that it cannot start.
START = re.compile(r"failed to (create|start) (containerd task|container|shim)|OCI runtime create failed|StartError|"
                   r"RunContainerError|CreateContainerError")  # fmt: skip
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
        output = _output_of(message[:READ], found)
        made = _probe_class(text, found.group(1).capitalize() if found else "", output)
        return replace(made, slugs=(*made.slugs, OVER_LOOPBACK)) if LOOPBACK.search(message[:READ]) else made
    return MessageClass(_lifecycle(reason, text))


def _probe_class(text: str, probe: str, output: str | None) -> MessageClass:
    """`output` is what a probe's command wrote; None for every other kind of probe."""
    if status := CODE.search(text):
        code = int(status.group(1))
        special = (BY_CODE[code],) if code in BY_CODE else ()
        return MessageClass(("event-status-code", *special, *_words(text[status.end() :])), probe, code)
    if output is not None:
        return MessageClass(_of_output(output), probe)
    return MessageClass(_proven(text) or _words(text), probe)


def _proven(text: str) -> tuple[str, ...]:
    return next((slugs for pattern, slugs in PROBE_TABLE if pattern.search(text)), ())


def _of_output(output: str) -> tuple[str, ...]:
    """What a command's output proves: that it failed, why if its server says so, and whether nobody listened."""
    missing = ("event-exec-missing",) if EXEC_MISSING.search(output) else ()
    refused = ("event-refused",) if REFUSED.search(output) else ()
    return (*missing, EXEC_FAILED, *_words(output), *refused)


def _words(text: str) -> tuple[str, ...]:
    word = measure_of_words(text)
    return (word,) if word else ()


def _output_of(original: str, found: re.Match[str] | None) -> str | None:
    """The output of a probe's command, where the message can be that of a command only."""
    if not found or found.group(2).lower() != "failed":
        return None
    rest = original[found.end() :].removeprefix(":").strip()
    return None if NO_COMMAND.match(rest) else rest


def _lifecycle(reason: str, text: str) -> tuple[str, ...]:
    if reason in BY_REASON:
        return (BY_REASON[reason],)
    if reason == "Killing":
        return _killing(text)
    return ("event-image-pull",) if _image(reason, text) else _start(reason, text)


def _image(reason: str, text: str) -> bool:
    if reason == "BackOff" and "restarting failed container" in text:
        return False
    return reason in {"InspectFailed", "ErrImageNeverPull"} or bool(
        reason in {"BackOff", "Failed"} and IMAGE.search(text)
    )


def _start(reason: str, text: str) -> tuple[str, ...]:
    """What keeps a container from its start, other than its image."""
    if reason == "BackOff":
        return ("event-backoff",) if "restarting failed container" in text else ()
    if reason == "Failed" and SETTINGS.search(text):
        return ("event-settings-missing",)
    return ("event-start-fails",) if reason == "Failed" and START.search(text) else ()


def _killing(text: str) -> tuple[str, ...]:
    if "failed liveness probe" in text:
        return ("event-liveness-kill",)
    if "failed startup probe" in text:
        return ("event-startup-kill",)
    return ("event-stopping",) if text.startswith("Stopping container") else ()
