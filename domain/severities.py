"""One table of the words by which senders call a severity."""

from collections.abc import Iterable, Mapping

from domain.alerts import Severity

# The labels that may hold a severity, first one first.
LABELS = ("severity", "priority", "level", "sev")
# From the rules and handbooks of Prometheus, Grafana, Nagios, syslog, PagerDuty, Opsgenie and ITIL; lower case, without
# spaces, dashes and underscores.
WORDS: Mapping[Severity, tuple[str, ...]] = {
    Severity.CRITICAL: (
        "critical", "crit", "page", "pager", "fatal", "emergency", "emerg", "disaster", "panic", "blocker", "alert",
        "severe", "outage", "p0", "p1", "sev0", "sev1", "s0", "s1", "priority1", "severity1", "highest",
    ),
    Severity.HIGH: (
        "high", "error", "err", "major", "urgent", "important", "red", "down", "failure",
        "p2", "sev2", "s2", "priority2", "severity2",
    ),
    Severity.AVERAGE: (
        "average", "medium", "moderate", "orange", "ticket", "p3", "sev3", "s3", "priority3", "severity3",
    ),
    Severity.WARNING: (
        "warning", "warn", "minor", "yellow", "degraded", "p4", "sev4", "s4", "priority4", "severity4",
    ),
    Severity.INFO: (
        "info", "information", "informational", "notice", "debug", "trace", "ok", "normal", "none", "low", "lowest",
        "trivial", "green", "p5", "sev5", "s5", "priority5", "severity5",
    ),
}  # fmt: skip
_SEVERITIES = {word: severity for severity, words in WORDS.items() for word in words}


def severity_of(word: str, extra: Mapping[str, str]) -> Severity | None:
    """The severity of a word, None for an unknown one. `extra` are words that a source's declaration adds."""
    if not extra:
        return _SEVERITIES.get(word) or _SEVERITIES.get(_plain(word))
    plain = _plain(word)
    added = next((severity for key, severity in extra.items() if _plain(key) == plain), None)
    return Severity(added) if added else _SEVERITIES.get(plain)


def severity_of_labels(labels: Mapping[str, str], extra: Mapping[str, str]) -> Severity:
    """The severity by the first label whose word is known; a warning when none is, and the label keeps its word."""
    return first_severity((labels[label] for label in LABELS if label in labels), extra)


def first_severity(words: Iterable[str], extra: Mapping[str, str]) -> Severity:
    """The severity of the first known word, a warning when none is known."""
    for word in words:
        if (severity := severity_of(word, extra)) is not None:
            return severity
    return Severity.WARNING


def _plain(word: str) -> str:
    return word.lower().replace("-", "").replace("_", "").replace(" ", "")
