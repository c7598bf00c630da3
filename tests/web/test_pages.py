"""The pages, through Django's own client."""

import json
import re
from dataclasses import replace
from pathlib import Path

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import translation

from connections import declare
from domain import codec
from domain.connections import Connections, PrometheusDecl
from domain.findings import Finding, Item
from domain.text import Text
from domain.verdict import Role
from incidents import queries, verdicts
from incidents.models import AuditEntry, Entity, Incident
from notify.reports import changed_verdicts
from web.pages.incident import measured_beside
from web.templatetags.show import lead, rest, step

COUNTS = Path(__file__).with_name("query_counts.json")
PAGES = ["/", "/incidents/1/", "/causes/", "/sources/", "/connections/", "/outbox/", "/deliveries/", "/api/docs"]


@pytest.mark.parametrize("path", PAGES)
@pytest.mark.parametrize("language", ["en", "zh-hans"])
def test_every_page_answers_in_both_languages_within_its_number_of_queries(person, incident, path, language):
    with CaptureQueriesContext(
        connection,
    ) as asked:
        answer = person.get(path, headers={"accept-language": language})
    assert answer.status_code == 200
    assert {path: len(asked)} == {path: json.loads(COUNTS.read_text())[path]}
    assert b"style=" not in answer.content


@pytest.mark.parametrize("path", PAGES)
def test_a_stranger_is_sent_to_the_sign_in_page(db, path):
    assert Client().get(path).headers["Location"].startswith("/sign-in/")


def test_the_verdict_stands_in_the_tab_title_and_comes_in_chinese(person, incident):
    english = person.get("/incidents/1/").content.decode()
    assert "<title>The disk of etcd1 is slow" in english
    assert "<polyline" in english
    chinese = person.get("/incidents/1/", headers={"accept-language": "zh-hans"}).content.decode()
    assert "<title>etcd1 的磁盘慢" in chinese
    assert "已排除" in chinese


def test_what_no_listed_cause_rests_on_is_shown_once_with_its_details(person, incident):
    page = person.get("/incidents/1/").content.decode()
    beside = page.partition('id="also-measured"')[2].partition("</section>")[0]
    assert "1 answer that no cause listed here rests on" in beside
    assert "Whether the clocks agree is unknown." in beside and "no node tells its clock" in beside
    assert "Zabbix&#x27;s delay of &lt;b&gt;leader&lt;/b&gt;" in beside and "60 s" in beside and "15 s" in beside
    assert "etcd1 is slow" not in beside and "etcd-fsync-one-slow" not in beside
    chinese = person.get("/incidents/1/", headers={"accept-language": "zh-hans"}).content.decode()
    assert "其他测量结果" in chinese and "没有节点提供时钟" in chinese


def test_what_was_seen_comes_first_and_findings_without_content_are_left_out():
    def found(measure: str, seen: bool | None, *items: Item) -> Finding:
        why = None if seen is not None else Text.rendered("hang", "超时")
        return Finding(measure, "check", seen, Text.rendered(measure, measure), why_unknown=why, items=items)

    findings = [
        found("a-not", False),
        found("b-unknown", None),
        found("c-seen", True),
        found("d-delays", None, Item("x", 1.0)),
    ]
    assert [shown.finding.measure for shown in measured_beside(None, findings)] == ["c-seen", "a-not", "d-delays"]


@pytest.mark.parametrize("path", ["/", "/incidents/1/"])
def test_text_of_an_alert_is_never_markup(person, incident, path):
    page = person.get(path).content
    assert b"<script>alert" not in page
    assert b"&lt;script&gt;" in page
    assert b"<b>raw" not in page


@pytest.mark.parametrize("query", ["since=nonsense", "page=-3", "state=%00", "severity=9", "since=9999d", "text=%00x"])
def test_a_broken_filter_is_left_out(person, incident, query):
    assert person.get(f"/?{query}").status_code == 200


def test_a_filter_narrows_the_list_and_an_empty_list_is_named_as_such(person, incident):
    assert b"cart is down" in person.get("/?state=open&entity=etcd1").content
    assert b"No incident fits" in person.get("/?entity=nowhere").content


def test_the_list_shows_how_sure_the_first_cause_is_whether_it_is_over_and_the_time_zone(person, incident):
    row = person.get("/", headers={"accept-language": "en"}).content.decode()
    assert '<span class="percent">83%</span>' in row and "● Open" in row and "times in UTC" in row
    assert '<option value="24h" selected>within a day' in person.get("/?since=24h").content.decode()
    assert '<option value="2026-01-31" selected>2026-01-31' in person.get("/?since=2026-01-31").content.decode()


def test_the_list_names_what_an_incident_is_about_always_in_the_same_order(person, incident):
    for name in ("etcd3", "etcd2"):
        incident.entities.add(Entity.objects.create(key=f"EtcdMember/prod-a//{name}", kind="EtcdMember", name=name))
    assert "etcd1 · etcd2 · etcd3" in person.get("/").content.decode()


def test_a_headline_is_parted_into_what_it_is_and_why(person, incident):
    headline = Text.rendered(
        "etcd1: Slow disk (83%). It took 390 ms. No peer did.", "etcd1：磁盘慢（83%）。耗时 390 毫秒。"
    )
    assert (lead(headline), rest(headline)) == ("etcd1: Slow disk (83%)", "It took 390 ms. No peer did.")
    with translation.override("zh-hans"):
        assert (lead(headline), rest(headline)) == ("etcd1：磁盘慢（83%）", "耗时 390 毫秒。")
    undecided = Text.rendered("etcd1: not decided; candidates: A or B.", "etcd1：尚无定论；候选：A或B。")
    assert (lead(undecided), rest(undecided)) == (undecided.en, "")


def test_the_timeline_shows_each_verdict_as_it_was_then(person, incident):
    first = queries.latest_verdict(incident)
    look = incident.investigations.get()
    verdicts.save_verdict(incident, look, first)
    verdicts.save_verdict(incident, look, replace(first, headline=Text.rendered("It was the network", "是网络问题")))
    page = person.get("/incidents/1/", headers={"accept-language": "zh-hans"}).content.decode()
    timeline = page[page.index("时间线") :]
    assert timeline.index("etcd1 的磁盘慢") < timeline.index("结论变更") < timeline.index("是网络问题")
    assert timeline.count("结论变更") == 1


def test_feedback_is_shown_in_the_readers_language_with_its_time_zone(person, incident):
    person.post(f"/incidents/{incident.pk}/feedback/", {"kind": "rejected", "cause": "etcd-slow-disk"})
    page = person.get("/incidents/1/", headers={"accept-language": "zh-hans"}).content.decode()
    assert "ada: 已否定 – etcd 成员磁盘过慢" in page
    times = re.findall(r">\s*(?:\d{4}-)?\d\d-\d\d \d\d:\d\d(?::\d\d)?(.{0,4})", page)
    assert times and all(after.startswith((" UTC", " – ")) for after in times)


def test_a_query_leads_to_its_declared_server_over_its_own_range(person, incident):
    assert "Open in Prometheus" not in person.get("/incidents/1/", headers={"accept-language": "en"}).content.decode()
    declare.declare(Connections(prometheus=[PrometheusDecl(name="main", url="http://127.0.0.1:9090")]))
    page = person.get("/incidents/1/", headers={"accept-language": "en"}).content.decode()
    assert "http://127.0.0.1:9090/graph?g0.expr=histogram_quantile%280.99" in page and "Open in Prometheus" in page


def test_feedback_and_acknowledgement_are_stored_and_audited(person, incident):
    person.post(f"/incidents/{incident.pk}/acknowledge/")
    person.post(f"/incidents/{incident.pk}/feedback/", {"kind": "confirmed", "cause": "etcd-slow-disk"})
    assert incident.feedback.get().by == "ada"
    assert {entry.action for entry in AuditEntry.objects.all()} == {"acknowledge", "feedback confirmed"}


def test_feedback_with_an_unknown_cause_is_refused(person, incident):
    person.post(f"/incidents/{incident.pk}/feedback/", {"kind": "confirmed", "cause": "gremlins"})
    assert not incident.feedback.exists()


def test_the_connections_page_shows_what_is_lacking_while_nothing_can_be_asked(person, incident):
    def page() -> str:
        return person.get("/connections/", headers={"accept-language": "en"}).content.decode()

    assert "Nothing is asked for evidence yet" in page() and "manage.py doctor" in page()
    declare.declare(Connections(prometheus=[PrometheusDecl(name="main", url="http://127.0.0.1:9090")]))
    assert "Nothing is asked for evidence yet" not in page()


def test_no_judgement_is_chosen_for_a_person_and_no_cause_that_the_verdict_does_not_name(person, incident):
    def chosen() -> list[str]:
        page = person.get("/incidents/1/", headers={"accept-language": "en"}).content.decode()
        return re.findall(r'<option value="([^"]*)" selected>', page.split('name="kind"')[1])

    assert chosen() == ["etcd-slow-disk"]
    Incident.objects.update(first_cause="")
    assert chosen() == []
    page = person.get("/incidents/1/").content.decode()
    assert re.search(r'name="kind" required><option value="">', page)
    assert re.search(r'name="cause" required><option value="">', page)
    person.post(f"/incidents/{incident.pk}/feedback/", {"kind": "", "cause": ""})
    assert not incident.feedback.exists()


def test_the_postmortem_draft_can_be_downloaded_from_the_page_in_the_readers_language(person, incident):
    page = person.get("/incidents/1/", headers={"accept-language": "zh-hans"}).content.decode()
    (address,) = re.findall(r'href="([^"]*/postmortem/[^"]*)" download', page)
    assert "时间线" in person.get(address).content.decode()


@pytest.mark.parametrize(("path", "kind"), [
    ("/nowhere/", "text/html; charset=utf-8"), ("/incidents/999/", "text/html; charset=utf-8"),
    ("/api/v1/nowhere/", "application/problem+json"), ("/tickets/nowhere", "application/problem+json"),
])  # fmt: skip
def test_a_404_is_a_page_for_people_and_a_problem_for_programs(person, path, kind):
    answer = person.get(path)
    assert (answer.status_code, answer.headers["Content-Type"]) == (404, kind)
    assert b"incidents" in answer.content or b"api/docs" in answer.content


def test_an_undecided_verdict_shows_what_would_decide_it_and_roles_what_follows_from_what(person, incident):
    body = queries.latest_verdict(incident)
    first = replace(body.causes[0], role=Role.PRIMARY, entity="EtcdMember/prod-a//etcd1",
                    consequences=(Text.rendered("the API server is slow", "API 服务器变慢"),))  # fmt: skip
    second = replace(body.causes[1], role=Role.CONSEQUENCE)
    verdict = replace(body, causes=(first, second), next_question=Text.rendered("Is the disk slow?", "磁盘是否缓慢？"))
    incident.verdicts.update(body=codec.encode(verdict))
    page = person.get(f"/incidents/{incident.pk}/", headers={"accept-language": "en"}).content.decode()
    for words in ("What would decide it:", "Is the disk slow?", "primary cause", "follows from the first",
                  "etcd member etcd1", "the API server is slow"):  # fmt: skip
        assert words in page
    assert (
        "磁盘是否缓慢？" in person.get(f"/incidents/{incident.pk}/", headers={"accept-language": "zh"}).content.decode()
    )


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (Text("df -h | sort"), "<code>df -h | sort</code>"),
        (Text.rendered("On the node: df -h", "在节点上：df -h"), "On the node: <code>df -h</code>"),
        (Text.rendered("Ask <them>.", "询问。"), "Ask &lt;them&gt;."),
    ],
)
def test_the_command_of_a_next_step_stands_apart_and_stays_text(text, shown):
    with translation.override("en"):
        assert step(text) == shown


def test_the_page_of_the_api_speaks_chinese_in_every_row(person):
    page = person.get("/api/docs", headers={"accept-language": "zh-hans"}).content.decode()
    cells = re.findall(r"</code></td><td>[a-z]+</td><td>(.*?)</td>", page)
    assert len(cells) > 15
    assert [text for text in cells if not re.search("[\u4e00-\u9fff]", text)] == []


def test_a_verdict_with_other_numbers_is_no_other_verdict(person, incident):
    first, look = queries.latest_verdict(incident), incident.investigations.get()
    for headline in ("etcd1: slow disk (80%). 12 of 12 writes.", "etcd1: slow disk (82%). 14 of 14 writes."):
        verdicts.save_verdict(incident, look, replace(first, headline=Text.rendered(headline, headline)))
    headlines = [str(headline) for _, headline in changed_verdicts(incident)]
    assert headlines[1:] == ["etcd1: slow disk (80%). 12 of 12 writes."]
    draft = person.get(f"/api/v1/incidents/{incident.pk}/postmortem/").content.decode()
    assert "Verdict changed" in draft and "14 of 14" not in draft.partition("Timeline")[2].partition("Phases")[0]


def test_alerts_that_a_sender_cut_off_are_counted_beside_what_came(person, incident) -> None:
    assert (
        "were cut off"
        not in person.get(f"/incidents/{incident.pk}/", headers={"accept-language": "en"}).content.decode()
    )
    incident.deliveries.update(missing=3)
    text = person.get(f"/incidents/{incident.pk}/", headers={"accept-language": "en"}).content.decode()
    assert "3 more alerts of this message were cut off and are not on record." in text and "max_alerts" in text
