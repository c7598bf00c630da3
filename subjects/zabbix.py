"""The subject of a Zabbix event: its host, unless its tags or its item name what that host only polls. Pure."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace

from domain.alerts import Family
from domain.connections import SourceDecl
from domain.entities import EntityKind, EntityRef
from domain.text import Text
from subjects.naming import COMPONENT_OF_JOB, FAMILY_OF_KIND, SPECIFIC, component, entity_by
from subjects.related import others_of
from subjects.subject import Sent, Subject
from subjects.tables import Item, zabbix_item
from subjects.view import View, cluster_of

# Tags of Zabbix's own templates for Kubernetes; there `job` is an object of Kubernetes.
_TAGS = {"job": "job_name", "pvc": "persistentvolumeclaim"}
_NAMES_OF_HOST = ("host_name", "host_ip", "host_dns")
_HOST_FIELDS = frozenset({"host_host", "item_key", "trigger_id", "event_id", *_NAMES_OF_HOST})
_PARAMETER = re.compile(r"\[\"?([^\]\",]+)")
_ETCD = re.compile(r"(?<![a-z/])etcd(?!adm)", re.IGNORECASE)
_COMPONENTS = {"scheduler": "kube-scheduler", "controller-manager": "kube-controller-manager", **COMPONENT_OF_JOB}


@dataclass(frozen=True, slots=True)
class _Event:
    """An event with what divides its tags from its host."""

    sent: Sent
    view: View
    host: str
    item: Item | None

    @property
    def host_ref(self) -> EntityRef:
        """The host with the other names by which Zabbix has it."""
        fields = self.sent.labels
        names = (fields.get(name, "") for name in _NAMES_OF_HOST)
        other = tuple(dict.fromkeys(name for name in names if name and name != self.host))
        return EntityRef(EntityKind.HOST, self.host, self.view.cluster, "", other)


def zabbix_subject(sent: Sent, declared: SourceDecl) -> Subject:
    """The subject of one event, by its tags first, then by its item, then by its host, whose names Zabbix has."""
    return replace(_subject(sent, declared), names_from=Text("Zabbix has these names for one host"))


def _subject(sent: Sent, declared: SourceDecl) -> Subject:
    fields = sent.labels
    own = {_TAGS.get(tag, tag): value for tag, value in fields.items() if value and tag not in _HOST_FIELDS}
    host = fields.get("host_host") or fields.get("host_name", "")
    event = _Event(
        sent, View(own, {}, cluster_of(fields, declared), None), host, zabbix_item(fields.get("item_key", ""))
    )
    found = _by_tag(event) or _by_item(event) or _by_words(event)
    if found:
        return found
    return Subject(event.host_ref, Family.NODE, "", Text("Zabbix's host")) if host else Subject(None, Family.UNKNOWN)


def _by_tag(event: _Event) -> Subject | None:
    for label in SPECIFIC:
        if ref := entity_by(label, event.view):
            family = event.item.family if event.item else FAMILY_OF_KIND.get(ref.kind, Family.UNKNOWN)
            others = others_of(ref, event.view, "zabbix")
            return Subject(ref, family, event.host, Text("taken from tag {tag}", tag=label), others)
    return None


def _by_item(event: _Event) -> Subject | None:
    """By the key of the item of one of Zabbix's templates, with the name in its parameter."""
    item, because = event.item, Text("the item's key")
    if item is None or (item.by == "@host" and not event.host):
        return None
    if item.by == "@host":
        return Subject(event.host_ref, item.family, "", because)
    if item.by == "@member":
        return _member(event, event.host, because)
    if item.by.startswith("@"):
        ref = entity_by(item.by, event.view)
        return Subject(ref, item.family, event.host, because)
    return _by_parameter(event, item, because)


def _by_parameter(event: _Event, item: Item, because: Text) -> Subject | None:
    parameter = _PARAMETER.search(event.sent.labels.get("item_key", ""))
    namespace, _, name = parameter[1].rpartition("/") if parameter else ("", "", "")
    if not name:
        return None
    if item.by == "component":
        if _ETCD.match(name):
            return _member(event, name, because)
        ref = component(_COMPONENTS.get(name, name), event.view.cluster)
        return Subject(ref, item.family, event.host, because)
    own = {**event.view.own, item.by: name} | ({"namespace": namespace} if namespace else {})
    view = replace(event.view, own=own)
    named = entity_by(item.by, view)
    return Subject(named, item.family, event.host, because, others_of(named, view, "zabbix"))


def _by_words(event: _Event) -> Subject | None:
    """A member of etcd, where a tag or the event's name says so."""
    tags: Mapping[str, str] = event.sent.labels
    places = [tag for tag in ("target", "component") if tags.get(tag, "").lower() == "etcd"]
    if _ETCD.search(event.sent.name) or _ETCD.search(event.sent.title):
        places.append("event_name")
    if places and event.host:
        return _member(event, event.host, Text("the word etcd in {place}", place=places[0]))
    namespace = entity_by("namespace", event.view)
    because = Text("taken from tag {tag}", tag="namespace")
    return Subject(namespace, Family.UNKNOWN, event.host, because) if namespace else None


def _member(event: _Event, name: str, because: Text) -> Subject | None:
    if not name:
        return None
    aliases = event.host_ref.aliases if name == event.host else ()
    ref = EntityRef(EntityKind.ETCD_MEMBER, name, event.view.cluster, "", aliases)
    return Subject(ref, Family.ETCD, "" if name == event.host else event.host, because)
