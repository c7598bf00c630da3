"""Brings a ticket to a notification: one comment edited in place, one link, labels and fields, its status."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from domain.alerts import AlertState
from domain.snapshot import IncidentSnapshot
from domain.text import Text
from domain.verdict import RankedCause, VerdictState
from tickets.jira import texts, users
from tickets.jira.api import Denied, JiraApi
from tickets.jira.find import OURS, Ticket, entity_property, label_of, property_key
from tickets.render.form import safe_url
from tickets.system import Notification, TargetState

REMOVED = "removed"
LOOKED_THROUGH, ASKED_ONE_BY_ONE = 100, 20
OPEN, ACKNOWLEDGED, MITIGATED, RESOLVED = "open", "acknowledged", "mitigated", "resolved"


@dataclass(frozen=True, slots=True)
class Writer:
    """Writes one notification into one ticket. Each part yields a sentence on what it changed, none if nothing."""

    api: JiraApi
    notification: Notification
    state: TargetState
    ticket: Ticket

    def all(self) -> list[Text]:
        """Everything, in an order that leaves the report there first."""
        return [*self.comment(), *self.link(), *self.fields(), *self.status()]

    def comment(self) -> Iterator[Text]:
        """The report in one comment; one that a person deleted stays deleted."""
        body = texts.comment_body(self.notification.report, self.api.cloud, self.notification.language)
        known, digest = self.state.get("comment"), texts.digest(body)
        if known == REMOVED:
            yield Text("a person removed the comment, so it is not written again")
            return
        if known and self.state.get("comment_digest") == digest:
            return
        known = known or self._made_before()
        if not known:
            answer = self.api.send(
                "a comment", "POST", ("issue", self.ticket.key, "comment"),
                {"body": body, "properties": [entity_property(self.notification)]},
            )  # fmt: skip
            self.state.put(comment=str(answer.get("id", "")), comment_digest=digest)
            yield Text("comment written")
            return
        yield self._edited(known, body, digest)

    def _edited(self, comment: str, body: Any, digest: str) -> Text:
        try:
            self.api.quietly(
                "an edit of the own comment", "PUT", ("issue", self.ticket.key, "comment", comment), {"body": body}
            )
        except Denied as error:
            if error.status != 404:
                raise
            self.state.put(comment=REMOVED)
            return Text("a person removed the comment, so it is not written again")
        self.state.put(comment=comment, comment_digest=digest)
        return Text("comment brought up to date")

    def _made_before(self) -> str:
        """The comment whose making was not answered, by the mark that it was made with; empty if there is none."""
        if self.ticket.new:
            return ""
        answer = self.api.read(
            "its comments", "issue", self.ticket.key, "comment",
            orderBy="-created", maxResults=str(LOOKED_THROUGH), expand="properties",
        )  # fmt: skip
        comments = [c for c in answer.get("comments", ()) if isinstance(c, Mapping)]
        return next(self._marked(comments), "")

    def _marked(self, comments: list[Mapping[str, Any]]) -> Iterator[str]:
        """Ids of comments with our property; where the list has no properties, own comments are asked one by one."""
        wanted, asked = property_key(self.notification), 0
        for comment in comments:
            if "properties" in comment:
                if any(p.get("key") == wanted for p in comment["properties"] or ()):
                    yield str(comment.get("id"))
            elif asked < ASKED_ONE_BY_ONE and users.is_own(self.api.transport, comment.get("author")):
                asked += 1
                place = ("comment", str(comment.get("id")), "properties", wanted)
                if self.api.look("a comment's mark", *place) is not None:
                    yield str(comment.get("id"))

    def link(self) -> Iterator[Text]:
        """The incident among the ticket's links; sent whole each time, since Jira empties what is left out."""
        url, snapshot = safe_url(self.notification.report.url), self.notification.snapshot
        if not url:
            return
        body = {
            "globalId": f"{OURS}&incident={snapshot.id}",
            "application": {"type": "incident-graph", "name": "Incident Graph"},
            "relationship": "root cause analysis",
            "object": {
                "url": url,
                "title": texts.cut(f"Incident #{snapshot.number}", texts.SUMMARY_LIMIT),
                "summary": texts.cut(self.notification.report.headline.in_language(self.notification.language), 255),
                "icon": {},
                "status": {"resolved": snapshot.state == "resolved", "icon": {}},
            },
        }
        digest = texts.digest(body)
        if self.state.get("link") == digest:
            return
        self.api.send("a link", "POST", ("issue", self.ticket.key, "remotelink"), body)
        self.state.put(link=digest)
        yield Text("link set")

    def fields(self) -> Iterator[Text]:
        """Labels, added and never overwritten, and the declared fields for cause and probability."""
        first = first_cause(self.notification.snapshot)
        cause = f"ig-cause-{first.cause}"[: texts.LABEL_LIMIT] if first else ""
        before = self.state.get("cause_label")
        wanted = [OURS, label_of(self.notification), *self.api.transport.declared.labels, *([cause] if cause else [])]
        digest = texts.digest([wanted, first.probability if first else None, self.api.transport.declared.fields])
        if self.state.get("fields") == digest:
            return
        steps = [{"add": label} for label in wanted]
        steps += [{"remove": before}] if before and before != cause else []
        values, notes = self._values(first)
        body = {"update": {"labels": steps}, "properties": [entity_property(self.notification)]}
        self.api.quietly("an edit", "PUT", ("issue", self.ticket.key), body | ({"fields": values} if values else {}))
        self.state.put(fields=digest, cause_label=cause)
        yield from notes

    def _values(self, first: RankedCause | None) -> tuple[dict[str, Any], list[Text]]:
        """What the declared fields are set to, as far as the ticket's edit screen has them, and what it lacks."""
        declared = {name: field for name, field in self.api.transport.declared.fields.items() if field}
        if not declared:
            return {}, []
        meta = self.api.read("the fields that can be edited", "issue", self.ticket.key, "editmeta").get("fields") or {}
        values: dict[str, Any] = {}
        notes: list[Text] = []
        for name, field in declared.items():
            if field not in meta:
                notes.append(Text("{field} is not on the edit screen", field=field))
            elif name in {"cause", "probability"}:
                value = fitting(name, first, meta[field], self.notification.language)
                values[field] = value
                if first and value is None:
                    notes.append(Text("{field} does not take the {name}", field=field, name=name))
        return values, notes

    def status(self) -> Iterator[Text]:
        """Makes the transition of the incident's new phase; a missing one is mentioned and never a failure."""
        wanted, before = phase(self.notification.snapshot), self.state.get("phase")
        if wanted == before:
            return
        name, unless = self._transition(before, wanted)
        if name and not unless:
            yield self._moved(name)
        self.state.put(phase=wanted)

    def _transition(self, before: str, wanted: str) -> tuple[str, bool]:
        """The transition's declared name, and whether the ticket needs none."""
        names, done = self.api.transport.declared.transitions, self.ticket.done
        if before == RESOLVED:
            # Back again, however far it is: a ticket that a person reopened stays where that person put it.
            return names.get("reopened", ""), not done or not self._reopens()
        return names.get(wanted, ""), done

    def _reopens(self) -> bool:
        """Whether the ticket was closed so lately that it is the same one again."""
        closed = self.ticket.resolved_at
        window = timedelta(hours=self.api.transport.declared.reopen_hours)
        return closed is None or self.api.transport.now - closed <= window

    def _moved(self, name: str) -> Text:
        answer = self.api.read("its transitions", "issue", self.ticket.key, "transitions")
        there = [t for t in answer.get("transitions", ()) if isinstance(t, Mapping)]
        found = next((t for t in there if _named(t, name)), None) or next((t for t in there if _leads(t, name)), None)
        if found is None:
            status = self.ticket.status or "new"
            return Text("no transition {name} from the status {status}", name=name, status=status)
        place = ("issue", self.ticket.key, "transitions")
        try:
            self.api.send(f"the transition {name}", "POST", place, {"transition": {"id": str(found.get("id"))}})
        except Denied as error:
            return Text("{reason}", context="a transition refused", reason=str(error), name=name, status=error.status)
        return Text("moved by {name}", name=name)


def _named(transition: Mapping[str, Any], name: str) -> bool:
    return str(transition.get("name", "")).strip().casefold() == name.strip().casefold()


def _leads(transition: Mapping[str, Any], status: str) -> bool:
    """People often name the status where a transition leads."""
    to = transition.get("to")
    return isinstance(to, Mapping) and _named(to, status)


def phase(snapshot: IncidentSnapshot) -> str:
    """The incident's phase: open, acknowledged, mitigated (all alerts are over) or resolved."""
    if snapshot.state == "resolved":
        return RESOLVED
    if snapshot.alerts and all(alert.state is AlertState.RESOLVED for alert in snapshot.alerts):
        return MITIGATED
    return ACKNOWLEDGED if snapshot.acknowledged_by else OPEN


def first_cause(snapshot: IncidentSnapshot) -> RankedCause | None:
    """The first ranked cause; None while it is unknown."""
    verdict = snapshot.verdict
    return verdict.causes[0] if verdict and verdict.causes and verdict.state is VerdictState.RANKED else None


def fitting(name: str, first: RankedCause | None, meta: Mapping[str, Any], language: str) -> Any:
    """A value that a field of this kind takes; None empties it.

    The cause goes into a text field as its title, into a list as the option with its slug or title; the probability
    into a number field as percent.
    """
    kind = (meta.get("schema") or {}).get("type")
    if first is None:
        return None
    if name == "probability":
        percent = round(first.probability * 100)
        return percent if kind == "number" else f"{percent} %" if kind == "string" else None
    if kind == "string":
        return texts.cut(first.title.in_language(language), texts.SUMMARY_LIMIT)
    names = {first.cause, first.title.en, first.title.in_language("zh")}
    options = [o for o in meta.get("allowedValues") or () if isinstance(o, Mapping) and o.get("value") in names]
    return {"value": options[0]["value"]} if kind == "option" and options else None
