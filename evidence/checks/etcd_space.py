"""How full is the database, against its quota?"""

from domain.findings import Item
from domain.text import Text
from evidence.check import Ask, Charted, Check, Measure, MeasureResult, chart
from evidence.etcd_choice import etcds
from evidence.etcd_series import Members, read

SIZE, IN_USE = "etcd_mvcc_db_total_size_in_bytes", "etcd_mvcc_db_total_size_in_use_in_bytes"
# Before 3.4 this was the only name of the size; 3.6 exports it no more.
OLD_SIZE, QUOTA = "etcd_debugging_mvcc_db_total_size_in_bytes", "etcd_server_quota_backend_bytes"
# The share at which etcd's own alert rules call it critical.
LIMIT = 0.95
MIB = 1024 * 1024


def _collect(ask: Ask) -> dict[str, MeasureResult]:
    members = read(ask, f"{SIZE}|{OLD_SIZE}|{IN_USE}|{QUOTA}")
    return {"etcd-disk-space-low": _disk_space(members)}


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
    ),
    lambda scope: bool(etcds(scope)),
    _collect,
    metrics=(f"{SIZE}|{OLD_SIZE}", IN_USE, QUOTA),
)
