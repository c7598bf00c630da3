"""How a measured value is written: a readable size, a share as a percentage, a count with its word in two languages."""

import math

from domain.text import Text

SHARES = {"share": Text("", ""), "of its quota": Text(" of its quota", "（占配额）")}
NUMBERED = {
    "exit code": Text("exit code {n}", "退出码 {n}"),
    "status": Text("status {n}", "状态码 {n}"),
    "p": Text("p = {n}", "p = {n}"),
}
# One, many, and the Chinese word with its measure.
COUNTS = {
    "applies": ("slow apply", "slow applies", "次慢应用"),
    "changes": ("change", "changes", "次变更"),
    "deployments": ("deployment", "deployments", "个 Deployment"),
    "disconnections": ("disconnection", "disconnections", "次断开"),
    "endpoints": ("endpoint", "endpoints", "个端点"),
    "events": ("event", "events", "个事件"),
    "failures": ("failure", "failures", "次失败"),
    "goroutines": ("goroutine", "goroutines", "个协程"),
    "heartbeats": ("heartbeat", "heartbeats", "次心跳"),
    "members": ("member", "members", "个成员"),
    "min": ("min", "min", "分钟"),
    "nodes": ("node", "nodes", "个节点"),
    "overflows": ("overflow", "overflows", "次溢出"),
    "pairs": ("pair", "pairs", "对成员"),
    "pods": ("pod", "pods", "个 Pod"),
    "probes": ("probe", "probes", "次探测"),
    "reasons": ("reason", "reasons", "个原因"),
    "restarts": ("restart", "restarts", "次重启"),
    "targets": ("target", "targets", "个目标"),
    "times": ("times", "times", "倍"),
    "zones": ("zone", "zones", "个可用区"),
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
    one, many, zh = COUNTS.get(unit, (unit, unit, unit))
    return Text(f"{number} {one if number == '1' else many}", f"{number} {zh}").in_language(language).strip()


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
