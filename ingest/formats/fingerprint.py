"""Alertmanager's fingerprint of an alert, for what would have come through one."""

from collections.abc import Mapping

# FNV-1a with 64 bits, as in LabelSet.Fingerprint of github.com/prometheus/common/model.
_OFFSET, _PRIME, _MASK = 14695981039346656037, 1099511628211, (1 << 64) - 1
_SEPARATOR = b"\xff"


def fingerprint(labels: Mapping[str, str]) -> str:
    """16 hex digits over the sorted labels; a label without a value does not count, as Alertmanager drops it."""
    parts = [part for name, value in sorted(labels.items()) if value for part in (name, value)]
    text = b"".join(part.encode("utf-8", "surrogatepass") + _SEPARATOR for part in parts)
    found = _OFFSET
    for byte in text:
        found = ((found ^ byte) * _PRIME) & _MASK
    return f"{found:016x}"
