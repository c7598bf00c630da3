"""How a measured value is written: a readable size, a share as a percentage, a count with its word."""

import math

from domain.text import Text

SHARES = {"share": Text(""), "of its quota": Text(" of its quota")}
NUMBERED = {
    "exit code": Text("exit code {n}"),
    "status": Text("status {n}"),
    "p": Text("p = {n}"),
}
# One, and many.
COUNTS = {
    "applies": (Text("{n} slow apply"), Text("{n} slow applies")),
    "changes": (Text("{n} change"), Text("{n} changes")),
    "containers": (Text("{n} container"), Text("{n} containers")),
    "cores": (Text("{n} core"), Text("{n} cores")),
    "deployments": (Text("{n} deployment"), Text("{n} deployments")),
    "disconnections": (Text("{n} disconnection"), Text("{n} disconnections")),
    "endpoints": (Text("{n} endpoint"), Text("{n} endpoints")),
    "events": (Text("{n} event"), Text("{n} events")),
    "failures": (Text("{n} failure"), Text("{n} failures")),
    "gates": (Text("{n} gate"), Text("{n} gates")),
    "goroutines": (Text("{n} goroutine"), Text("{n} goroutines")),
    "heartbeats": (Text("{n} heartbeat"), Text("{n} heartbeats")),
    "images": (Text("{n} image"), Text("{n} images")),
    "members": (Text("{n} member"), Text("{n} members")),
    "min": (Text("{n} min"), Text("{n} min")),
    "nodes": (Text("{n} node"), Text("{n} nodes")),
    "overflows": (Text("{n} overflow"), Text("{n} overflows")),
    "pairs": (Text("{n} pair"), Text("{n} pairs")),
    "pods": (Text("{n} pod"), Text("{n} pods")),
    "probes": (Text("{n} probe"), Text("{n} probes")),
    "reasons": (Text("{n} reason"), Text("{n} reasons")),
    "restarts": (Text("{n} restart"), Text("{n} restarts")),
    "settings": (Text("{n} setting"), Text("{n} settings")),
    "targets": (Text("{n} target"), Text("{n} targets")),
    "times": (Text("{n} times"), Text("{n} times")),
    "zones": (Text("{n} zone"), Text("{n} zones")),
}


def spoken(value: float | None, unit: str = "", language: str = "en") -> str:
    """A value as a person reads it: `0.0004 s` becomes `0.4 ms`, `1536 B` `1.5 KiB`, a share of 0.25 `25%`."""
    if value is None or not math.isfinite(value):
        return "–"
    if unit == "s":
        return f"{value * 1000:.3g} ms" if 0 < abs(value) < 1 else f"{value:.3g} s"
    if unit == "B" and abs(value) >= 1024:
        size = min(3, int(math.log(abs(value), 1024)))
        return f"{value / 1024**size:.3g} {('B', 'KiB', 'MiB', 'GiB')[size]}"
    if unit in SHARES:
        return f"{value * 100:.3g}%{SHARES[unit].in_language(language)}"
    return _counted(f"{value:.0f}" if abs(value) >= 1000 else f"{value:.3g}", unit, language)


def _counted(number: str, unit: str, language: str) -> str:
    if unit in NUMBERED:
        return NUMBERED[unit].format(n=number).in_language(language)
    if unit not in COUNTS:
        return f"{number} {unit}".strip()
    one, many = COUNTS[unit]
    return (one if number == "1" else many).format(n=number).in_language(language)


def percent(probability: float) -> str:
    """0..1 as a whole percentage; never 0 % or 100 %, as nothing is certain."""
    if 0 < probability < 0.01:
        return "<1%"
    if 0.99 < probability < 1:
        return ">99%"
    return f"{probability:.0%}"


def limited(limit: float | None, unit: str, language: str = "en") -> str:
    """A limit beside its value: a count's word is not repeated, and a limit of 0 has no unit."""
    bare = "" if limit == 0 or unit in COUNTS or unit in NUMBERED else unit
    return spoken(limit, bare, language)
