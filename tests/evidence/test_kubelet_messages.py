"""The whole table of the kubelet's messages, in the texts of old and new Go."""

import pytest

from evidence.checks import kubelet_events
from evidence.kubelet_messages import PROBE_ROWS, classify

GET = 'Get "http://10.0.0.7:8080/healthz": '
READY, ALIVE = "Readiness probe failed: ", "Liveness probe failed: "

TABLE = [
    (READY + GET + "dial tcp 10.0.0.7:8080: connect: connection refused", "event-refused"),
    (READY + "dial tcp 10.0.0.7:8080: connect: connection refused", "event-refused"),
    (READY + "dial tcp 10.0.0.7:8080: i/o timeout", "event-dial-timeout"),
    (READY + GET + "dial tcp 10.0.0.7:8080: i/o timeout (Client.Timeout exceeded while awaiting headers)",
     "event-dial-timeout"),
    (READY + GET + "dial tcp 10.0.0.7:8080: connect: connection timed out", "event-dial-timeout"),
    (READY + GET + "dial tcp 10.0.0.7:8080: connect: no route to host", "event-unreachable"),
    (READY + GET + "dial tcp 10.0.0.7:8080: connect: network is unreachable", "event-unreachable"),
    (READY + GET + "context deadline exceeded (Client.Timeout exceeded while awaiting headers)", "event-deadline"),
    (READY + GET + "net/http: request canceled while waiting for connection "
     "(Client.Timeout exceeded while awaiting headers)", "event-dial-timeout"),
    (READY + GET + "net/http: request canceled (Client.Timeout exceeded while awaiting headers)",
     "event-deadline event-headers-timeout"),
    (READY + GET + "net/http: TLS handshake timeout", "event-tls-timeout"),
    (READY + GET + "http: server gave HTTP response to HTTPS client", "event-scheme-mismatch"),
    (READY + GET + r'net/http: HTTP/1.x transport connection broken: malformed HTTP response "\x15\x03\x01\x00\x02\x02"',
     "event-scheme-mismatch"),
    (READY + GET + "x509: certificate signed by unknown authority", "event-tls-trust"),
    (READY + GET + "tls: failed to verify certificate: x509: certificate has expired", "event-tls-trust"),
    (READY + GET + "read tcp 10.0.0.1:4242->10.0.0.7:8080: read: connection reset by peer", "event-reset"),
    (READY + GET + "EOF", "event-eof"),
    (READY + GET + "unexpected EOF", "event-eof"),
    (READY + "HTTP probe failed with statuscode: 500", "event-status-code event-status-internal"),
    (READY + "HTTP probe failed with statuscode: 502", "event-status-code event-status-bad-gateway"),
    (READY + "HTTP probe failed with statuscode: 504", "event-status-code event-status-gateway-late"),
    (READY + "HTTP probe failed with statuscode: 429", "event-status-code event-status-limited"),
    (READY + "HTTP probe failed with statuscode: 418", "event-status-code"),
    (READY + "HTTP probe failed with statuscode: 503\nno server is available to handle this request.",
     "event-status-code event-status-unavailable event-says-no-upstream"),
    (READY + "HTTP probe failed with statuscode: 503", "event-status-code event-status-unavailable"),
    (READY + "HTTP probe failed with statuscode: 404", "event-status-code event-status-missing"),
    (READY + "HTTP probe failed with statuscode: 401", "event-status-code event-status-auth"),
    (READY + "HTTP probe failed with statuscode: 403", "event-status-code event-status-auth"),
    ("Readiness probe errored and resulted in unknown state: context deadline exceeded "
     "(Client.Timeout or context cancellation while reading body)", "event-body-timeout"),
    ("Readiness probe errored: net/http: request canceled (Client.Timeout or context cancellation while reading body)",
     "event-body-timeout"),
    (READY + 'Get "/a": stopped after 10 redirects', "event-redirect-loop"),
    (READY + 'timeout: failed to connect service "10.0.0.7:9000" within 1s: context deadline exceeded',
     "event-grpc-connect"),
    (READY + "timeout: health rpc did not complete within 1s", "event-grpc-silent"),
    (READY + 'service unhealthy (responded with "NOT_SERVING")', "event-not-serving"),
    (READY + "error: this server does not implement the grpc health protocol (grpc.health.v1.Health)",
     "event-grpc-unimplemented"),
    (READY + GET + "dial tcp: lookup cart.shop on 10.96.0.10:53: no such host", "event-dns"),
    (READY + GET + "dial tcp: lookup cart.shop on 10.96.0.10:53: read udp 1.2.3.4:5->6.7.8.9:53: i/o timeout",
     "event-dns"),
    (READY + 'command "sh -c check" timed out', "event-exec-timeout"),
    (READY + GET + "remote error: tls: handshake failure", "event-tls-refused"),
    (READY + GET + "remote error: tls: certificate required", "event-tls-refused event-tls-wants-certificate"),
    (READY + GET + "remote error: tls: internal error", "event-tls-refused"),
    (READY + GET + "remote error: tls: unrecognized name", "event-tls-refused event-tls-unknown-name"),
    (READY + GET + "remote error: tls: protocol version not supported", "event-tls-refused event-tls-version"),
    (READY + GET + "tls: server selected unsupported protocol version 301", "event-tls-version"),
    (READY + GET + "remote error: tls: bad certificate", "event-tls-trust"),
    (READY + GET + "http2: no cached connection was available", "event-connection-lost"),
    (READY + GET + "http2: server sent GOAWAY and closed the connection; LastStreamID=1, ErrCode=NO_ERROR",
     "event-connection-lost"),
    (READY + GET + r'net/http: HTTP/1.x transport connection broken: malformed HTTP response "\x00\x00\x06\x04..."',
     "event-http2-cleartext"),
    (READY + GET + "read tcp 10.0.0.1:4242->10.0.0.7:8080: read: connection timed out", "event-read-timeout"),
    (READY + GET + "dial tcp 10.0.0.7:8080: connect: operation not permitted", "event-forbidden"),
    ("Readiness probe errored: rpc error: code = DeadlineExceeded desc = failed to exec in container: timeout 2s "
     "exceeded: context deadline exceeded", "event-exec-timeout"),
    ("Readiness probe errored and resulted in unknown state: rpc error: code = DeadlineExceeded desc = context "
     "deadline exceeded", "event-exec-timeout"),
    (READY + "error: health rpc probe failed: rpc error: code = DeadlineExceeded desc = context deadline exceeded",
     "event-deadline"),
    ('Readiness probe errored: rpc error: code = Unknown desc = failed to exec in container: OCI runtime exec failed: '
     'exec: "redis-cli": executable file not found in $PATH', "event-exec-missing"),
    (READY + 'Get "http://127.0.0.1:2381/health": dial tcp 127.0.0.1:2381: connect: connection refused',
     "event-refused event-over-loopback"),
    (READY + 'Get "https://[::1]:6443/livez": context deadline exceeded', "event-deadline event-over-loopback"),
    (READY + 'Get "http://localhost:8080/": EOF', "event-eof event-over-loopback"),
    (READY + 'Get "http://10.0.0.7:8080/http://127.0.0.1/": EOF', "event-eof"),
    (READY + 'Get "http://127.evil.example.:80/": EOF', "event-eof"),
    (READY + "cat: /tmp/healthy: No such file or directory", "event-exec-failed"),
    (READY, "event-exec-failed"),
    (READY + 'psql: error: connection to server on socket "/data/.s.PGSQL.5432" failed: FATAL:  sorry, too many '
     "clients already", "event-exec-failed event-says-connections-full"),
    (READY + "psql: error: FATAL:  the database system is starting up", "event-exec-failed event-says-loading"),
    (READY + "psql: error: FATAL:  the database system is shutting down", "event-exec-failed event-says-stopping"),
    (READY + "/var/run/postgresql:5432 - rejecting connections", "event-exec-failed event-says-loading"),
    (READY + "/var/run/postgresql:5432 - no response", "event-exec-failed"),
    (READY + "MISCONF Redis is configured to save RDB snapshots, but it's currently unable to persist to disk.",
     "event-exec-failed event-says-disk-full"),
    (READY + "LOADING Redis is loading the dataset in memory", "event-exec-failed event-says-loading"),
    (READY + "OOM command not allowed when used memory > 'maxmemory'.", "event-exec-failed event-says-memory-full"),
    (READY + "NOAUTH Authentication required.", "event-exec-failed event-says-denied"),
    (READY + "ERROR 1040 (HY000): Too many connections", "event-exec-failed event-says-connections-full"),
    (READY + "mysqladmin: connect to server at 'localhost' failed error: 'Access denied for user 'x'@'localhost''",
     "event-exec-failed event-says-denied"),
    (READY + "Could not connect to Redis at 127.0.0.1:6379: Connection refused", "event-exec-failed event-refused"),
    (READY + "sh: write error: No space left on device", "event-exec-failed event-says-disk-full"),
    (READY + "sh: 1: curl: not found", "event-exec-missing event-exec-failed"),
    (READY + "/bin/sh: pg_isready: command not found", "event-exec-missing event-exec-failed"),
    (READY + "user: not found", "event-exec-failed"),
    (READY + "OCI runtime exec failed: exec failed: unable to start container process: exec: \"wget\": executable file "
     "not found in $PATH: unknown", "event-exec-missing event-exec-failed"),
    ("Readiness probe errored: rpc error: code = Unknown desc = failed to exec in container: container is in "
     "CONTAINER_EXITED state", "event-exec-stopped"),
    ("Readiness probe errored and resulted in unknown state: rpc error: code = NotFound desc = failed to exec in "
     'container: failed to load task: no running task found: task 5f not found: not found', "event-exec-stopped"),
    ("Readiness probe errored: rpc error: code = NotFound desc = could not find container", "event-exec-stopped"),
    ("Readiness probe errored: rpc error: code = Unknown desc = command error: cannot exec in a stopped container",
     "event-exec-stopped"),
    ("Readiness probe errored: rpc error: code = Unknown desc = failed to exec in container: failed to start exec: OCI "
     'runtime exec failed: exec failed: unable to start container process: exec: "/check": permission denied',
     "event-exec-runtime"),
    ("Readiness probe errored: rpc error: code = Unavailable desc = connection error", "event-exec-runtime"),
    ("Readiness probe errored: rpc error: code = Unknown desc = command error: command timed out",
     "event-exec-timeout"),
    ('Readiness probe errored: strconv.Atoi: parsing "web": invalid syntax', "event-probe-invalid"),
    ("Readiness probe errored and resulted in unknown state: port web not found", "event-probe-invalid"),
    ("Readiness probe errored: invalid port number: 70000", "event-probe-invalid"),
    (READY + GET + 'net/http: HTTP/1.x transport connection broken: malformed HTTP response "SSH-2.0-OpenSSH_9.2"',
     "event-not-http"),
    (READY + GET + 'net/http: HTTP/1.x transport connection broken: malformed HTTP status code "+OK"',
     "event-not-http"),
    (READY + GET + "stream error: stream ID 1; REFUSED_STREAM", "event-connection-lost"),
    (READY + GET + "dial tcp 10.0.0.7:8080: socket: too many open files", "event-node-out-of-files"),
    (READY + GET + "dial tcp 10.0.0.7:8080: connect: cannot assign requested address", "event-node-out-of-ports"),
    (READY + GET + "dial tcp [::1]:8080: connect: address family not supported by protocol",
     "event-address-family event-over-loopback"),
    (READY + "error: health rpc probe failed: rpc error: code = NotFound desc = unknown service",
     "event-grpc-unknown-service"),
    (READY + "error: health rpc probe failed: rpc error: code = Unavailable desc = closing", "event-grpc-error"),
    (READY + 'service unhealthy (responded with "SERVICE_UNKNOWN")', "event-not-serving"),
]  # fmt: skip


@pytest.mark.parametrize(("message", "slugs"), TABLE)
def test_each_probe_message_proves_what_the_table_lists_and_no_more(message: str, slugs: str) -> None:
    found = classify("Unhealthy", message)
    assert found.slugs == tuple(slugs.split()) and found.probe == "Readiness"


def test_a_combined_event_still_shows_which_probe_it_was() -> None:
    found = classify("Unhealthy", "(combined from similar events): Liveness probe failed: EOF")
    assert (found.slugs, found.probe) == (("event-eof",), "Liveness")


@pytest.mark.parametrize(
    ("reason", "message", "slug"),
    [
        ("Killing", "Container app failed liveness probe, will be restarted", "event-liveness-kill"),
        ("Killing", "Container app failed startup probe, will be restarted", "event-startup-kill"),
        ("Killing", "Stopping container app", "event-stopping"),
        ("BackOff", "Back-off restarting failed container app in pod cart-1_shop(1)", "event-backoff"),
        ("BackOff", 'Back-off pulling image "cart:1"', "event-image-pull"),
        ("Failed", "Error: ImagePullBackOff", "event-image-pull"),
        ("ErrImageNeverPull", 'Container image "cart:1" is not present', "event-image-pull"),
        ("Failed", 'Error: configmap "cart" not found', "event-settings-missing"),
        ("Failed", "Error: couldn't find key url in ConfigMap shop/cart", "event-settings-missing"),
        ("Failed", 'Error: failed to create containerd task: OCI runtime create failed: exec: "srv": not there',
         "event-start-fails"),
        ("Failed", "something else", ""),
        ("FailedScheduling", "0/3 nodes are available: 3 Insufficient cpu.", "event-not-scheduled"),
        ("Evicted", "The node was low on resource: ephemeral-storage.", "event-evicted"),
        ("FailedCreatePodSandBox", "Failed to create pod sandbox: plugin type=calico failed", "event-sandbox-fails"),
        ("FailedMount", 'MountVolume.SetUp failed for volume "cfg"', "event-failed-mount"),
        ("ProbeWarning", "Readiness probe warning: Probe terminated redirects, Response body:", "event-redirect-warning"),
        ("Created", "Created container app", ""),
    ],
)  # fmt: skip
def test_each_lifecycle_event_proves_what_the_table_lists(reason: str, message: str, slug: str) -> None:
    assert classify(reason, message).slugs == ((slug,) if slug else ())


def test_the_deadline_message_is_ambiguous_whatever_made_it() -> None:
    text = GET + "context deadline exceeded (Client.Timeout exceeded while awaiting headers)"
    for prefix in (READY, ALIVE, "Startup probe failed: "):
        assert classify("Unhealthy", prefix + text).slugs == ("event-deadline",)


def test_a_path_cannot_claim_another_failure() -> None:
    text = READY + 'Get "http://10.0.0.7:8080/connection refused?x509: EOF": '
    assert classify("Unhealthy", text + "net/http: TLS handshake timeout").slugs == ("event-tls-timeout",)


def test_a_huge_message_is_read_to_its_limit_only() -> None:
    assert classify("Unhealthy", READY + "a" * 1_000_000 + " EOF").slugs == ("event-exec-failed",)


def test_every_slug_of_the_table_is_a_measure_with_a_meaning() -> None:
    named = {slug for _, slugs in PROBE_ROWS for slug in slugs}
    assert named <= set(kubelet_events.MEANINGS)
