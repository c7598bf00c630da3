"""Why something is not known is told in both languages."""

from domain.errors import Malformed, Refused, Unreachable
from domain.text import Text
from evidence.checks import all_checks
from tests.evidence.scene import World, findings

TIMED_OUT = Text.rendered("it did not answer", "没有应答")


def test_a_reason_in_both_languages_is_shown_in_both_and_logged_in_english() -> None:
    for error in (Refused(TIMED_OUT), Unreachable(TIMED_OUT, 7), Malformed(TIMED_OUT)):
        assert error.message == TIMED_OUT and str(error) == "it did not answer"


def test_a_reason_in_english_alone_is_shown_as_it_is() -> None:
    assert "no such file" in Refused("no such file").message.in_language("zh")
    assert (
        Malformed(TIMED_OUT, "body").field == "body" and str(Malformed(TIMED_OUT, "body")) == "body: it did not answer"
    )


def test_every_reason_of_an_empty_prometheus_has_a_chinese_sentence_too() -> None:
    unknown = [f for check in all_checks() for f in findings(check.slug, World()).values() if f.seen is None]
    assert len(unknown) > 50
    assert [
        f.why_unknown.in_language("zh")
        for f in unknown
        if f.why_unknown and f.why_unknown.in_language("zh").startswith("查询失败")
    ] == []
