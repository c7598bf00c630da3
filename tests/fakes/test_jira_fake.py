"""The fake Jira is held to the contract by two clients that others wrote, and by its own rules."""

import hashlib
import hmac

import httpx
import jira as jira_client
import pytest
from atlassian import Jira as AtlassianJira

from tests.fakes import jira_contract as contract
from tests.fakes.jira import CLOUD, DATA_CENTER, JiraFake, cut, refusal
from tests.fakes.server import late, lost_answer

ADF = contract.document_of("what it was")
LINK = {"globalId": "incident=1", "object": {"url": "https://graph.example/1", "title": "Incident 1"}}


@pytest.fixture(params=[CLOUD, DATA_CENTER])
def fake(request):
    with JiraFake(request.param) as served:
        yield served


@pytest.fixture
def cloud():
    with JiraFake() as served:
        yield served


@pytest.fixture
def center():
    with JiraFake(DATA_CENTER) as served:
        yield served


def one(fake: JiraFake, **fields) -> str:
    client = http(fake)
    body = {"fields": {"project": {"key": "OPS"}, "issuetype": {"name": "Task"}, "summary": "s", **fields}}
    return client.post("issue", json=body).raise_for_status().json()["key"]


def http(fake: JiraFake) -> httpx.Client:
    if fake.cloud:
        return httpx.Client(base_url=f"{fake.url}/rest/api/3", auth=fake.basic())
    return httpx.Client(base_url=f"{fake.url}/rest/api/2", headers={"Authorization": f"Bearer {fake.secret}"})


def rich(fake: JiraFake, text: str):
    return contract.document_of(text) if fake.cloud else text


def test_pycontribs_jira_creates_finds_comments_links_and_moves(fake):
    if fake.cloud:
        client = jira_client.JIRA(fake.url, basic_auth=fake.basic(), options={"rest_api_version": 3}, max_retries=0)
    else:
        client = jira_client.JIRA(fake.url, token_auth=fake.secret, max_retries=0)
    issue = client.create_issue(project="OPS", issuetype={"name": "Task"}, summary="etcd is slow", labels=["ig-7"])
    assert [i.key for i in client.search_issues('project = OPS AND labels = "ig-7"', fields="summary")] == [issue.key]
    comment = client.add_comment(issue, rich(fake, "the report"))
    comment.update(body=rich(fake, "the report, again"))
    assert len(client.comments(issue)) == 1
    client.add_remote_link(issue, LINK["object"], globalId="incident=1")
    assert [link.globalId for link in client.remote_links(issue)] == ["incident=1"]
    client.transition_issue(issue, "Resolve")
    assert client.issue(issue.key).fields.status.name == "Done"


def test_atlassian_python_api_does_the_same(fake):
    if fake.cloud:
        name, token = fake.basic()
        client = AtlassianJira(fake.url, username=name, password=token, cloud=True, api_version="3")
    else:
        client = AtlassianJira(fake.url, token=fake.secret)
    fields = {"project": {"key": "OPS"}, "issuetype": {"name": "Task"}, "summary": "etcd is slow", "labels": ["ig-7"]}
    key = client.create_issue(fields=fields)["key"]
    found = client.jql('project = "OPS" AND labels in ("ig-7", "x") ORDER BY created ASC', fields="summary")
    assert [issue["key"] for issue in found["issues"]] == [key]
    client.issue_add_comment(key, rich(fake, "the report"))
    client.create_or_update_issue_remote_links(key, LINK["object"]["url"], "Incident 1", global_id="incident=1")
    client.create_or_update_issue_remote_links(key, LINK["object"]["url"], "Incident 1b", global_id="incident=1")
    client.set_issue_status(key, "Done")
    (issue,) = fake.issues
    assert (issue.status, len(issue.comments), len(issue.links)) == ("Done", 1, 1)


def test_each_personality_takes_its_own_text_only(fake):
    key = one(fake)
    wrong = "plain" if fake.cloud else ADF
    assert http(fake).post(f"issue/{key}/comment", json={"body": wrong}).status_code == 400
    assert http(fake).post(f"issue/{key}/comment", json={"body": rich(fake, "x")}).status_code == 201


@pytest.mark.parametrize("document", [
    {"type": "doc", "content": []},
    {"type": "doc", "version": 1, "content": [{"type": "text", "text": "bare"}]},
    {"type": "doc", "version": 1, "content": [{"type": "paragraph", "content": [{"type": "text", "text": ""}]}]},
    {"type": "doc", "version": 1, "content": [{"type": "heading", "attrs": {"level": 9}, "content": []}]},
    {"type": "doc", "version": 1, "content": [{"type": "bulletList", "content": [{"type": "listItem", "content": [
        {"type": "heading", "attrs": {"level": 2}, "content": []}]}]}]},
])  # fmt: skip
def test_a_wrong_document_is_refused(cloud, document):
    answer = http(cloud).post(f"issue/{one(cloud)}/comment", json={"body": document})
    assert answer.status_code == 400
    assert cloud.issues[0].comments == {}


def test_the_old_search_is_gone_in_the_cloud_and_the_new_one_is_not_there_in_the_data_center(cloud, center):
    assert http(cloud).get("search", params={"jql": "project=OPS"}).status_code == 410
    assert http(center).get("search/jql", params={"jql": "project=OPS"}).status_code == 404
    assert http(center).get("search", params={"jql": "project=OPS"}).json()["total"] == 0
    assert httpx.get(f"{center.url}/rest/api/3/serverInfo").status_code == 404


def test_the_cloud_pages_by_token_and_gives_ids_only_unless_asked(cloud):
    for _ in range(3):
        one(cloud)
    asked = {"jql": "project = OPS", "maxResults": 2}
    first = http(cloud).post("search/jql", json=asked).json()
    assert (first["isLast"], set(first["issues"][0])) == (False, {"id"})
    second = http(cloud).post("search/jql", json={**asked, "nextPageToken": first["nextPageToken"]}).json()
    assert (second["isLast"], len(second["issues"])) == (True, 1)


def test_the_search_lags_but_reading_does_not(cloud):
    cloud.shop.lag_s = 30
    key = one(cloud, labels=["a"])
    asked = {"jql": 'labels = "a"', "fields": "key"}
    assert http(cloud).get("search/jql", params=asked).json()["issues"] == []
    assert http(cloud).get(f"issue/{key}").json()["fields"]["labels"] == ["a"]
    number = cloud.issues[0].id
    assert len(http(cloud).get("search/jql", params={**asked, "reconcileIssues": number}).json()["issues"]) == 1
    cloud.shop.ahead_s += 31
    assert len(http(cloud).get("search/jql", params=asked).json()["issues"]) == 1


def test_alertmanagers_own_query_is_understood(fake):
    label = "ALERT{" + "a" * 64 + "}"
    key = one(fake, labels=[label])
    jql = f'statusCategory != Done and project="OPS" and labels="{label}" order by status ASC,resolutiondate DESC'
    path = "search/jql" if fake.cloud else "search"
    found = http(fake).get(path, params={"jql": jql, "maxResults": 2, "fields": "status"}).json()["issues"]
    assert [i["key"] for i in found] == [key]
    fake.person_moves(key, "Done")
    assert http(fake).get(path, params={"jql": jql}).json()["issues"] == []


def test_a_label_in_braces_needs_quotes(cloud):
    answer = http(cloud).get("search/jql", params={"jql": "labels = ALERT{1}"})
    assert "reserved" in answer.json()["errorMessages"][0]


def test_a_remote_link_is_made_once_and_what_is_left_out_becomes_null(cloud):
    path = f"issue/{one(cloud)}/remotelink"
    full = {**LINK, "object": {**LINK["object"], "summary": "s", "status": {"resolved": False}}}
    assert http(cloud).post(path, json=full).status_code == 201
    assert http(cloud).post(path, json=LINK).status_code == 200
    (link,) = http(cloud).get(path).json()
    assert link["object"]["summary"] is None


@pytest.mark.parametrize("fields, at", [
    ({"summary": "x" * 256}, "summary"),
    ({"summary": "two\nlines"}, "summary"),
    ({"labels": ["a b"]}, "labels"),
    ({"labels": ["x" * 256]}, "labels"),
    ({"customfield_99": "x"}, "customfield_99"),
    ({"customfield_10051": "not a number"}, "customfield_10051"),
    ({"issuetype": {"name": "Epic"}}, "issuetype"),
    ({"project": {"key": "HR"}}, "project"),
])  # fmt: skip
def test_a_wrong_field_is_named(fake, fields, at):
    body = {"fields": {"project": {"key": "OPS"}, "issuetype": {"name": "Task"}, "summary": "s", **fields}}
    answer = http(fake).post("issue", json=body)
    assert (answer.status_code, list(answer.json()["errors"])) == (400, [at])
    assert fake.issues == []


def test_a_text_above_the_limit_is_refused_as_java_counts_it(fake):
    key = one(fake)
    for text, status in (("x" * 32_767, 201), ("x" * 32_768, 400), ("😀" * 16_384, 400)):
        body = rich(fake, text)
        text_ends = 1 if fake.cloud and status == 201 else 0
        body = rich(fake, text[: len(text) - text_ends])
        assert http(fake).post(f"issue/{key}/comment", json={"body": body}).status_code == status


def test_a_lost_answer_is_committed_and_a_cut_request_is_not(cloud):
    cloud.fault(lost_answer(), method="POST", part="issue")
    with pytest.raises(httpx.TransportError):
        one(cloud)
    assert len(cloud.issues) == 1
    cloud.fault(cut(), method="POST", part="issue")
    with pytest.raises(httpx.TransportError):
        one(cloud)
    assert len(cloud.issues) == 1
    assert [c.status for c in cloud.writes] == [0, 0]


def test_a_timeout_after_the_commit_is_committed(cloud):
    cloud.fault(late(0.4), method="POST", part="issue")
    client = httpx.Client(base_url=f"{cloud.url}/rest/api/3", auth=cloud.basic(), timeout=0.1)
    body = {"fields": {"project": {"key": "OPS"}, "issuetype": {"name": "Task"}, "summary": "s"}}
    with pytest.raises(httpx.ReadTimeout):
        client.post("issue", json=body)
    assert len(cloud.issues) == 1


def test_too_many_requests_are_answered_with_a_wait(cloud):
    cloud.fault(refusal(429))
    answer = http(cloud).get("myself")
    assert (answer.status_code, answer.headers["Retry-After"]) == (429, "2")
    assert answer.headers["RateLimit-Reason"] == "jira-burst-based"


def test_who_may_not_see_gets_a_404(cloud):
    key = one(cloud)
    cloud.allowed.discard("BROWSE_PROJECTS")
    assert http(cloud).get(f"issue/{key}").status_code == 404
    cloud.allowed.add("BROWSE_PROJECTS")
    cloud.allowed.discard("ADD_COMMENTS")
    assert http(cloud).post(f"issue/{key}/comment", json={"body": ADF}).status_code == 403
    assert httpx.get(f"{cloud.url}/rest/api/3/issue/{key}").status_code == 401


def test_transitions_are_those_of_the_issues_status(fake):
    key = one(fake)
    names = [t["name"] for t in http(fake).get(f"issue/{key}/transitions").json()["transitions"]]
    assert names == ["Start", "Resolve"]
    assert http(fake).post(f"issue/{key}/transitions", json={"transition": {"id": "31"}}).status_code == 400
    assert http(fake).post(f"issue/{key}/transitions", json={"transition": {"id": "21"}}).status_code == 204
    assert fake.issues[0].resolution == "Done"


def test_each_change_is_sent_as_an_event_signed_in_the_cloud(fake):
    key = one(fake)
    event = fake.person_moves(key, "Done")
    assert event.payload["changelog"]["items"][0]["toString"] == "Done"
    assert [e.payload["webhookEvent"] for e in fake.events] == ["jira:issue_created", "jira:issue_updated"]
    digest = hmac.new(fake.webhook_secret.encode(), event.body, hashlib.sha256).hexdigest()
    assert event.headers.get("X-Hub-Signature") == (f"sha256={digest}" if fake.cloud else None)


def test_an_oauth_client_gets_a_token_that_works(cloud):
    form = {"grant_type": "client_credentials", "client_id": "client", "client_secret": cloud.secret}
    token = httpx.post(f"{cloud.url}/oauth/token", data=form).json()["access_token"]
    headers = {"Authorization": f"Bearer {token}"}
    assert httpx.get(f"{cloud.url}/rest/api/3/myself", headers=headers).json()["accountId"] == "557058:bot"
    assert httpx.post(f"{cloud.url}/oauth/token", data={**form, "client_secret": "x"}).status_code == 401


def test_all_calls_are_kept(cloud):
    one(cloud)
    assert [(call.method, call.path) for call in cloud.writes] == [("POST", "/rest/api/3/issue")]
