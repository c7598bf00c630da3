"""How full is the database, against its quota?"""

from domain.findings import Item
from domain.text import Text
from evidence.check import Ask, Charted, Check, Measure, MeasureResult, chart
from evidence.clients.prometheus import Line
from evidence.etcd_choice import etcds
from evidence.etcd_series import Members, read

SIZE, IN_USE = "etcd_mvcc_db_total_size_in_bytes", "etcd_mvcc_db_total_size_in_use_in_bytes"
# Before 3.4 this was the only name of the size; 3.6 exports it no more.
OLD_SIZE, QUOTA = "etcd_debugging_mvcc_db_total_size_in_bytes", "etcd_server_quota_backend_bytes"
# The share at which etcd's own alert rules call it critical.
LIMIT = 0.95
MIB = 1024 * 1024
# The stock rule warns this many hours ahead; a rate takes ten minutes of record.
SOON_MIN, LEAST_S = 240.0, 600.0


def _collect(ask: Ask) -> dict[str, MeasureResult]:
    members = read(ask, f"{SIZE}|{OLD_SIZE}|{IN_USE}|{QUOTA}")
    return {"etcd-disk-space-low": _disk_space(members), "etcd-quota-forecast": _forecast(members)}


def _highest(members: Members, metric: str) -> dict[str, float]:
    """Per member: the highest value since shortly before the incident."""
    found = {}
    for line in members.of(metric):
        if values := line.between(members.onset_ms, members.end_ms):
            found[members.member(line)] = max(values)
    return found


def _disk_space(members: Members) -> MeasureResult:
    sizes, quotas = _highest(members, OLD_SIZE) | _highest(members, SIZE), _highest(members, QUOTA)
    shares = {name: size / quotas[name] for name, size in sizes.items() if quotas.get(name, 0) > 0}
    if not shares:
        why = Text("no member tells its size and its quota")
        return MeasureResult(None, Text("How full the database is, is unknown."), limit=LIMIT, why_unknown=why)
    used = _highest(members, IN_USE)
    name = max(sorted(shares), key=lambda n: shares[n])
    items = tuple(Item(n, s, _note(sizes[n], quotas[n], used.get(n)), s >= LIMIT) for n, s in sorted(shares.items()))
    seen = shares[name] >= LIMIT
    yes = Text(
        "The database of {name} takes {share:.0%} of its quota of {quota_mib:.0f} MiB.",
        name=name,
        share=shares[name],
        quota_mib=quotas[name] / MIB,
    )
    no = Text("The fullest database takes {share:.0%} of its quota.", share=shares[name])
    series = chart(members.of(SIZE), members.member)
    return MeasureResult(
        seen, yes if seen else no, shares[name], LIMIT, name if seen else "", items=items, series=series
    )


def _forecast(members: Members) -> MeasureResult:
    """Whether a database reaches its quota within a few hours, if it goes on growing as it did in the record."""
    quotas = _highest(members, QUOTA)
    left = {
        members.member(line): (quotas[members.member(line)] - line.points[-1].value) / growth
        for line in members.of(SIZE) or members.of(OLD_SIZE)
        if (growth := _growth(line)) is not None and quotas.get(members.member(line), 0) > 0
    }
    if not left:
        why = Text("size and quota are not on record for ten minutes")
        return MeasureResult(None, Text("How long the database has room is unknown."), None, SOON_MIN, why_unknown=why)
    minutes = {name: max(0.0, seconds) / 60 for name, seconds in left.items()}
    name = min(sorted(minutes), key=lambda n: minutes[n])
    if minutes[name] > SOON_MIN:
        no = Text("No database grows so that it is full within {limit_h:g} hours.", limit_h=SOON_MIN / 60)
        return MeasureResult(False, no, None, SOON_MIN)
    yes = Text(
        "At this rate the database of {name} reaches its quota in {hours:.1f} hours.",
        name=name,
        hours=minutes[name] / 60,
    )
    return MeasureResult(True, yes, minutes[name], SOON_MIN, name)


def _growth(line: Line) -> float | None:
    """Bytes per second over the record; a size that does not grow has next to none. None for a short record."""
    first, last = line.points[0], line.points[-1]
    seconds = (last.at_ms - first.at_ms) / 1000
    return max((last.value - first.value) / seconds, 1e-9) if seconds >= LEAST_S else None


def _note(size: float, quota: float, used: float | None) -> str:
    """The size in MiB; after the slash the quota; in brackets what a defragmentation would give back."""
    free = f" (−{max(0.0, size - used) / MIB:.0f})" if used is not None else ""
    return f"{size / MIB:.0f} / {quota / MIB:.0f} MiB{free}"


SIZES = Charted(Text("size of each member's database"), "B")
CHECK = Check(
    "etcd-space",
    Text("How full is the database against its quota?"),
    (
        Measure(
            "etcd-disk-space-low",
            Text("Is the database close to its quota?"),
            "of its quota",
            charted=SIZES,
        ),
        Measure("etcd-quota-forecast", Text("Will the database reach its quota soon?"), "min"),
    ),
    lambda scope: bool(etcds(scope)),
    _collect,
    metrics=(f"{SIZE}|{OLD_SIZE}", IN_USE, QUOTA),
)
