"""The catalogue is consistent, pinned, and repeats no popular mistake."""

import pytest

from causes.catalogue import all_causes
from causes.cause import Cause, Symptom, Term
from domain.text import Text
from evidence.checks import all_checks

SLUGS = [
    "accept-queue-full",
    "cpu-throttled",
    "cross-az-network-jitter",
    "dns-failure",
    "etcd-leader-stalled",
    "etcd-leadership-moved",
    "etcd-member-down",
    "etcd-member-restart",
    "etcd-quorum-lost",
    "etcd-slow-disk",
    "etcd-space-alarm",
    "gc-pressure",
    "graceful-shutdown-noise",
    "handler-blocked-on-dependency",
    "handler-crash",
    "memory-exhausted",
    "network-path-drop",
    "no-fault-load-surge",
    "no-fault-scrape-gap",
    "no-listener-at-start",
    "recent-config-change",
    "recent-deploy",
    "redirect-loop",
    "response-body-stall",
    "startup-budget-too-short",
    "tls-handshake-stall",
    "wrong-probe-target",
]
WRONG = (
    "connstate", "synchronous", "absent(probe", "initialdelayseconds x failurethreshold",
    "initialdelay x failurethreshold", "accept loop has not started", "idletimeout",
)  # fmt: skip


def _texts(cause: Cause) -> list[Text]:
    terms = [t for term in cause.terms for t in (term.text_for, term.text_against)]
    return [cause.title, *terms, *(e.sentence for e in cause.exclusions), *cause.next_steps]


def test_the_catalogue_holds_exactly_these_causes() -> None:
    assert list(all_causes()) == SLUGS


def test_every_measure_of_a_cause_is_declared_by_a_check() -> None:
    declared = {m.slug for check in all_checks() for m in check.measures}
    used = {m for cause in all_causes().values() for m in cause.measures}
    assert used <= declared


@pytest.mark.parametrize("slug", SLUGS)
def test_no_text_repeats_a_wrong_advice(slug: str) -> None:
    texts = " ".join(f"{t.en} {t.zh}" for t in _texts(all_causes()[slug])).lower()
    assert [w for w in WRONG if w in texts] == []


def _cause(**changes: object) -> Cause:
    term = Term("a-measure", 1.0, Text("for", "支持"))
    given: dict[str, object] = {
        "slug": "a-cause", "layer": "network", "title": Text("A", "甲"), "symptoms": frozenset({Symptom.ETCD}),
        "prior": -1.0, "terms": (term,), "next_steps": (Text("ls", "ls"),), "references": ("https://etcd.io",),
    }  # fmt: skip
    return Cause(**(given | changes))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "wrong",
    [{"slug": "Bad Slug"}, {"layer": "weather"}, {"title": Text("A", "")}, {"prior": 1.0}, {"terms": ()},
     {"references": ()}, {"layer": "no-fault"}],
)  # fmt: skip
def test_an_inconsistent_cause_refuses_to_exist(wrong: dict[str, object]) -> None:
    _cause()
    with pytest.raises(ValueError):
        _cause(**wrong)


def test_an_inconsistent_term_refuses_to_exist() -> None:
    with pytest.raises(ValueError):
        Term("m", 9.0, Text("for", "支持"))
    with pytest.raises(ValueError):
        Term("m", 1.0, Text("{nothing}", "支持"))
    with pytest.raises(ValueError):
        Term("m", 1.0, Text("for", "支持"), -1.0)
