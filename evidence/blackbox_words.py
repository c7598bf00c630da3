"""What the blackbox exporter's own words (`debug=true`) say of a probe: the steps that passed, and the failed one."""

import re

from evidence.certificates import fault_of
from evidence.clients.probing import Outcome, Step
from evidence.kubelet_messages import classify

ERROR = re.compile(r'level=error .*?\berr="((?:[^"\\]|\\.)*)"')
PHASE = re.compile(r'^probe_http_duration_seconds\{phase="connect"\} ([0-9.e+-]+)$', re.MULTILINE)
STATUS = re.compile(r"^probe_http_status_code ([0-9.e+]+)$", re.MULTILINE)
SUCCESS = re.compile(r"^probe_success ([01])$", re.MULTILINE)
# The step and the error that a message of the exporter means; a deadline needs the connect phase beside it.
STEPS = {
    "event-dns": ("resolve", "no such name"), "event-refused": ("tcp", "refused"),
    "event-unreachable": ("tcp", "unreachable"), "event-dial-timeout": ("tcp", "timeout"),
    "event-tls-trust": ("tls", "untrusted"), "event-tls-timeout": ("tls", "timeout"),
    "event-tls-refused": ("tls", "failed"), "event-tls-version": ("tls", "failed"),
    "event-scheme-mismatch": ("tls", "no TLS"), "event-forbidden": ("tcp", "forbidden"),
    "event-connection-lost": ("http", "reset"), "event-reset": ("http", "reset"), "event-eof": ("http", "closed"),
}  # fmt: skip


def read_debug(text: str, target: str) -> Outcome:
    """The steps that the exporter's `debug=true` text describes, the failed one last; it gives no time of a step.

    `text` is the whole page, `target` the probed address; with `http://` or `https://` it was an HTTP probe.
    """
    success = SUCCESS.search(text)
    if success and success.group(1) == "1":
        last = "http" if "://" in target else "tcp"
        return Outcome([Step(step=name, took_ms=0) for name in ("resolve", "tcp", last)])
    code = STATUS.search(text)
    status = int(float(code.group(1))) if code else 0
    failed, error = _failed_step(text, target, status)
    done = [Step(step=name, took_ms=0) for name in _steps_before(failed, target)]
    return Outcome([*done, Step(step=failed, took_ms=0, error=error, code=status)])


def _failed_step(text: str, target: str, status: int) -> tuple[str, str]:
    """The step that failed, and its error, by the last error of the exporter's text."""
    errors = [error.replace('\\"', '"') for error in ERROR.findall(text)]
    if not errors:
        # No error and a good status: the exporter waited for the body in vain, or did not like it.
        return "http", "answered no" if status >= 300 else "body not as wanted"
    slugs = classify("Unhealthy", errors[-1]).slugs
    if "event-deadline" in slugs:
        return _step_at_deadline(text, target), "timeout"
    if "event-tls-trust" in slugs:
        return "tls", fault_of(errors[-1])
    return STEPS.get(slugs[0] if slugs else "", ("http", "failed"))


def _step_at_deadline(text: str, target: str) -> str:
    """The step at which the time ran out, by whether the connect phase took any time."""
    connect = PHASE.search(text)
    if connect and float(connect.group(1)) > 0:
        return "http"
    # With https a stalled handshake leaves connect at zero as well; without it nothing but the wait is left.
    return "tls" if target.startswith("https") else "tcp"


def _steps_before(failed: str, target: str) -> list[str]:
    """The steps that passed before that one; TLS is one of them only with https."""
    steps = ["resolve", "tcp", "tls", "http"] if target.startswith("https") else ["resolve", "tcp", "http"]
    return steps[: steps.index(failed)] if failed in steps else steps[:2]
