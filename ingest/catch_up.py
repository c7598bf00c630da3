"""Fetches events that a Zabbix could not send: compares its own list of events with the record.

Zabbix drops a message after its last attempt, so a longer outage of the service would lose problems and recoveries.
An event that was missed becomes a delivery in the inbox like any other.
"""

import json
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import structlog
from django.conf import settings

from domain.connections import SourceDecl
from domain.errors import ProductError
from incidents import deliveries, queries, sources
from incidents.models import Source
from tickets.systems import all_systems
from tickets.transport import Attempt, Traffic, client, secrets_of
from tickets.zabbix_api import ZabbixApi

KIND = "zabbix"
EVERY = timedelta(seconds=60)
# How long Zabbix has to deliver an event itself: younger events are not compared.
DELIVERY_TIME = timedelta(seconds=120)
FIRST_BACK = timedelta(hours=1)
PAGE, PAGES = 100, 100
EVENT = ["eventid", "clock", "name", "r_eventid"]
HEADERS = {"User-Agent": "incident-graph catching up"}
log = structlog.get_logger()


def catch_up(now: datetime) -> list[str]:
    """Compare every declared Zabbix that is due; the ids of the deliveries that were made."""
    declared = [s for s in queries.connections().source if s.kind == KIND and s.api_url and s.catch_up != "off"]
    return [delivery_id for source in declared for delivery_id in _compare_source(source, now)]


def _compare_source(declared: SourceDecl, now: datetime) -> list[str]:
    source = sources.take_comparison(KIND, declared.name, now - EVERY, now)
    if source is None:
        return []
    secret = secrets_of(declared, settings.DECLARED_SECRET)
    try:
        token = secret("api_token")
        if not token:
            return []
        with client(all_systems()[KIND], declared, secret, Attempt(Traffic())) as way:
            return Comparison(source, declared, ZabbixApi(way, declared.api_url, token), now).made()
    except ProductError as error:
        log.warning("catching_up_failed", source=str(source), error=str(error))
        return []


class Comparison:
    """One comparison of one Zabbix with the record."""

    def __init__(self, source: Source, declared: SourceDecl, api: ZabbixApi, now: datetime) -> None:
        self._source, self._declared, self._api, self._now = source, declared, api, now

    def made(self) -> list[str]:
        """Make deliveries for missed problems since the last compared event, then for missed recoveries; their ids."""
        return [*self._problems(), *self._recoveries()]

    def _problems(self) -> Iterator[str]:
        for page in self._pages():
            known = self._known(event["eventid"] for event in page)
            missed = [event for event in page if event["eventid"] not in known and self._meant(event)]
            yield from [self._accept(problem(event, self._now)) for event in missed]
            yield from self._ends(missed)
            last = page[-1]["eventid"]
            sources.compared_to(self._source, last)
            self._source.compared_to = last

    def _pages(self) -> Iterator[list[dict[str, Any]]]:
        """Problem events after the last compared one that are old enough, in order, a page at a time."""
        for _ in range(PAGES):
            events = self._api.call("event.get", **self._problem_query())
            old_enough = [event for event in events if self._is_old_enough(event)]
            if old_enough:
                yield old_enough
            if len(events) < PAGE or len(old_enough) < len(events):
                return

    def _is_old_enough(self, event: dict[str, Any]) -> bool:
        return int(event["clock"]) <= (self._now - DELIVERY_TIME).timestamp()

    def _start(self) -> dict[str, Any]:
        if self._source.compared_to:
            return {"eventid_from": str(int(self._source.compared_to) + 1)}
        return {"time_from": self._first()}

    def _problem_query(self) -> dict[str, Any]:
        return {
            **self._start(), "source": 0, "object": 0, "value": 1,
            "sortfield": ["eventid"], "sortorder": "ASC", "limit": PAGE,
            "output": [*EVENT, "severity", "objectid", "opdata", "acknowledged"],
            "selectHosts": ["host", "name"], "selectTags": "extend",
            # A list of fields would leave out the media types, whose names matter.
            self._api.alerts: "extend",
        }  # fmt: skip

    def _first(self) -> int:
        """Start of a first comparison in epoch seconds: when the source was made, at most `FIRST_BACK` ago."""
        return int(max(self._source.created_at, self._now - FIRST_BACK).timestamp())

    def _meant(self, event: dict[str, Any]) -> bool:
        """Whether Zabbix tried to send the event to us; events that its actions exclude are not fetched."""
        if self._declared.catch_up == "all":
            return True
        names = {m.get("name") for a in event.get("alerts", []) for m in a.get("mediatypes", [])}
        return self._declared.media_type in names

    def _known(self, event_ids: Iterable[str]) -> set[str]:
        return queries.known_identities(self._source, list(event_ids))

    def _recoveries(self) -> Iterator[str]:
        ids = queries.firing_identities(self._source, PAGE * 5)
        for start in range(0, len(ids), PAGE):
            asked = {"eventids": ids[start : start + PAGE], "output": EVENT, "selectTags": "extend"}
            yield from self._ends(self._api.call("event.get", **asked, selectHosts=["host", "name"]))

    def _ends(self, events: Sequence[dict[str, Any]]) -> Iterator[str]:
        """Make deliveries for the recoveries of those problem events that ended; their ids."""
        ended = {e["r_eventid"]: e for e in events if e.get("r_eventid", "0") != "0"}
        if not ended:
            return
        for event in self._api.call("event.get", eventids=sorted(ended), output=["eventid", "clock"]):
            if self._is_old_enough(event):
                yield self._accept(recovery(ended[event["eventid"]], event, self._now))

    def _accept(self, body: dict[str, Any]) -> str:
        raw = json.dumps(body).encode()
        return str(deliveries.accept(self._source, raw, HEADERS, self._now).pk)


def problem(event: dict[str, Any], now: datetime) -> dict[str, Any]:
    """An event of the API as the media type would have sent it."""
    return {**_common(event, now), "event_value": "1", "event_nseverity": event.get("severity", "2"),
            "event_opdata": event.get("opdata", ""), "trigger_id": event.get("objectid", ""),
            "event_ack_status": "Yes" if event.get("acknowledged") == "1" else "No"}  # fmt: skip


def recovery(event: dict[str, Any], ended: dict[str, Any], now: datetime) -> dict[str, Any]:
    """The end of an event as the media type would have sent it."""
    return {**_common(event, now), "event_value": "0", "event_recovery_id": ended["eventid"],
            **_times("event_recovery", ended["clock"])}  # fmt: skip


def _common(event: dict[str, Any], now: datetime) -> dict[str, Any]:
    host: dict[str, str] = next(iter(event.get("hosts", [])), {})
    return {
        "schema": "zabbix-webhook/1", "caught_up": True, "event_id": event["eventid"], "event_name": event["name"],
        "event_tags": event.get("tags", []), "host_host": host.get("host", ""), "host_name": host.get("name", ""),
        "sent_at": now.timestamp(), **_times("message", now.timestamp()), **_times("event", event["clock"]),
    }  # fmt: skip


def _times(prefix: str, clock: str | float) -> dict[str, str]:
    at = datetime.fromtimestamp(float(clock), UTC)
    return {f"{prefix}_date": at.strftime("%Y.%m.%d"), f"{prefix}_time": at.strftime("%H:%M:%S")}
