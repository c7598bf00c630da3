"""The draft holds what the record knows, in both languages, and is bounded."""

from dataclasses import replace
from datetime import timedelta

from markdown_it import MarkdownIt

from domain.alerts import AlertState, Severity
from domain.entities import EntityKind, EntityRef
from domain.scope import ChangeRef
from domain.snapshot import AlertRecord, Confirmation
from domain.text import Text
from tests.languages import in_both
from tests.tickets.reports import AT, snapshot
from tickets.postmortem import LIMIT, MOMENTS, Times, draft, duration, phases
from tickets.report import Known

TIMES = Times(
    AT,
    AT + timedelta(seconds=40),
    AT + timedelta(minutes=1),
    AT + timedelta(minutes=5),
    "ada",
    AT + timedelta(minutes=47),
    1,
    (
        (AT + timedelta(minutes=1), Text.rendered("a slow network (60%)", "网络慢（60%）")),
        (AT + timedelta(minutes=3), Text.rendered("a slow disk (80%)", "磁盘慢（80%）")),
    ),
)
KNOWN = Known({"main": "http://prom.example"}, {"etcd-slow-disk": Text.rendered("Slow disk", "磁盘慢")})


def alert(number: int, title: str = "etcd has no leader") -> AlertRecord:
    at = AT + timedelta(seconds=number)
    return AlertRecord(str(number), "alertmanager/prod", "NoLeader", title, Severity.HIGH, AlertState.RESOLVED, at,
                       at + timedelta(minutes=40), ())  # fmt: skip


def whole(alerts: int = 1, title: str = "etcd has no leader"):
    return replace(
        snapshot(title=title),
        alerts=tuple(alert(n, title) for n in range(alerts)),
        changes=(ChangeRef("c", "deploy", title, AT - timedelta(minutes=3), (), "https://ci.example/1"),),
        confirmed=(Confirmation("etcd-slow-disk", "ada", AT + timedelta(hours=1), "a new disk"),),
        tickets=("ALERT{1}", "OPS-17"),
        entities=(EntityRef(EntityKind.ETCD_MEMBER, "etcd1", "prod-a"),),
    )


def plain(markdown: str) -> str:
    tokens = MarkdownIt("commonmark").parse(markdown)
    return "\n".join("".join(c.content for c in t.children or ()) for t in tokens if t.type == "inline")


def test_the_draft_has_all_sections() -> None:
    text = plain(draft(whole(), TIMES, "https://graph.example", known=KNOWN))
    for part in (
        "#7 Postmortem draft: etcd has no leader", "Severity: high", "Lasted: 47 min", "Reopened: once", "Ticket: OPS-17",
        "Slow disk, by ada at 2026-11-20 09:00:00Z; fixed by a new disk", "1. slow disk: likely (80%)", "+3.0 slow disk for 0",
        "2026-11-20 07:57:00Z Change (deploy): etcd has no leader", "2026-11-20 08:05:00Z Acknowledged by ada",
        "To acknowledge (MTTA): 5 min (from the start of the first alert to the first person who acknowledged it)",
        "2026-11-20 08:01:00Z First verdict: a slow network (60%)", "08:03:00Z Verdict changed: a slow disk (80%)",
        "To resolve (MTTR): 47 min", "Affected: etcd member etcd1 (prod-a)", "Proposed by the catalogue for the first cause:", "Impact on users", "To be written by people.", "slow disk is ruled out",
    ):  # fmt: skip
        assert part in text
    assert "ALERT{1}" not in text and "EtcdMember/" not in text


def test_the_timeline_is_in_order() -> None:
    text = plain(draft(whole(3), TIMES))
    timeline = text[text.index("Timeline") : text.index("Phases")]
    times = [line[:20] for line in timeline.splitlines() if line.startswith("2026-")]
    assert times == sorted(times)
    assert len(times) == 3 * 2 + 1 + 6


def test_the_draft_in_chinese() -> None:
    text = plain(draft(whole(), TIMES, language="zh", known=KNOWN))
    for part in ("复盘草稿", "时间线", "历时：47 分钟", "恢复耗时（MTTR）：47 分钟", "磁盘慢，ada 于"):
        assert part in text
    assert "Timeline" not in text


def test_a_phase_that_was_not_reached_is_shown_as_such_and_no_phase_is_negative() -> None:
    early = Times(AT, AT - timedelta(seconds=3))
    by_name = {str(phase.name): phase for phase in phases(early)}
    assert by_name["To detect"].lasted == timedelta()
    assert by_name["To resolve (MTTR)"].lasted is None
    assert "To resolve (MTTR): not yet" in plain(draft(whole(), early))


def test_spans_are_spoken_in_two_units() -> None:
    assert in_both(duration(timedelta(seconds=0))) == ("0 s", "0 秒")
    assert in_both(duration(timedelta(days=2, hours=3, minutes=4))) == ("2 d 3 h", "2 天 3 小时")
    assert in_both(duration(timedelta(seconds=61))) == ("1 min 1 s", "1 分钟 1 秒")


def test_a_storm_of_hostile_alerts_stays_bounded_text() -> None:
    markdown = draft(whole(3_000, "<script>alert(1)</script> [x](javascript:1) " * 2_000), TIMES)
    assert len(markdown) <= LIMIT
    text = plain(markdown)
    assert "moments in between are left out" in text
    assert text.count("<script>") > MOMENTS // 4
    kinds = {c.type for t in MarkdownIt("commonmark").parse(markdown) for c in t.children or ()}
    assert "html_inline" not in kinds
    assert "javascript" not in {c.attrs.get("href") for t in MarkdownIt().parse(markdown) for c in t.children or ()}


def test_an_incident_without_verdict_has_a_draft_too() -> None:
    assert "Nobody has confirmed a cause yet" in plain(draft(snapshot(judged=False), Times(AT, AT)))
