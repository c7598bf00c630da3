"""An investigation of a declared etcd runs its executor: what it said is a finding, and the run is in the audit trail."""

from pathlib import Path

import pytest
from django.utils import timezone

from connections.declare import declare
from domain.alerts import AlertState, ParsedAlert, ParsedDelivery, Severity
from domain.connections import Connections, EtcdDecl, EtcdMemberDecl
from domain.entities import EntityKind, EntityRef
from incidents import burst, deliveries, queries, sources
from incidents.models import AuditEntry, Incident, Investigation
from investigate import run, scope

OUTPUT = '[{"endpoint":"http://127.0.0.1:9","health":false,"took":"5.0s","error":"context deadline exceeded"}]'


def an_etcd_incident(etcd: EtcdDecl) -> Incident:
    declare(Connections(etcd=[etcd]))
    source, _ = sources.make_source("alertmanager", "prod")
    now = timezone.now()
    member = EntityRef(EntityKind.ETCD_MEMBER, "etcd1", "prod-a")
    alert = ParsedAlert(
        "a", "1", AlertState.FIRING, "etcdNoLeader", "no leader", Severity.HIGH, now, entities=(member,)
    )
    delivery = deliveries.accept(source, b"{}", {}, now)
    return burst.apply_burst([(delivery, ParsedDelivery((alert,)))], Connections(etcd=[etcd]))[0]


@pytest.mark.django_db(transaction=True)
def test_an_investigation_runs_the_declared_executor_and_audits_it(tmp_path: Path) -> None:
    program = tmp_path / "etcdctl"
    program.write_text(f"#!/bin/sh\necho '{OUTPUT}'\nexit 1\n")
    program.chmod(0o755)
    member = EtcdMemberDecl(name="etcd1", endpoint="http://127.0.0.1:9")
    etcd = EtcdDecl(
        name="etcd", cluster="prod-a", executor="etcdctl", etcdctl_path=str(program), member=[member], timeout_s=1
    )
    incident = an_etcd_incident(etcd)
    Investigation.objects.update(not_before=timezone.now())
    look = Investigation.objects.get(incident=incident)
    assert run.investigate(look.pk)
    finding = next(f for f in queries.findings(incident) if f.measure == "etcd-endpoint-unhealthy")
    assert finding.seen is True and finding.subject == "etcd1"
    entry = AuditEntry.objects.get(action="run etcdctl endpoint-health")
    assert entry.detail["incident"] == str(incident.pk) and entry.detail["rc"] == "1"
    again = scope.scope_of_incident(incident, look).collect()
    rests = next(f for f in again.findings if f.measure == "etcd-endpoint-unhealthy")
    assert rests.seen is None and "rests" in str(rests.why_unknown)
