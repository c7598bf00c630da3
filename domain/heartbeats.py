"""Alerts that fire for ever, as a sign that alerts arrive at all."""

from collections.abc import Collection, Mapping
from functools import lru_cache

# Lower case, letters and digits only. From kube-prometheus, OpenShift, awesome-prometheus-alerts, PagerDuty's and
# Opsgenie's guides; an alert about a missing heartbeat has another name.
NAMES = frozenset({
    "watchdog", "infoinhibitor", "deadmansswitch", "deadmanswitch", "deadmanssnitch", "deadmansnitch", "deadman",
    "alwaysfiring", "alwaysfiringalert", "heartbeat", "prometheusheartbeat", "alertmanagerheartbeat",
    "prometheuswatchdog", "alertmanagerwatchdog", "prometheusdeadmansswitch", "prometheusdeadmanswitch",
    "prometheusalertmanagere2edeadmanswitch", "prometheusalertmanagere2edeadmansswitch",
})  # fmt: skip
# The severity that says of an alert that nobody is to act on it.
SEVERITY = "none"


def is_heartbeat(name: str, labels: Mapping[str, str], always_firing: Collection[str] = ()) -> bool:
    """Whether the alert is a sign of life: by its name, by `severity="none"`, or as the source declares."""
    if labels.get("severity", "").lower() == SEVERITY or name in always_firing:
        return True
    return _named_as_heartbeat(name)


@lru_cache(maxsize=4096)
def _named_as_heartbeat(name: str) -> bool:
    return "".join(c for c in name if c.isalnum()).lower() in NAMES
