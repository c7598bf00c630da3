"""Which incident an alert belongs to: one pure function, each answer with its reason.

An incident is a connected group of alerts. Two alerts are connected when they are about the same entity or about
related ones and their times are close, whichever of them comes first.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property

from domain.alerts import Family
from domain.entities import EntityKind, Relation, RelationKind, named
from domain.text import Text

# Relations by which two entities are related through a common end: members of one cluster, pods of one workload.
# A common zone or host does not relate them.
STANDS_FOR = {RelationKind.MEMBER_OF, RelationKind.PART_OF}
# Too wide to connect two alerts, unless both are about it and fail alike.
BROAD = frozenset({EntityKind.CLUSTER, EntityKind.NAMESPACE, EntityKind.ZONE})
# So many pods of a node have to fail before an alert about the node that is not about its health connects them.
SEVERAL_PODS = 2


@dataclass(frozen=True, slots=True)
class Rules:
    """Times and bounds of grouping."""

    window: timedelta = timedelta(minutes=15)
    reopen_window: timedelta = timedelta(minutes=10)
    storm_cap: int = 50


@dataclass(frozen=True)
class Member:
    """One alert as grouping sees it; `incident` and `number` are those of a stored one, empty for the newcomer.

    `keys` are the entities that can connect it (`connecting`). `relations` begin at entities that it names.
    `ended_at` is None while it fires.
    """

    subject: str
    keys: frozenset[str]
    started_at: datetime
    ended_at: datetime | None = None
    family: str = ""
    name: str = ""
    relations: frozenset[Relation] = frozenset()
    incident: str = ""
    number: int = 0

    @property
    def failure(self) -> str:
        """What kind of failure it is: its family, or its name where the family is not known."""
        return self.family or self.name

    @cached_property
    def hosts(self) -> dict[str, str]:
        """The hosts that its pods run on, each with one of the pods."""
        return {r.end: r.start for r in sorted(self.relations) if _of_pod(r) and r.start in self.keys}


@dataclass(frozen=True, slots=True)
class Link:
    """An incident that the newcomer is connected with, and by what."""

    incident: str
    reason: Text


@dataclass(frozen=True, slots=True)
class Decision:
    """`incident` is empty when a new one is to be opened; `joins` are further incidents that become one with it.

    A new incident `follows` one of the same entity that was over shortly before; those in `followed_by` began shortly
    after it was over.
    """

    incident: str
    reason: Text
    joins: tuple[Link, ...] = ()
    follows: str = ""
    followed_by: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, order=True)
class _Rank:
    """Which of several connections is named: by rule, then the newest alert (`age_s` counts back), then by name."""

    rule: int
    age_s: float
    words: str


def kind_of(key: str) -> str:
    """The kind of an entity's key."""
    return key.split("/", 1)[0]


def connecting(subject: str, others: Iterable[str]) -> frozenset[str]:
    """Of the entities that an alert names those that can connect it with another one.

    The host of a pod, a cluster, a namespace and a zone only say where it is. Without a subject a lone host stands
    for it.
    """
    keys = {key for key in others if kind_of(key) not in BROAD}
    hosts = {key for key in keys if kind_of(key) == EntityKind.HOST}
    if subject or keys - hosts:
        keys -= hosts
    return frozenset(keys | {subject} if subject and kind_of(subject) not in BROAD else keys)


def group(
    newcomer: Member,
    members: Sequence[Member],
    rules: Rules,
    returns_to: Sequence[Link] = (),
    opened: Iterable[str] = (),
) -> Decision:
    """All incidents that the newcomer is connected with, first the one by the first rule.

    The rules: the same alert fired there before (`returns_to`), same entity, the same failure again, related entity,
    one node. `opened` are the incidents that are open, the newest first; they are read when nothing is connected, and
    so many of them are a storm that the newest takes the alert.
    """
    found = {link.incident: link for link in returns_to}
    for _, link in sorted(_connections(newcomer, members, rules), key=lambda pair: pair[0]):
        found.setdefault(link.incident, link)
    if found:
        first, *others = found.values()
        return Decision(first.incident, first.reason, tuple(others))
    storm = list(opened)
    if len(storm) >= rules.storm_cap:
        return Decision(storm[0], Text("storm: {number} incidents are open", number=len(storm)))
    return _opened(newcomer, members, rules)


def _opened(newcomer: Member, members: Sequence[Member], rules: Rules) -> Decision:
    """A new incident, with the ones of the same entity shortly before and after it."""
    around = [m for m in members if _shared(newcomer, m) and timedelta() < _gap(newcomer, m) <= rules.reopen_window]
    before = [m for m in around if m.started_at < newcomer.started_at]
    after = sorted({m.incident for m in around if m not in before})
    if not before:
        return Decision("", Text("no open incident is related"), followed_by=tuple(after))
    last = max(before, key=lambda m: (m.ended_at or m.started_at, m.number))
    entity = named(min(_shared(newcomer, last)))
    reason = Text("another failure of {entity}, after incident #{number}", entity=entity, number=last.number)
    return Decision("", reason, follows=last.incident, followed_by=tuple(after))


def _connections(newcomer: Member, members: Sequence[Member], rules: Rules) -> Iterator[tuple[_Rank, Link]]:
    """What connects the newcomer with stored alerts, each with its rank.

    Of an incident that has the newcomer's entity one alert is enough, the newest: a storm has thousands.
    """
    same_entity: set[str] = set()
    for member in sorted(members, key=lambda m: m.started_at, reverse=True):
        if member.incident not in same_entity and (reason := _reason(newcomer, member, rules)) is not None:
            rule, text = reason
            if rule == 1:
                same_entity.add(member.incident)
            yield _ranked(rule, text, member)
    others = [m for m in members if m.incident not in same_entity]
    for member, text in _by_node(newcomer, members, rules) if others else ():
        yield _ranked(4, text, member)


def _ranked(rule: int, text: Text, member: Member) -> tuple[_Rank, Link]:
    return _Rank(rule, -member.started_at.timestamp(), f"{text.en} {member.incident}"), Link(member.incident, text)


def _reason(newcomer: Member, member: Member, rules: Rules) -> tuple[int, Text] | None:
    """The number of the first rule that connects two alerts whatever else there is, and its sentence."""
    near = _near(newcomer, member, rules)
    if near and (shared := newcomer.keys & member.keys):
        return 1, Text("same entity, {entity}", entity=named(min(shared)))
    if _fails_alike(newcomer, member) and (near or timedelta() < _gap(newcomer, member) <= rules.reopen_window):
        return 2, Text("the same failure of {entity}", entity=named(newcomer.subject))
    if near and (pair := _related_pair(newcomer, member)):
        entity, other = map(named, pair)
        return 3, Text("{entity} is related to {other}", entity=entity, other=other)
    return None


def _shared(one: Member, other: Member) -> frozenset[str]:
    """The entities that both alerts are about."""
    subject = {one.subject} if one.subject and one.subject == other.subject else set()
    return one.keys & other.keys | subject


def _fails_alike(one: Member, other: Member) -> bool:
    return bool(one.subject) and (one.subject, one.failure) == (other.subject, other.failure)


def _near(one: Member, other: Member, rules: Rules) -> bool:
    """Whether two alerts began within the window, and neither was over before the other began."""
    return abs(one.started_at - other.started_at) <= rules.window and not _gap(one, other)


def _gap(one: Member, other: Member) -> timedelta:
    """The time between the end of the earlier alert and the start of the later one; none while the earlier fires."""
    first, second = (one, other) if one.started_at <= other.started_at else (other, one)
    return max(timedelta(), second.started_at - first.ended_at) if first.ended_at else timedelta()


def _related_pair(one: Member, other: Member) -> tuple[str, str] | None:
    """The first pair of keys with a direct relation, or with the same cluster or workload above both."""
    return _directly_related(one, other) or _below_one_parent(one, other)


def _directly_related(one: Member, other: Member) -> tuple[str, str] | None:
    for link in sorted(one.relations | other.relations):
        if link.kind is RelationKind.IN_ZONE or _of_pod(link):
            continue
        if (link.start in one.keys and link.end in other.keys) or (link.end in one.keys and link.start in other.keys):
            return link.start, link.end
    return None


def _of_pod(link: Relation) -> bool:
    """Whether it says where a pod runs, which alone does not connect the pod with its node."""
    return link.kind is RelationKind.RUNS_ON and kind_of(link.start) == EntityKind.POD


def _below_one_parent(one: Member, other: Member) -> tuple[str, str] | None:
    ours, theirs = _parents(one), _parents(other)
    common = sorted(ours.keys() & theirs.keys())
    return (ours[common[0]], theirs[common[0]]) if common else None


def _parents(member: Member) -> dict[str, str]:
    """What its entities are part of, each with the first of these entities."""
    upward = (r for r in sorted(member.relations, reverse=True) if r.kind in STANDS_FOR and r.start in member.keys)
    return {r.end: r.start for r in upward if kind_of(r.end) not in BROAD}


def _by_node(newcomer: Member, members: Sequence[Member], rules: Rules) -> Iterator[tuple[Member, Text]]:
    """The alerts that are connected with the newcomer through a node: the node's own, and those of its pods."""
    everyone = (newcomer, *members)
    hosts = {*newcomer.hosts, *([newcomer.subject] if kind_of(newcomer.subject) == EntityKind.HOST else ())}
    for host in sorted(hosts):
        pods = [m for m in everyone if host in m.hosts]
        about_it = [newcomer] if newcomer.subject == host else [m for m in members if m.subject == host]
        for node in about_it:
            connected = _failing_with(node, host, pods, rules)
            if newcomer is node or any(m is newcomer for m in connected):
                yield from ((m, _runs_on(newcomer, m, host)) for m in (node, *connected) if m is not newcomer)


def _failing_with(node: Member, host: str, pods: Sequence[Member], rules: Rules) -> list[Member]:
    """The pods' alerts that an alert about their node connects.

    An alert about the node's health connects those near it, and those near these while it fires. Any other connects
    those near it when several pods fail.
    """
    near = [pod for pod in pods if _near(node, pod, rules)]
    if node.family == Family.NODE:
        later = (pod for pod in pods if pod not in near and not _gap(node, pod))
        return [*near, *(pod for pod in later if any(_near(pod, one, rules) for one in near))]
    return near if len({pod.hosts[host] for pod in near}) >= SEVERAL_PODS else []


def _runs_on(newcomer: Member, member: Member, host: str) -> Text:
    pod = newcomer.hosts.get(host) or member.hosts.get(host, "")
    return Text("{pod} runs on {node}, which fails too", pod=named(pod), node=named(host))
