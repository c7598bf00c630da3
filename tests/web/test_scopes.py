"""Every address of the API: which scope opens it, that no other does, and that a session needs its CSRF token."""

import re
import uuid

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import URLPattern
from rest_framework.views import APIView

from incidents import changes
from incidents.models import ApiToken, Entity
from web.api import urls
from web.api.access import SCOPES, add_token

# Path of the address, method, scope that opens it. A new view has to be added here.
OPENED_BY = {
    ("incidents/", "GET"): "read",
    ("incidents/{}/", "GET"): "read",
    ("incidents/{}/verdict/", "GET"): "read",
    ("incidents/{}/timeline/", "GET"): "read",
    ("incidents/{}/similar/", "GET"): "read",
    ("incidents/{}/bundle/", "GET"): "read",
    ("incidents/{}/postmortem/", "GET"): "read",
    ("incidents/{}/feedback/", "POST"): "write",
    ("incidents/{}/acknowledge/", "POST"): "write",
    ("tickets/enrich/", "POST"): "read",
    ("causes/", "GET"): "read",
    ("checks/", "GET"): "read",
    ("changes/", "GET"): "read",
    ("changes/", "POST"): "write",
    ("deliveries/", "GET"): "read",
    ("deliveries/{}/replay/", "POST"): "operate",
    ("outbox/", "GET"): "read",
    ("outbox/redrive/", "POST"): "operate",
    ("outbox/{}/redrive/", "POST"): "operate",
}
FILLED = {"incidents": "1", "deliveries": str(uuid.UUID(int=1)), "outbox": "1"}
CASES = [(path, method, scope) for (path, method), scope in OPENED_BY.items()]


def address(path: str) -> str:
    return "/api/v1/" + path.format(FILLED.get(path.partition("/")[0], ""))


def call(client: Client, path: str, method: str) -> int:
    asked = client.get(address(path)) if method == "GET" else client.post(address(path), {}, "application/json")
    return int(asked.status_code)


def test_the_table_holds_every_view_of_the_api() -> None:
    found = set()
    for one in urls.urlpatterns:
        view = getattr(one.callback, "view_class", None) or getattr(one.callback, "cls", None)
        if isinstance(one, URLPattern) and view and issubclass(view, APIView) and str(one.pattern).startswith(urls.V1):
            parts = str(one.pattern).removeprefix(urls.V1).split("/")
            path = "/".join("{}" if part.startswith("<") else part for part in parts)
            found |= {(path, verb.upper()) for verb in ("get", "post", "put", "patch", "delete") if hasattr(view, verb)}
    assert found == set(OPENED_BY)


def test_the_page_of_the_api_names_the_scope_of_every_call(person: Client) -> None:
    page = person.get("/api/docs").content.decode()
    shown = re.findall(r"<strong>([A-Z]+)</strong></td><td><code>/api/v1/(.*?)</code></td><td>(\w*)</td>", page)
    assert {(re.sub(r"{\w+}", "{}", path), method): scope for method, path, scope in shown} == OPENED_BY


@pytest.mark.parametrize(("path", "method", "scope"), CASES)
def test_only_the_right_scope_opens_it(incident, path: str, method: str, scope: str) -> None:
    for given in SCOPES:
        client = Client(headers={"Authorization": f"Bearer {add_token(given, [given])}"})
        status = call(client, path, method)
        assert (status == 403) == (given != scope), f"{given}: {status}"
    assert call(Client(), path, method) == 401
    assert call(Client(headers={"Authorization": "Bearer made-up"}), path, method) == 401


@pytest.mark.parametrize(("path", "method", "scope"), [case for case in CASES if case[1] == "POST"])
def test_a_session_without_its_csrf_token_changes_nothing(incident, path: str, method: str, scope: str) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(User.objects.create_user("ada", password="a long enough one"))
    assert call(client, path, method) == 403
    incident.refresh_from_db()
    assert incident.acknowledged_at is None


PAGES = ["/incidents/1/acknowledge/", "/incidents/1/feedback/", "/outbox/again/", "/outbox/1/again/",
         "/connections/ticket:ops/check/", f"/deliveries/{uuid.UUID(int=1)}/replay/", "/sign-in/", "/sign-out/",
         "/language/"]  # fmt: skip


@pytest.mark.parametrize("path", PAGES)
def test_no_page_takes_a_post_from_another_site(incident, path: str) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(User.objects.create_user("ada", password="a long enough one"))
    assert client.post(path).status_code == 403
    assert client.get(path).status_code in ({200, 302} if path in {"/sign-in/", "/language/"} else {405})


def test_an_expired_token_opens_neither_the_api_nor_the_metrics(db) -> None:
    token = add_token("old", ["read", "metrics"])
    head = {"Authorization": f"Bearer {token}", "X-Forwarded-For": "10.0.0.1"}
    assert [Client(headers=head).get(path).status_code for path in ("/api/v1/causes/", "/metrics")] == [200, 200]
    ApiToken.objects.update(expires_at="2020-01-01T00:00:00Z")
    assert [Client(headers=head).get(path).status_code for path in ("/api/v1/causes/", "/metrics")] == [401, 401]


def test_recorded_changes_are_listed_newest_first_and_narrowed(db) -> None:
    client = Client(headers={"Authorization": f"Bearer {add_token('reader', ['read'])}"})
    cart = Entity.objects.create(key="Workload/prod-a/shop/cart", kind="Workload", name="cart")
    changes.add_change("deploy", "d1", "cart 1", "2026-03-01T10:00:00Z", [cart])
    changes.add_change("config", "c2", "<b>other</b>", "2026-03-02T10:00:00Z", [])

    def listed(query: str = "") -> list[str]:
        answer = client.get(f"/api/v1/changes/{query}")
        assert answer.status_code == 200
        return [row["reference"] for row in answer.json()["results"]]

    assert listed() == ["c2", "d1"]
    assert listed("?entity=cart") == ["d1"] == listed("?until=2026-03-02")
    assert listed("?since=2026-03-02") == ["c2"] and listed("?since=rubbish&entity=%00") == ["c2", "d1"]
    assert client.get("/api/v1/changes/").json()["results"][1]["entities"] == [cart.key]


@pytest.mark.parametrize(
    ("path", "page"),
    [("/incidents/1/acknowledge/", "/incidents/1/"), ("/incidents/1/feedback/", "/incidents/1/"),
     ("/outbox/again/", "/outbox/"), ("/connections/ticket:ops/check/", "/connections/"),
     (f"/deliveries/{uuid.UUID(int=1)}/replay/", "/deliveries/")],
)  # fmt: skip
def test_a_button_pressed_after_the_session_ended_leads_to_its_page_and_never_to_an_empty_one(
    person: Client, incident, path: str, page: str
) -> None:
    assert Client().post(path).headers["Location"] == f"/sign-in/?next={page}"
    opened = person.get(path, headers={"accept-language": "en"})
    assert opened.status_code == 405 and opened.headers["Allow"] == "POST"
    text = opened.content.decode()
    assert "Nothing was changed" in text and f'href="{page}"' in text and f'name="next" value="{page}"' in text


def test_a_form_that_is_too_old_gets_a_page_and_programs_get_a_problem(db) -> None:
    client = Client(enforce_csrf_checks=True)
    answer = client.post("/sign-in/", headers={"accept-language": "zh-hans"})
    assert answer.status_code == 403 and "请允许 Cookie" in answer.content.decode()
    assert "<link" in client.post("/sign-in/", headers={"accept-language": "en"}).content.decode()


def test_a_host_name_that_is_not_allowed_is_answered_with_the_setting_that_allows_it(db) -> None:
    answer = Client(headers={"host": "graph.example"}).get("/sign-in/")
    assert answer.status_code == 400 and b"ALLOWED_HOSTS" in answer.content and b"graph.example" not in answer.content
