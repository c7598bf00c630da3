"""What do clients and maintenance ask of etcd, and does a member run out of CPU?"""

from domain.findings import Item
from domain.text import Text
from evidence.check import Ask, Check, Measure, MeasureResult, moment
from evidence.clients.prometheus import Line
from evidence.etcd_choice import etcds
from evidence.etcd_rates import BASELINE_MS, Rise, rise_of
from evidence.etcd_series import Members, increase, read
from evidence.etcd_stretch import histograms

KINDS = ("put", "delete", "txn", "range")
SENT, CPU = "etcd_network_client_grpc_sent_bytes_total", "process_cpu_seconds_total"
SLOW_WATCHERS, SLOW_READS = "etcd_debugging_mvcc_slow_watcher_total", "etcd_server_slow_read_indexes_total"
FAILED = "etcd_server_proposals_failed_total"
DEFRAG = "etcd_disk_backend_defrag_duration_seconds"
COMPACTION = "etcd_debugging_mvcc_db_compaction_total_duration_milliseconds"
# Of each kind the stable name, or the one that it had before.
REQUESTS = f"etcd_(debugging_)?mvcc_({'|'.join(KINDS)})_total"
METRICS = f"{REQUESTS}|{SENT}|{CPU}|{SLOW_WATCHERS}|{SLOW_READS}|{FAILED}|({DEFRAG}|{COMPACTION})_(sum|count)"
# More than this many times the usual, and at least this many a second: an idle etcd may triple unharmed.
SURGE, LEAST_REQUESTS, LEAST_BYTES = 3.0, 100.0, 5e6
# A process that uses this much of one core, and twice what it used before, is at its limit or close to it.
CORES, BUSIER = 0.9, 2.0
LEAST_COUNT = 3
COMPACTION_S = 1.0


def _collect(ask: Ask) -> dict[str, MeasureResult]:
    members = read(ask, METRICS)
    return {
        "etcd-client-surge": _surge(members),
        "etcd-watchers-behind": _watchers(members),
        "etcd-slow-reads": _counted(members, SLOW_READS, Text("slow reads through consensus")),
        "etcd-proposals-failed": _counted(members, FAILED, Text("failed proposals")),
        "etcd-defragmented": _defragmented(members),
        "etcd-compaction-long": _compaction(members),
        "etcd-cpu-busy": _busy(members),
    }


def _nothing(what: Text) -> MeasureResult:
    why = Text("no such series in the window")
    return MeasureResult(None, Text("{what}: unknown.", what=what), why_unknown=why)


def _surge(members: Members) -> MeasureResult:
    """Requests of any kind, or bytes sent to clients, of all members together."""
    rises = {kind: rise for kind in KINDS if (rise := rise_of(members, _requests(members, kind)))}
    floors = dict.fromkeys(rises, LEAST_REQUESTS)
    if sent := rise_of(members, members.of(SENT)):
        rises["bytes"], floors["bytes"] = sent, LEAST_BYTES
    if not rises:
        return _nothing(Text("Requests of clients"))
    answers = {kind: rise.over(SURGE, floors[kind]) for kind, rise in rises.items()}
    items = tuple(Item(kind, rise.highest, _usual(rise), answers[kind]) for kind, rise in rises.items())
    surging = [kind for kind, answer in answers.items() if answer]
    if not surging and None in answers.values():
        why = Text("less than {minutes:.0f} minutes before the fault are on record", minutes=BASELINE_MS / 60_000)
        return MeasureResult(
            None, Text("Whether clients ask more than usual is unknown."), why_unknown=why, items=items
        )
    kind = max(surging or sorted(rises), key=lambda k: rises[k].highest / floors[k])
    yes = Text(
        "Clients asked far more than usual: {kind} at {highest:.0f}/s, usually {usual:.0f}/s.",
        kind=kind,
        highest=rises[kind].highest,
        usual=rises[kind].usual or 0.0,
    )
    no = Text("Clients asked no more than usual, or little.")
    seen = bool(surging)
    return MeasureResult(seen, yes if seen else no, rises[kind].highest, floors[kind], items=items,
                first_seen_at=moment(rises[kind].since_ms if seen else None))  # fmt: skip


def _requests(members: Members, kind: str) -> list[Line]:
    return members.of(f"etcd_mvcc_{kind}_total") or members.of(f"etcd_debugging_mvcc_{kind}_total")


def _usual(rise: Rise) -> str:
    return f"{rise.usual:.1f} →" if rise.usual is not None else "? →"


def _watchers(members: Members) -> MeasureResult:
    """Watchers that cannot keep up, in two samples or more."""
    lines = members.of(SLOW_WATCHERS)
    if not lines:
        return _nothing(Text("Watchers that fall behind"))
    slow = {members.member(line): sorted(line.between(members.onset_ms, members.end_ms))[-2:] for line in lines}
    behind = {name: values[0] for name, values in slow.items() if len(values) > 1}
    name = max(sorted(behind), key=lambda n: behind[n], default="")
    count = behind.get(name, 0.0)
    yes = Text("{count:.0f} watchers of {name} cannot keep up.", count=count, name=name)
    no = Text("All watchers keep up.")
    seen = count >= LEAST_COUNT
    return MeasureResult(seen, yes if seen else no, count, LEAST_COUNT, name if seen else "")


def _counted(members: Members, metric: str, what: Text) -> MeasureResult:
    gained = {members.member(line): increase(line, members.onset_ms, members.end_ms) for line in members.of(metric)}
    if not gained:
        return _nothing(what)
    name = max(sorted(gained), key=lambda n: gained[n])
    seen = gained[name] >= LEAST_COUNT
    yes = Text("{name}: {count:.0f} {what}.", name=name, count=gained[name], what=what)
    no = Text("No member had more than {count:.0f} {what}.", count=gained[name], what=what)
    items = tuple(Item(n, v, exceeds=v >= LEAST_COUNT) for n, v in sorted(gained.items()))
    return MeasureResult(seen, yes if seen else no, gained[name], LEAST_COUNT, name if seen else "", items=items)


def _defragmented(members: Members) -> MeasureResult:
    """A member that is defragmented answers nothing until that is done."""
    found = histograms(members, DEFRAG)
    if not found:
        return _nothing(Text("Defragmentation"))
    worst = {name: stretch for name, histogram in found.items() if (stretch := histogram.worst())}
    if not worst:
        return MeasureResult(False, Text("No member was defragmented."), 0.0)
    name = max(sorted(worst), key=lambda n: worst[n].mean)
    yes = Text("{name} was defragmented, which took {seconds:.1f} s.", name=name, seconds=worst[name].mean)
    return MeasureResult(True, yes, worst[name].mean, subject=name, first_seen_at=moment(worst[name].start_ms))


def _compaction(members: Members) -> MeasureResult:
    found = histograms(members, COMPACTION)
    if not found:
        return _nothing(Text("Compaction"))
    took = {name: stretch.mean / 1000 for name, histogram in found.items() if (stretch := histogram.worst())}
    name = max(sorted(took), key=lambda n: took[n], default="")
    longest = took.get(name, 0.0)
    yes = Text("A compaction of {name} took {seconds:.1f} s.", name=name, seconds=longest)
    no = Text("No compaction took longer than {seconds:g} s.", seconds=COMPACTION_S)
    seen = longest >= COMPACTION_S
    return MeasureResult(seen, yes if seen else no, longest, COMPACTION_S, name if seen else "")


def _busy(members: Members) -> MeasureResult:
    """One member near one core and far above what it used; etcd's own work hardly spreads over more."""
    rises = {members.member(line): rise for line in members.of(CPU) if (rise := rise_of(members, [line]))}
    if not rises:
        return _nothing(Text("CPU of the members"))
    answers = {name: rise.over(BUSIER, CORES) for name, rise in rises.items()}
    name = max(sorted(rises), key=lambda n: (bool(answers[n]), rises[n].highest))
    items = tuple(Item(n, r.highest, _usual(r), answers[n]) for n, r in sorted(rises.items()))
    if answers[name] is None:
        why = Text("less than {minutes:.0f} minutes before the fault are on record", minutes=BASELINE_MS / 60_000)
        return MeasureResult(None, Text("Whether a member uses more CPU than usual is unknown."), rises[name].highest,
                CORES, why_unknown=why, items=items)  # fmt: skip
    yes = Text("{name} used {cores:.1f} cores, far more than usual.", name=name, cores=rises[name].highest)
    no = Text("No member used more than {cores:.1f} cores, or more than it usually does.", cores=rises[name].highest)
    seen = bool(answers[name])
    return MeasureResult(seen, yes if seen else no, rises[name].highest, CORES, name if seen else "", items=items,
                first_seen_at=moment(rises[name].since_ms if seen else None))  # fmt: skip


CHECK = Check(
    "etcd-load",
    Text("What do clients and maintenance ask of etcd?"),
    (
        Measure("etcd-client-surge", Text("Do clients ask far more than usual?")),
        Measure("etcd-watchers-behind", Text("Do watchers fall behind?")),
        Measure("etcd-slow-reads", Text("Were reads through consensus slow inside etcd?"), "times"),
        Measure("etcd-proposals-failed", Text("Did proposals fail?"), "failures"),
        Measure("etcd-defragmented", Text("Was a member defragmented?"), "s"),
        Measure("etcd-compaction-long", Text("Did a compaction take long?"), "s"),
        Measure("etcd-cpu-busy", Text("Does a member use far more CPU than usual?")),
    ),
    lambda scope: bool(etcds(scope)),
    _collect,
    metrics=("etcd_(debugging_)?mvcc_put_total", CPU),
    span_s=60.0,
)
