"""Findings in, first cause out."""

import random
import re
from dataclasses import replace
from datetime import timedelta

import pytest

from causes.catalogue import all_causes
from causes.rank import rank
from domain import codec
from domain.similar import SimilarIncident
from domain.verdict import VerdictState
from tests.causes.scenes import START, findings, scope

QUIET = "etcd-fsync-one-slow etcd-member-restarted etcd-member-scrape-gap etcd-member-down"
SCENARIOS = {
    "slow disk": ("etcd", "etcd-fsync-one-slow etcd-commit-one-slow etcd-fsync-over-guidance etcd-leader-switch etcd-no-leader-seen", "etcd-rtt-rise", "etcd-slow-disk"),
    "jitter": ("etcd", "etcd-leader-switch etcd-no-leader-seen etcd-rtt-rise etcd-rtt-cross-zone etcd-rtt-before-switch", QUIET, "cross-az-network-jitter"),
    "frozen leader": ("etcd", "etcd-leader-switch etcd-no-leader-seen etcd-member-scrape-gap etcd-old-leader-silent etcd-rtt-rise etcd-rtt-cross-zone etcd-rtt-one-member", "etcd-fsync-one-slow etcd-member-restarted", "etcd-leader-stalled"),
    "moved leader": ("etcd", "etcd-leader-switch", f"{QUIET} etcd-no-leader-seen etcd-rtt-rise etcd-heartbeat-failures", "etcd-leadership-moved"),
    "follower restart": ("etcd", "etcd-member-restarted", "etcd-leader-switch etcd-rtt-rise etcd-member-down etcd-no-leader-seen", "etcd-member-restart"),
    "member down": ("etcd", "etcd-member-down etcd-member-unhealthy etcd-peer-disconnected", "etcd-leader-switch etcd-quorum-lost", "etcd-member-down"),
    "quorum lost": ("etcd", "etcd-quorum-lost etcd-no-leader-seen etcd-member-unhealthy", "etcd-fsync-one-slow", "etcd-quorum-lost"),
    "space alarm": ("etcd", "etcd-space-alarm", "etcd-leader-switch", "etcd-space-alarm"),
    "blocked handler": ("probe", "probe-app-silent probe-tcp-passes go-goroutines-rising", "cpu-throttled probe-refused probe-transport-timeout", "handler-blocked-on-dependency"),
    "accept queue": ("probe", "probe-transport-timeout listen-overflows", "probe-peers-fail probe-https", "accept-queue-full"),
    "path": ("probe", "probe-transport-timeout probe-peers-fail", "probe-tcp-passes listen-overflows probe-https", "network-path-drop"),
    "tls": ("probe", "probe-transport-timeout probe-https probe-tcp-passes", "listen-overflows", "tls-handshake-stall"),
    "not listening yet": ("probe", "probe-refused pod-young probe-recovered-fast", "pod-crashed pod-restarted probe-app-silent probe-transport-timeout", "no-listener-at-start"),
    "crash": ("probe", "probe-refused pod-crashed pod-restarted", "pod-oom-killed pod-young", "handler-crash"),
    "dns": ("probe", "probe-dns-absent", "probe-refused probe-app-silent probe-transport-timeout", "dns-failure"),
    "wrong target": ("probe", "probe-status-error probe-status-missing pod-not-started", "probe-recovered-fast pod-crashed probe-app-silent probe-transport-timeout", "wrong-probe-target"),
    "short start budget": ("probe", "pod-constant-age-restarts kubelet-startup-failing pod-not-started pod-restarted", "pod-crashed pod-oom-killed", "startup-budget-too-short"),
    "out of memory": ("probe", "pod-oom-killed memory-near-limit pod-restarted", "pod-crashed", "memory-exhausted"),
    "throttled": ("probe", "cpu-throttled request-latency-high probe-app-silent", "go-goroutines-rising", "cpu-throttled"),
    "gc": ("probe", "go-gc-pause-long memory-near-limit", "cpu-throttled pod-oom-killed", "gc-pressure"),
    "body": ("probe", "probe-body-stall", "probe-app-silent", "response-body-stall"),
    "redirects": ("probe", "probe-redirect-loop", "probe-app-silent", "redirect-loop"),
}  # fmt: skip


@pytest.mark.parametrize("name", SCENARIOS)
def test_the_evidence_of_a_cause_puts_it_first_and_decided(name: str) -> None:
    kind, yes, no, cause = SCENARIOS[name]
    verdict = rank(scope(kind), findings(yes, no))
    assert (verdict.state, verdict.causes[0].cause) == (VerdictState.RANKED, cause)
    assert sum(c.probability for c in verdict.causes) + verdict.unknown_probability == pytest.approx(1, abs=1e-9)


@pytest.mark.parametrize("name", SCENARIOS)
def test_losing_the_strongest_finding_moves_towards_unknown(name: str) -> None:
    kind, yes, no, cause = SCENARIOS[name]
    whole = rank(scope(kind), findings(yes, no))
    strongest = max((t for t in whole.causes[0].terms if t.outcome == "for"), key=lambda t: t.weight).measure
    kept = [f for f in findings(yes, no) if f.measure != strongest]
    before = next(c.probability for c in whole.causes if c.cause == cause)
    after = next((c.probability for c in rank(scope(kind), kept).causes if c.cause == cause), 0.0)
    assert after <= before


def test_shutdown_noise_and_load_surge_mean_that_nothing_is_broken() -> None:
    noise = rank(
        scope("probe"),
        findings(
            "pod-being-deleted rollout-in-progress kubelet-readiness-failing", "kubelet-liveness-failing pod-crashed"
        ),
    )
    surge = rank(scope("probe"), findings("load-surge request-latency-high", "pod-crashed change-before"))
    assert (noise.state, noise.causes[0].cause) == (VerdictState.NO_FAULT, "graceful-shutdown-noise")
    assert (surge.state, surge.causes[0].cause) == (VerdictState.NO_FAULT, "no-fault-load-surge")


def test_a_transport_timeout_alone_stays_ambiguous_and_names_what_would_decide() -> None:
    verdict = rank(scope("probe"), findings("probe-transport-timeout probe-https", "", "listen-overflows"))
    assert verdict.state is VerdictState.UNKNOWN
    assert {c.cause for c in verdict.causes} >= {"accept-queue-full", "network-path-drop", "tls-handshake-stall"}
    assert verdict.tell_apart and verdict.missing


def test_steady_round_trips_are_never_jitter() -> None:
    verdict = rank(
        scope("etcd"), findings("etcd-leader-switch etcd-rtt-over-limit etcd-rtt-cross-zone", "etcd-rtt-rise")
    )
    assert "cross-az-network-jitter" in {r.cause for r in verdict.ruled_out}
    assert "cross-az-network-jitter" not in {c.cause for c in verdict.causes}


def test_no_finding_at_all_is_unknown_with_everything_on_unknown() -> None:
    verdict = rank(scope("etcd"), [])
    assert (verdict.state, verdict.causes, verdict.unknown_probability) == (VerdictState.UNKNOWN, (), 1.0)
    assert verdict.missing


def test_order_of_findings_and_the_random_incident_id_do_not_matter() -> None:
    found = findings("etcd-fsync-one-slow etcd-leader-switch etcd-slow-applies", "etcd-rtt-rise", "etcd-member-hangs")
    first = rank(scope("etcd"), found)
    for seed in range(20):
        random.Random(seed).shuffle(found)
        assert codec.encode(rank(scope("etcd"), found)) == codec.encode(first)
    assert rank(scope("etcd", incident="other"), found).input_hash == first.input_hash
    assert rank(replace(scope("etcd"), as_of=START + timedelta(minutes=9)), found).input_hash != first.input_hash


def test_confirmed_history_helps_within_its_bound_and_recurrences_count_once() -> None:
    found = findings("etcd-fsync-one-slow")
    past = [SimilarIncident(str(i), "t", 0.9, (), "etcd-slow-disk", True, recurrence_of="origin") for i in range(17)]
    with_past = rank(scope("etcd"), found, past).causes[0]
    assert next(t.weight for t in with_past.terms if t.measure == "history") == 0.45
    unconfirmed = [replace(p, confirmed=False) for p in past]
    assert rank(scope("etcd"), found, unconfirmed).causes == rank(scope("etcd"), found).causes


def test_only_causes_that_fit_the_alerts_compete() -> None:
    verdict = rank(scope("etcd"), findings("probe-dns-absent etcd-space-alarm"))
    assert [c.cause for c in verdict.causes] == ["etcd-space-alarm"]


def test_the_headline_names_the_entity_and_the_strongest_evidence_in_both_languages() -> None:
    verdict = rank(
        scope("etcd"), findings("etcd-fsync-one-slow etcd-commit-one-slow etcd-fsync-over-guidance", "etcd-rtt-rise")
    )
    assert "etcd1" in verdict.headline.en and "etcd-fsync-one-slow came out True" in verdict.headline.en
    assert "磁盘" in verdict.headline.in_language("zh")


def test_the_headline_rests_on_what_was_seen_even_where_an_absence_weighs_more() -> None:
    seen, absent = "etcd-leader-switch", "etcd-no-leader-seen etcd-rtt-rise etcd-member-restarted etcd-fsync-one-slow"
    first = rank(scope("etcd"), findings(seen, f"{absent} etcd-member-scrape-gap etcd-old-leader-silent"))
    assert first.causes[0].cause == "etcd-leadership-moved"
    assert "The leader really changed." in first.headline.en and "确实换主" in first.headline.in_language("zh")
    moved = next(t for t in first.causes[0].terms if t.measure == "etcd-leader-switch")
    assert moved.weight < max(t.weight for t in first.causes[0].terms)


def test_an_undecided_headline_keeps_its_candidates_apart() -> None:
    headline = rank(scope("probe"), findings("probe-transport-timeout probe-https", "", "listen-overflows")).headline
    assert re.search(r'candidates: "[^"]+"(, "[^"]+")* or "[^"]+"\.', headline.en), headline.en
    assert re.search("候选：“[^”]+”(、“[^”]+”)*或“[^”]+”。", headline.in_language("zh")), headline.in_language("zh")


def test_a_headline_distinguishes_unanswered_questions_from_no_evidence() -> None:
    measures = " ".join(sorted({m for c in all_causes().values() for m in c.measures}))
    assert "most of what was asked had no answer" in rank(scope("probe"), findings("", "", measures)).headline.en
    assert "no check found evidence" in rank(scope("probe"), findings("", measures)).headline.en
