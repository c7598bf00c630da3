"""A saved bundle gives the verdict of its incident again, also where a group's message brought several incidents."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from config.replaying import replayed
from domain.errors import Refused
from evidence.bundles import Bundle
from incidents import queries
from incidents.models import Incident, Source
from investigate.bundle import bundle_of
from tests.drain import drain
from tests.ingest.test_doors import post, senders

__all__ = ["senders"]
GROUP = {"version": "4", "status": "firing", "groupKey": "{}:{}", "alerts": [
    {"status": "firing", "startsAt": "2026-03-01T10:00:00Z", "endsAt": "0001-01-01T00:00:00Z",
     "fingerprint": f"{number:016x}", "annotations": {"summary": f"probe of {pod} fails"},
     "labels": {"alertname": "ProbeFailing", "cluster": "prod", "namespace": space, "pod": pod}}
    for number, (space, pod) in enumerate([("shop", "cart-7d9f-x2v1p"), ("pay", "order-5c4b-k8s2m")])
]}  # fmt: skip


@pytest.fixture
def bundles(senders: dict[str, Source], tmp_path: Path) -> list[tuple[Incident, Bundle]]:
    assert post("alertmanager", json.dumps(GROUP).encode()).status_code == 202
    drain()
    found = []
    for incident in Incident.objects.order_by("number"):
        bundle_of(incident).save(tmp_path / f"{incident.number}.zip")
        found.append((incident, Bundle.load(tmp_path / f"{incident.number}.zip")))
    return found


def test_a_message_about_two_incidents_is_replayed_for_each_of_them(bundles: list[tuple[Incident, Bundle]]) -> None:
    assert len(bundles) == 2
    for incident, bundle in bundles:
        replayed_verdict, stored = replayed(bundle).verdict, queries.latest_verdict(incident)
        assert stored is not None and (replayed_verdict.headline, replayed_verdict.state) == (
            stored.headline,
            stored.state,
        )
        assert [a.title for a in replayed(bundle).scope.alerts] == [incident.title]
    assert len({replayed(bundle).verdict.incident for _, bundle in bundles}) == 2


def test_a_bundle_that_names_no_alerts_is_about_all_of_them(bundles: list[tuple[Incident, Bundle]]) -> None:
    assert len(replayed(replace(bundles[0][1], alerts=())).scope.alerts) == 2


def test_an_incident_whose_deliveries_are_forgotten_makes_no_bundle(bundles: list[tuple[Incident, Bundle]]) -> None:
    incident, _ = bundles[0]
    incident.deliveries.clear()
    with pytest.raises(Refused, match="no delivery"):
        bundle_of(incident)
