"""The catalogue is consistent, pinned, and repeats no popular mistake."""

from pathlib import Path
from typing import Any

import pytest

from causes.catalogue import all_causes
from causes.cause import Cause, Condition, Exclusion, Sentences, Symptom, Term
from causes.describe import with_catalogue
from causes.families import FAMILIES, family
from domain.text import Text
from evidence.checks import all_checks

SLUGS = [
    "accept-queue-full",
    "apiserver-overloaded",
    "application-error",
    "certificate-expired",
    "certificate-expires-soon",
    "certificate-not-yet-valid",
    "certificate-unknown-authority",
    "certificate-wrong-name",
    "connection-forbidden",
    "connection-reset",
    "conntrack-exhausted",
    "container-start-fails",
    "cpu-throttled",
    "cross-az-network-jitter",
    "dependency-late-at-start",
    "disk-full",
    "dns-failure",
    "drain-shorter-than-endpoint-removal",
    "etcd-client-overload",
    "etcd-cpu-starved",
    "etcd-defragmentation",
    "etcd-leader-stalled",
    "etcd-leadership-moved",
    "etcd-member-down",
    "etcd-member-isolated",
    "etcd-member-restart",
    "etcd-membership-changed",
    "etcd-one-way-path",
    "etcd-peer-address-wrong",
    "etcd-quorum-lost",
    "etcd-quota-near",
    "etcd-slow-disk",
    "etcd-space-alarm",
    "evicted",
    "exec-probe-fails",
    "exec-probe-late",
    "gc-pressure",
    "goroutine-leak",
    "graceful-shutdown-noise",
    "handler-blocked-on-dependency",
    "handler-crash",
    "image-pull-fails",
    "init-container-stuck",
    "liveness-before-start",
    "liveness-checks-dependency",
    "lock-contention",
    "memory-exhausted",
    "network-path-drop",
    "network-unreachable",
    "no-fault-load-surge",
    "no-fault-planned-work",
    "no-fault-scrape-gap",
    "no-fault-steady-latency",
    "no-listener-at-start",
    "node-not-ready",
    "node-pressure",
    "pod-not-scheduled",
    "pool-exhausted",
    "probe-timeout-below-latency",
    "rate-limited",
    "readiness-gate-closed",
    "recent-config-change",
    "recent-deploy",
    "redirect-loop",
    "response-body-stall",
    "server-limit-reached",
    "server-loading",
    "settings-missing",
    "shared-probe-endpoint",
    "sidecar-not-ready",
    "single-thread-busy",
    "startup-budget-too-short",
    "tls-handshake-stall",
    "tls-trust-or-scheme",
    "upstream-dead",
    "upstream-slow",
    "volume-not-mounted",
    "wrong-probe-target",
]
# Popular claims that are wrong, each as the words that only such a claim would use.
WRONG = {
    "a callback that is set says that the server is ready": ("connstate",),
    "the server handles one request at a time": ("synchronous", "one request at a time", "single-threaded", "同步处理"),
    "an absent phase is a connect failure": ("absent(probe", "absent_over_time(probe", 'absent({__name__="probe'),
    "the start budget is the initial delay times the threshold": (
        "initialdelayseconds x failurethreshold", "initialdelay x failurethreshold",
        "initialdelayseconds * failurethreshold", "initialdelayseconds × failurethreshold",
    ),
    "liveness during a shutdown restarts the pod": (
        "liveness failing during shutdown", "liveness restarts the pod during", "liveness kills the pod while it is being",
        "删除期间存活探针会重启",
    ),
    "a start race is an accept loop that has not begun": ("accept loop has not started", "before the accept loop"),
    "the idle time-out matters to the kubelet": ("idletimeout",),
    "the kubelet's time-out is for connecting": ("connect timeout of the probe", "timeoutseconds is the connect"),
    "a redirect to another host fails the probe": ("redirect fails the probe", "redirects fail the probe"),
    "150 ms of P99 are the network": ("p99 over 150 ms means", "150 ms means the network", "> 0.15"),
    "a 503 from readiness removes the endpoint": ("503 removes", "readiness removes the endpoint on sigterm"),
    "137 alone is a lack of memory": ("exit code 137 means", "137 means out of memory"),
    "pauses are a likely guess": ("probably gc", "most likely gc"),
}  # fmt: skip


def _texts(cause: Cause) -> list[Text]:
    terms = [t for sentences in cause.sentences.values() for t in (sentences.supports, sentences.opposes)]
    return [cause.title, *terms, *(e.sentence for e in cause.exclusions), *cause.next_steps]


def test_the_catalogue_holds_exactly_these_causes() -> None:
    assert list(all_causes()) == SLUGS


def test_every_measure_of_a_cause_is_declared_by_a_check() -> None:
    declared = {m.slug for check in all_checks() for m in check.measures}
    used = {m for cause in all_causes().values() for m in cause.measures}
    assert used <= declared


def test_families_hold_each_measure_once_and_only_measures_that_a_cause_reads() -> None:
    members = [m for measures in FAMILIES.values() for m in measures]
    assert len(members) == len(set(members))
    assert set(members) <= {m for cause in all_causes().values() for m in cause.measures}


def test_a_group_is_a_family_or_a_name_of_its_own_never_a_measure_that_has_a_family() -> None:
    groups = {t.group for c in all_causes().values() for t in c.terms if t.group}
    assert not [g for g in groups if family(g) != g]


def test_causes_that_contribute_or_follow_name_causes_and_kinds_that_exist() -> None:
    slugs, kinds = set(all_causes()), {c.about for c in all_causes().values()}
    for cause in all_causes().values():
        assert cause.contributes_to <= slugs - {cause.slug} and cause.may_follow <= kinds
        assert cause.narrows in slugs - {cause.slug} | {""}


def test_the_page_of_the_catalogue_is_in_step_with_the_catalogue() -> None:
    text = Path("docs/causes.md").read_text("utf-8")
    assert with_catalogue(text) == text, "run: python -m causes.describe"


@pytest.mark.parametrize("claim", WRONG)
def test_no_text_repeats_a_popular_mistake(claim: str) -> None:
    texts = {
        slug: " ".join(f"{t.en} {t.in_language('zh')}" for t in _texts(c)).lower() for slug, c in all_causes().items()
    }
    page = Path("docs/causes.md").read_text("utf-8").lower()
    assert [(slug, w) for slug, text in (*texts.items(), ("page", page)) for w in WRONG[claim] if w in text] == []


def test_the_start_budget_is_computed_right_wherever_it_is_named() -> None:
    budgets = [t.en for c in all_causes().values() for t in _texts(c) if "failureThreshold x" in t.en]
    assert budgets and all("initialDelaySeconds + failureThreshold x periodSeconds" in t for t in budgets)


def test_liveness_opposes_a_shutdown_and_a_pause_needs_a_measure_of_the_runtime() -> None:
    shutdown = {t.measure: t for t in all_causes()["graceful-shutdown-noise"].terms}
    assert shutdown["kubelet-liveness-failing"].when is Condition.NOT_SEEN
    pause = all_causes()["gc-pressure"]
    assert pause.prior == min(c.prior for c in all_causes().values() if c.layer == "application")
    runtime_measures = {"go-gc-cpu-high", "go-gc-pause-long"}
    assert pause.needs == runtime_measures
    assert max(t.supports for t in pause.terms if t.measure not in runtime_measures) < -pause.prior


def _cause(**changes: object) -> Cause:
    given: dict[str, object] = {
        "slug": "a-cause", "layer": "network", "title": Text.rendered("A", "甲"), "symptoms": frozenset({Symptom.ETCD}),
        "prior": -1.0, "terms": (Term("a-measure", supports=1.0, opposes=-1.0),),
        "sentences": {"a-measure": Sentences(Text("for"), Text("against"))}, "next_steps": (Text("ls"),), "references": ("https://etcd.io",),
        "weights_from": "judgement",
    }  # fmt: skip
    return Cause(**(given | changes))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "wrong",
    [{"slug": "Bad Slug"}, {"layer": "weather"}, {"title": Text("")}, {"prior": 1.0}, {"terms": ()},
     {"references": ()}, {"layer": "no-fault"}, {"weights_from": " "}],
)  # fmt: skip
def test_an_inconsistent_cause_refuses_to_exist(wrong: dict[str, object]) -> None:
    _cause()
    with pytest.raises(ValueError):
        _cause(**wrong)


@pytest.mark.parametrize(
    ("sentences", "message"),
    [
        ({}, "no sentence for a-measure"),
        ({"a-measure": Sentences(Text("for"))}, "a sentence must be given"),
        ({"a-measure": Sentences(Text(""), Text("against"))}, "a sentence must be given"),
        ({"a-measure": Sentences(Text("{nothing}"), Text("against"))}, "unknown placeholders nothing"),
        (
            {m: Sentences(Text("for"), Text("against")) for m in ("a-measure", "another")},
            "no term for the sentence of another",
        ),
    ],
)
def test_terms_and_sentences_belong_together(sentences: dict[str, Sentences], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        _cause(sentences=sentences)


def test_a_sentence_that_opposes_needs_a_weight_that_does() -> None:
    with pytest.raises(ValueError, match="needs a weight"):
        _cause(terms=(Term("a-measure", supports=1.0),))


def test_a_cause_reads_a_measure_once_and_needs_only_what_it_reads() -> None:
    with pytest.raises(ValueError, match="more than one term for a-measure"):
        _cause(terms=(Term("a-measure", supports=1.0, opposes=-1.0),) * 2)
    with pytest.raises(ValueError, match="no term reads what it needs: another"):
        _cause(needs=frozenset({"another"}))


@pytest.mark.parametrize(
    "wrong",
    [
        {"supports": 9.0},
        {"supports": 0.0},
        {"supports": 1.0, "opposes": 1.0},
        {"supports": 1.0, "when": Condition.OVER},
        {"supports": 1.0, "limit": 3.0},
    ],
)
def test_an_inconsistent_term_refuses_to_exist(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError):
        Term("m", **wrong)


def test_an_exclusion_names_a_measure_and_its_reason() -> None:
    with pytest.raises(ValueError):
        Exclusion({}, Text("why"))
    with pytest.raises(ValueError):
        Exclusion({"a-measure": True}, Text(""))
