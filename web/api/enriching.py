"""Ticket enrichment: the incident of a ticket with its verdict and report, for whoever pulls it."""

import hashlib
import re
from collections.abc import Iterator, Mapping
from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from domain.snapshot import IncidentSnapshot
from domain.text import Text
from domain.verdict import RankedCause, VerdictState
from domain.verdict_json import to_contract
from incidents import queries
from incidents.models import Incident
from notify.reports import report_of
from tickets.render import render
from tickets.report import Report, in_words, percent
from web.api.access import Api
from web.api.problems import problem
from web.api.shapes import EnrichShape, IncidentShape

OWN_LABEL = re.compile(r"ig-([1-9]\d{0,8})")
# What sources call an alert's identity: Alertmanager's fingerprint, Zabbix's event id.
IDENTITIES = ("fingerprint", "event_id", "eventid", "identity")
GROUPS = ("groupKey", "group_key")
MOST_ALERTS, TRIED_AT_MOST, SHOWN = 20, 60, 200
WAITING = Text("This incident is being investigated.")


def search(asked: Mapping[str, Any]) -> tuple[Incident | None, list[str]]:
    """The incident that a ticket speaks of, and what was tried, in order; the surest comes first."""
    tried: list[str] = []
    if wanted := asked.get("incident"):
        tried.append(f"incident {wanted}")
        if row := queries.incident(wanted):
            return row, tried
    for keys in (_ticket(asked), _labels(asked)):
        tried += [f"ticket key or label {key[:SHOWN]}" for key in keys]
        if row := _by_own_label(keys) or (queries.find_for_ticket(keys) if keys else None):
            return row, tried[:TRIED_AT_MOST]
    for name, identity in _identities(asked.get("alert", {})):
        tried.append(f"alert {name} {identity}")
        if row := queries.find_for_alert(identity):
            return row, tried[:TRIED_AT_MOST]
    return None, tried[:TRIED_AT_MOST]


def _ticket(asked: Mapping[str, Any]) -> list[str]:
    ticket = asked.get("ticket", "").strip().replace("\0", "")
    return list(dict.fromkeys(key for key in (ticket.upper(), ticket) if key))


def _labels(asked: Mapping[str, Any]) -> list[str]:
    """The ticket's labels, and the one that Alertmanager's receiver gives to the group of a given alert."""
    alert = asked.get("alert", {})
    groups = [word for name in GROUPS if (word := _word(alert.get(name)))]
    made = [f"ALERT{{{hashlib.sha256(_bytes(group)).hexdigest()}}}" for group in groups]
    labels = [label.strip().replace("\0", "") for label in (*asked.get("labels", []), *made)]
    return list(dict.fromkeys(label for label in labels if label))


def _by_own_label(keys: list[str]) -> Incident | None:
    """By the label that our tickets carry."""
    numbers = [found.group(1) for key in keys if (found := OWN_LABEL.fullmatch(key))]
    return queries.incident(numbers[0]) if numbers else None


def _identities(alert: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Names and values by which a given alert, or each one of a whole message, may be in the record."""
    inner = alert.get("alerts")
    for one in [alert, *(inner[:MOST_ALERTS] if isinstance(inner, list) else ())]:
        if not isinstance(one, Mapping):
            continue
        given = [(name, word[:SHOWN].replace("\0", "")) for name in IDENTITIES if (word := _word(one.get(name)))]
        yield from given
        labels = one.get("labels")
        if not given and isinstance(labels, Mapping) and labels:
            yield "labels", fingerprint({name: _word(value) for name, value in labels.items()})


def _word(value: object) -> str:
    """A text or number as text; nothing else names an alert."""
    return str(value) if isinstance(value, str | int | float) and value else ""


def fingerprint(labels: Mapping[str, str]) -> str:
    """What Alertmanager calls an alert with these labels: FNV-1a over names and values in order."""
    value = 14695981039346656037
    for name in sorted(labels):
        for byte in b"%s\xff%s\xff" % (_bytes(name), _bytes(labels[name])):
            value = (value ^ byte) * 1099511628211 & 0xFFFFFFFFFFFFFFFF
    return f"{value:016x}"


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "replace")


def flat(snapshot: IncidentSnapshot, report: Report, language: str) -> dict[str, Any]:
    """The few values that a rule can use without looping; `probability` is 0 to 1, null without a cause."""
    verdict = snapshot.verdict
    ranked = verdict is not None and verdict.state is VerdictState.RANKED and verdict.causes
    first = verdict.causes[0] if verdict is not None and ranked else None
    return {
        "state": verdict.state.value if verdict else "waiting",
        "top_cause": first.cause if first else "",
        "top_cause_title": first.title.in_language(language) if first else "",
        "probability": round(first.probability, 4) if first else None,
        "summary_text": summary(report, first, waiting=verdict is None).in_language(language),
        "report_url": report.url,
    }


def summary(report: Report, first: RankedCause | None, *, waiting: bool) -> Text:
    """The headline with how sure it is, as plain text."""
    if waiting:
        return WAITING
    if first is None:
        return report.headline
    word, share = in_words(first.probability), percent(first.probability)
    if f"({share})" in report.headline.en:
        en = report.headline.en.replace(f"({share})", f"({word.en}, {share})", 1)
        chinese, sure = report.headline.in_language("zh"), word.in_language("zh")
        return Text.rendered(en, chinese.replace(f"（{share}）", f"（{sure}，{share}）", 1))
    return Text("{headline} ({word}, {share})", headline=report.headline, word=word, share=share)


class Enrich(Api):
    """tickets/enrich/"""

    write_scope = "read"

    @extend_schema(request=EnrichShape, responses={200: OpenApiTypes.OBJECT, 404: OpenApiTypes.OBJECT})
    def post(self, request: Request) -> Response:
        """The incident of a ticket with its verdict and its report; changes nothing."""
        shape = EnrichShape(data=request.data)
        shape.is_valid(raise_exception=True)
        asked: dict[str, Any] = shape.validated_data
        row, tried = search(asked)
        if row is None:
            detail = "no incident fits" if tried else "give one of ticket, labels, alert, incident"
            return problem(404, "No incident for this ticket", detail=detail, tried=tried)
        row = queries.survivor(row)  # the ticket of a merged incident is about what that became part of
        snapshot = queries.snapshot(str(row.pk), with_findings=False)
        verdict, report, language = snapshot.verdict, report_of(snapshot), asked["language"]
        return Response({
            **flat(snapshot, report, language),
            "incident": IncidentShape(row).data,
            "url": snapshot.url,
            "verdict": to_contract(verdict, language) if verdict else None,
            "format": asked["format"],
            "report": render(report, asked["format"], language),
            "tried": tried,
        })  # fmt: skip
