"""A recurrence of a recording is shown, and does not vote."""

from django.conf import settings

from config.replaying import replayed
from domain.similar import SimilarIncident
from domain.text import Text
from evidence.bundles import Bundle
from investigate.decide import decide

PATH = sorted(p.parent for p in (settings.BASE_DIR / "bundles").glob("etcd*/bundle.json"))[0]


def test_a_recurrence_changes_no_probability_but_stands_on_the_page() -> None:
    seen = replayed(Bundle.load(PATH))
    scope, collected = seen.scope, seen.collected
    past = SimilarIncident("i", "t", 0.9, (Text("w"),), "etcd-slow-disk", True, recurrence_of="etcd-slow-disk")
    without, with_it = (decide(scope, collected.findings, similar) for similar in ((), (past,)))
    assert with_it.causes == without.causes
    assert with_it.similar == (past,)
