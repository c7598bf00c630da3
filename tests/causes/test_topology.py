"""What lies below and came first explains what fails above; what came later or elsewhere does not."""

from dataclasses import replace
from datetime import timedelta

from causes.rank import rank
from domain.alerts import Family
from domain.connections import Connections, EtcdDecl, EtcdMemberDecl, SourceDecl
from domain.entities import EntityKind, EntityRef, Relation, RelationKind
from domain.findings import Finding
from domain.scope import ChangeRef, Scope
from domain.verdict import Role, VerdictState
from evidence.etcd_choice import etcds
from subjects.decide import subject_of
from subjects.subject import Sent
from tests.causes.scenes import MEMBER, NODE, POD, START, alert, finding, findings, scope

ETCD = EtcdDecl(
    name="etcd-prod", cluster="prod-a", member=[EtcdMemberDecl(name="etcd1", endpoint="http://127.0.0.1:1")]
)
DISK = "etcd-commit-one-slow etcd-heartbeat-failures etcd-slow-applies"
BLOCKED = "probe-tcp-passes go-goroutines-rising go-process-answers"


def mixed(etcd_at: int, pods_at: int, cluster: str = "prod-a") -> tuple[Scope, list[Finding]]:
    """A slow disk under an etcd and a blocked handler in a pod, each with its time in seconds after the start."""
    pod = replace(POD, cluster=cluster)
    alerts = (alert("etcd", START), replace(alert("probe", START), entities=(pod,)))
    there = replace(scope("etcd"), alerts=alerts, entities=(MEMBER, pod), connections=Connections(etcd=[ETCD]))
    at = {"etcd-fsync-one-slow": etcd_at, "probe-app-silent": pods_at}
    timed = [finding(m, True, first_seen_at=START + timedelta(seconds=s), subject="") for m, s in at.items()]
    return there, [*timed, *findings(f"{DISK} {BLOCKED}", "cpu-throttled etcd-rtt-rise")]


def order(there: Scope, found: list[Finding]) -> list[tuple[str, Role]]:
    return [(c.cause, c.role) for c in rank(there, found).causes[:2]]


def test_a_slow_disk_under_etcd_stands_before_the_pods_that_failed_after_it() -> None:
    verdict = rank(*mixed(0, 60))
    assert [(c.cause, c.role) for c in verdict.causes[:2]] == [
        ("etcd-slow-disk", Role.PRIMARY), ("handler-blocked-on-dependency", Role.CONSEQUENCE),
    ]  # fmt: skip
    assert verdict.state is VerdictState.RANKED
    assert [str(c) for c in verdict.causes[0].consequences] == ["The probe's route is blocked"]
    topology = {t.measure: t for t in verdict.causes[1].terms}["topology"]
    assert topology.weight < 0 and "began 60 s before" in topology.sentence.en


def test_what_began_later_below_explains_nothing_above() -> None:
    there, found = mixed(120, 0)
    assert all("topology" not in {t.measure for t in c.terms} for c in rank(there, found).causes)
    assert Role.CONSEQUENCE not in dict(order(there, found)).values()


def test_an_etcd_of_another_cluster_explains_nothing() -> None:
    there, found = mixed(0, 60, cluster="prod-b")
    assert all("topology" not in {t.measure for t in c.terms} for c in rank(there, found).causes)


def test_a_node_explains_the_pods_that_run_on_it_and_no_others() -> None:
    symptoms = findings("peers-same-node-fail probe-transport-timeout", "probe-tcp-passes listen-overflows")
    node = [finding("node-not-ready", True, subject="node-3", first_seen_at=START)]
    where = {
        name: replace(
            scope("probe"), relations=(Relation(POD.key, RelationKind.RUNS_ON, replace(NODE, name=name).key),)
        )
        for name in ("node-3", "node-9")
    }
    later = [replace(f, first_seen_at=START + timedelta(seconds=40)) for f in symptoms]
    own, other = (rank(where[name], [*later, *node]) for name in ("node-3", "node-9"))
    assert (own.causes[0].cause, own.causes[0].entity) == ("node-not-ready", "Host/prod-a//node-3")
    assert own.headline.en.startswith("node-3: ")
    assert any("topology" in {t.measure for t in c.terms} for c in own.causes)
    assert not any("topology" in {t.measure for t in c.terms} for c in other.causes)


def test_a_deploy_explains_the_crash_only_where_it_is_shown_to_have_caused_it() -> None:
    change = ChangeRef("c", "deploy", "v2", START - timedelta(minutes=3), (POD.key,))
    crash = "pod-crashed pod-restarted probe-refused change-before rollout-in-progress"
    caused_it = rank(scope("probe", (change,)), findings(f"{crash} change-guilty", "pod-oom-killed"))
    unrelated = rank(scope("probe", (change,)), findings(crash, "pod-oom-killed change-guilty"))
    assert [(c.cause, c.role) for c in caused_it.causes[:2]] == [
        ("recent-deploy", Role.PRIMARY), ("handler-crash", Role.CONSEQUENCE),
    ]  # fmt: skip
    assert unrelated.causes[0].cause == "handler-crash"


def test_a_shared_route_contributes_to_a_stronger_cause_and_does_not_compete_with_it() -> None:
    seen = "spec-shared-endpoint pool-exhausted probe-app-silent event-deadline go-goroutines-rising probe-tcp-passes"
    verdict = rank(scope("probe"), findings(f"{seen} kubelet-liveness-failing", "cpu-throttled go-mutex-wait-high"))
    roles = {c.cause: c.role for c in verdict.causes}
    assert verdict.causes[0].cause == "pool-exhausted" and verdict.state is VerdictState.RANKED
    assert roles["shared-probe-endpoint"] is Role.CONTRIBUTING


def test_an_etcd_cause_competes_for_failing_pods_only_where_the_api_server_suffers() -> None:
    etcd = f"etcd-fsync-one-slow etcd-fsync-over-guidance {DISK}"
    quiet = rank(scope("probe"), findings(f"{etcd} probe-app-silent"))
    hurt = rank(scope("probe"), findings(f"{etcd} probe-app-silent apiserver-etcd-slow apiserver-slow"))
    assert "etcd-slow-disk" not in {c.cause for c in quiet.causes}
    assert hurt.causes[0].cause == "etcd-slow-disk"


def test_a_path_between_zones_blames_the_cluster_and_not_a_host() -> None:
    host = EntityRef(EntityKind.ETCD_MEMBER, "db-1", "prod-a")
    there = replace(scope("etcd"), entities=(host, MEMBER), connections=Connections(etcd=[ETCD]))
    seen = "etcd-leader-switch etcd-no-leader-seen etcd-rtt-rise etcd-rtt-cross-zone etcd-rtt-before-switch"
    verdict = rank(there, findings(seen, "etcd-member-scrape-gap etcd-fsync-one-slow"))
    assert verdict.headline.en.startswith("etcd-prod: Network jitter between zones")
    assert verdict.causes[0].entity == "EtcdCluster/prod-a//etcd-prod"


def test_commands_carry_the_incidents_names_but_nothing_that_a_shell_would_read() -> None:
    steps = " ".join(s.en for s in rank(scope("probe"), findings("pod-crashed pod-restarted")).causes[0].next_steps)
    assert "kubectl -n shop logs cart-7d9f --previous" in steps
    evil = replace(POD, name="x; rm -rf /", namespace="$(id)")
    there = replace(scope("probe"), entities=(evil,))
    steps = " ".join(s.en for s in rank(there, findings("pod-crashed pod-restarted")).causes[0].next_steps)
    assert "rm -rf" not in steps and "$(id)" not in steps and "<pod>" in steps


def test_an_alert_that_names_only_a_service_fills_in_the_namespace_and_the_address_that_was_probed() -> None:
    there = replace(scope("probe"), entities=(EntityRef(EntityKind.SERVICE, "cart", "prod", "shop"),))

    def steps(measure: str, subject: str) -> str:
        causes = rank(there, [finding(measure, True, subject=subject)]).causes
        return " ".join(step.en for cause in causes for step in cause.next_steps)

    assert "kubectl -n shop describe pod <pod>" in steps("probe-app-silent", "http://10.0.0.7:8080/ready")
    assert "dig +tries=1 +time=2 cart.shop.internal @" in steps("probe-dns-absent", "https://cart.shop.internal/")
    assert "http://10.0.0.7:8080/ready" in steps("probe-body-stall", "http://10.0.0.7:8080/ready")
    assert "$(id)" not in steps("probe-dns-absent", "https://$(id)/")


def test_an_undecided_verdict_names_the_question_that_would_decide() -> None:
    verdict = rank(scope("probe"), findings("probe-transport-timeout probe-https", "", "listen-overflows"))
    assert verdict.state is VerdictState.UNKNOWN and verdict.next_question is not None
    assert all(c.role is Role.ALTERNATIVE for c in verdict.causes)
    assert rank(scope("etcd"), findings("etcd-quorum-lost etcd-no-leader-seen")).next_question is None


def test_evidence_of_which_a_third_speaks_against_the_first_cause_is_unknown_even_when_it_leads() -> None:
    seen = "event-startup-kill spec-startup-budget-short"
    usual = rank(scope("probe"), findings(f"{seen} pod-not-started", "pod-crashed pod-oom-killed"))
    against = "pod-constant-age-restarts kubelet-startup-failing pod-not-started kubelet-liveness-failing"
    strange = rank(scope("probe"), findings(seen, f"{against} pod-crashed pod-oom-killed spec-no-startup-probe"))
    assert usual.state is VerdictState.RANKED
    assert strange.causes[0].cause == "startup-budget-too-short" and strange.causes[0].probability >= 0.5
    assert strange.state is VerdictState.UNKNOWN and strange.next_question is not None


def test_an_api_server_alert_is_about_the_api_server_and_asks_the_etcd_below() -> None:
    sent = Sent("alertmanager", "ApiServerSlow", "", {"cluster": "prod-a"})
    (entity,) = subject_of(sent, SourceDecl(kind="alertmanager", name="prod")).entities
    assert entity == EntityRef(EntityKind.WORKLOAD, "kube-apiserver", "prod-a", "kube-system")
    fired = replace(
        alert("api"), name="ApiServerSlow", labels={"cluster": "prod-a"}, entities=(entity,), family=Family.API_SERVER
    )
    there = replace(scope("api"), alerts=(fired,), entities=(entity,), connections=Connections(etcd=[ETCD]))
    assert [etcd.name for etcd in etcds(there)] == ["etcd-prod"]
    elsewhere = replace(there, connections=Connections(etcd=[EtcdDecl(name="other", cluster="prod-b")]))
    assert etcds(elsewhere) == []
    seen = "apiserver-slow apiserver-etcd-slow etcd-fsync-over-guidance etcd-slow-applies"
    verdict = rank(there, findings(seen, "etcd-leader-switch etcd-rtt-rise"))
    assert (verdict.causes[0].cause, verdict.state) == ("etcd-slow-disk", VerdictState.RANKED)
