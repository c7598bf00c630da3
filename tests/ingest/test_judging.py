"""A recurrence of a recording is shown, and does not vote."""

from django.conf import settings

from domain.similar import SimilarIncident
from domain.text import Text
from evidence.bundles import Bundle
from ingest.judging import judge
from ingest.replay import look

PATH = sorted(p.parent for p in (settings.BASE_DIR / "bundles").glob("etcd*/bundle.json"))[0]


def test_a_recurrence_changes_no_probability_but_stands_on_the_page() -> None:
    scope, collected = look(Bundle.load(PATH))
    past = SimilarIncident("i", "t", 0.9, (Text("w", "w"),), "etcd-slow-disk", True, recurrence_of="etcd-slow-disk")
    without, with_it = (judge(scope, collected.findings, similar) for similar in ((), (past,)))
    assert with_it.causes == without.causes
    assert with_it.similar == (past,)
