"""Guessing is slowed, by account and by address, whoever asks which worker; the owner gets in, and tokens work on."""

import threading
import time
from collections.abc import Callable
from datetime import timedelta
from urllib.parse import urlsplit

import pytest
from django.contrib.auth.models import User
from django.core import signing
from django.core.cache import cache
from django.core.management import call_command
from django.db import connections
from django.test import Client
from django.utils import timezone

from incidents import login_failures, retention, sources
from incidents.login_failures import FREE, FREE_TOGETHER, LONGEST
from incidents.models import AuditEntry, Delivery, LoginFailure
from web.api.access import add_token
from web.pages.sign_in import MARK, introduction

RIGHT = "a long enough one"
TOO_MANY = "Too many attempts. Wait "


class Clock:
    """Time that passes only when a test moves it."""

    def __init__(self) -> None:
        self.now = timezone.now()

    def pass_by(self, span: timedelta) -> None:
        self.now += span


@pytest.fixture(autouse=True)
def clock(monkeypatch, settings) -> Clock:
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    made = Clock()
    monkeypatch.setattr(timezone, "now", lambda: made.now)
    return made


@pytest.fixture
def ada(db) -> User:
    return User.objects.create_user("ada", password=RIGHT)


def try_in(client: Client, password: str, name: str = "ada", **extra: str):
    return client.post("/sign-in/", {"username": name, "password": password}, **extra)


def spend(name: str = "ada", **extra: str) -> None:
    """All attempts that cost nothing, and the first that does."""
    for _ in range(FREE + 1):
        assert try_in(Client(), "wrong", name, **extra).status_code == 200


def test_a_few_mistakes_cost_nothing_and_the_right_password_ends_them(ada) -> None:
    for _ in range(FREE):
        try_in(Client(), "wrong")
    assert try_in(Client(), RIGHT).status_code == 302
    for _ in range(FREE):
        assert try_in(Client(), "wrong").status_code == 200
    assert try_in(Client(), RIGHT).status_code == 302


def test_then_not_even_the_right_password_is_looked_at_until_the_wait_is_over(ada, clock) -> None:
    spend()
    answer = try_in(Client(), RIGHT)
    assert answer.status_code == 429 and TOO_MANY in answer.content.decode()
    assert 0 < int(answer.headers["Retry-After"]) <= 2
    clock.pass_by(timedelta(seconds=3))
    assert try_in(Client(), RIGHT).status_code == 302


def test_each_further_mistake_doubles_the_wait_up_to_its_bound_and_refused_ones_do_not_lengthen_it(ada, clock) -> None:
    spend()
    waits = []
    for _ in range(12):
        waits.append(int(try_in(Client(), "wrong").headers["Retry-After"]))
        assert int(try_in(Client(), "wrong").headers["Retry-After"]) <= waits[-1]
        clock.pass_by(timedelta(seconds=waits[-1]))
        assert try_in(Client(), "wrong").status_code == 200
    assert waits[:4] == [2, 4, 8, 16] and max(waits) == waits[-1] == LONGEST.total_seconds()


def test_time_forgets_mistakes_one_by_one(ada, clock) -> None:
    spend()
    clock.pass_by(FREE * login_failures.FORGOTTEN_EVERY)
    for _ in range(FREE - 1):
        assert try_in(Client(), "wrong").status_code == 200
    assert try_in(Client(), RIGHT).status_code == 302


def test_the_answer_is_the_same_whether_or_not_there_is_such_an_account(ada) -> None:
    def answers(name: str) -> list[tuple[int, str, str]]:
        seen = []
        for n in range(FREE + 3):
            answer = try_in(Client(REMOTE_ADDR=f"192.0.2.{n}"), "wrong", name)
            text = answer.content.decode().partition('<p class="note')[2].partition("</p>")[0]
            seen.append((answer.status_code, answer.headers.get("Retry-After", ""), text))
        return seen

    assert answers("ada") == answers("nobody") and answers("nobody")[-1][0] == 429


@pytest.mark.parametrize("other", ["ADA", "\uff41da", " ada "])
def test_another_spelling_of_the_name_is_no_new_account(ada, other: str) -> None:
    spend()
    assert try_in(Client(), RIGHT, other).status_code == 429


def test_one_address_that_tries_many_names_is_slowed_and_its_neighbours_are_not(ada) -> None:
    for n in range(FREE_TOGETHER + 1):
        assert try_in(Client(), "wrong", f"name{n}", REMOTE_ADDR="2001:db8::1").status_code == 200
    assert try_in(Client(), RIGHT, REMOTE_ADDR="2001:db8::ffff:2").status_code == 429
    assert try_in(Client(), RIGHT, REMOTE_ADDR="2001:db8:0:1::1").status_code == 302


def test_somebody_elses_success_does_not_clear_an_address(ada) -> None:
    for n in range(FREE_TOGETHER):
        try_in(Client(), "wrong", f"name{n}")
        if n % 10 == 0:
            assert try_in(Client(), RIGHT).status_code == 302
    assert try_in(Client(), "wrong", "another").status_code == 200
    assert try_in(Client(), RIGHT).status_code == 429


def test_a_browser_that_signed_in_before_is_not_kept_out_by_others_but_counts_its_own(ada) -> None:
    own, other = Client(), Client()
    assert try_in(own, RIGHT).status_code == 302
    assert own.cookies[MARK]["httponly"] and own.cookies[MARK]["samesite"] == "Lax"
    own.post("/sign-out/")
    spend()
    assert try_in(own, RIGHT).status_code == 302
    own.post("/sign-out/")
    stolen = own.cookies[MARK].value
    for _ in range(FREE + 1):
        other.cookies[MARK] = stolen
        assert try_in(other, "wrong").status_code == 200
    assert try_in(other, RIGHT).status_code == 429


def test_the_mark_of_one_account_is_none_of_another_and_a_made_one_is_none(ada) -> None:
    User.objects.create_user("eve", password=RIGHT)
    eve = Client()
    try_in(eve, RIGHT, "eve")
    eve.post("/sign-out/")
    spend()
    assert try_in(eve, RIGHT).status_code == 429
    eve.cookies[MARK] = f"{login_failures.account('ada').key}.x:1:made-up"
    assert try_in(eve, RIGHT).status_code == 429


def test_an_owner_with_a_new_browser_gets_in_while_somebody_keeps_guessing(ada, clock, capsys) -> None:
    spend()
    call_command("known_browser", "ada")
    address = urlsplit(capsys.readouterr().out.strip())
    own = Client()
    assert own.get(f"{address.path}?{address.query}").headers["Location"] == "/sign-in/"
    assert "sessionid" not in own.cookies and own.get("/").status_code == 302, "the mark alone lets nobody in"
    assert try_in(own, RIGHT).status_code == 302
    assert AuditEntry.objects.filter(action="known browser", object="ada").exists()


@pytest.mark.parametrize(
    "made",
    [lambda: "made-up", lambda: "ada", lambda: signing.dumps("ada"), lambda: signing.dumps("ada", salt=MARK)],
    ids=["nothing", "name", "signed", "a browser's mark"],
)
def test_an_introduction_that_was_not_given_out_marks_nothing(ada, made: Callable[[], str]) -> None:
    client, text = Client(), made()
    assert client.get("/sign-in/", {"known": text}).status_code == 200 and MARK not in client.cookies


def test_an_introduction_ends(ada, monkeypatch) -> None:
    address = urlsplit(introduction("ada"))
    late = time.time() + 16 * 60
    monkeypatch.setattr("time.time", lambda: late)
    client = Client()
    assert client.get(f"{address.path}?{address.query}").status_code == 200 and MARK not in client.cookies


def test_each_wait_stands_in_the_audit_trail_and_nothing_typed_is_kept(ada, clock) -> None:
    spend()
    spend("my-secret-by-mistake", REMOTE_ADDR="192.0.2.9")
    rows = AuditEntry.objects.filter(action="sign-in slowed").order_by("pk")
    assert [(r.by, r.object) for r in rows] == [("address 127.0.0.1", "ada"), ("address 192.0.2.9", "no such account")]
    assert rows[0].detail == {"failures": str(FREE + 1), "wait_s": "2"}
    kept = str(list(LoginFailure.objects.values())) + str(list(AuditEntry.objects.values()))
    assert "my-secret" not in kept and "wrong" not in kept
    clock.pass_by(timedelta(minutes=1))
    try_in(Client(), RIGHT)
    assert AuditEntry.objects.get(action="sign in").detail == {"address": "127.0.0.1"}


def test_a_refused_attempt_writes_nothing_and_hashes_no_password(ada, django_assert_num_queries, monkeypatch) -> None:
    spend()
    monkeypatch.setattr("django.contrib.auth.authenticate", None)
    with django_assert_num_queries(1):
        assert try_in(Client(), "wrong").status_code == 429


def test_the_page_is_in_chinese_too(ada) -> None:
    spend()
    answer = Client(headers={"Accept-Language": "zh-hans"}).post("/sign-in/", {"username": "ada", "password": "x"})
    assert "尝试次数过多。请等待 2 秒后再试。" in answer.content.decode()


def test_behind_a_proxy_its_own_word_counts_and_without_one_nobodys(ada, settings) -> None:
    def many(**extra: str) -> int:
        for n in range(FREE_TOGETHER + 1):
            try_in(Client(), "wrong", f"name{n}{extra}", HTTP_X_FORWARDED_FOR=f"198.51.100.{n}, 203.0.113.5", **extra)
        return try_in(Client(), RIGHT, HTTP_X_FORWARDED_FOR="203.0.113.6", **extra).status_code

    assert many(REMOTE_ADDR="192.0.2.1") == 429, "without TLS the header is the client's own word"
    settings.SERVED_OVER_TLS = True
    assert many(REMOTE_ADDR="192.0.2.2") == 302
    assert try_in(Client(), RIGHT, HTTP_X_FORWARDED_FOR="203.0.113.5:4711").status_code == 429


@pytest.mark.django_db(transaction=True)
def test_many_attempts_at_the_same_moment_gain_nothing() -> None:
    User.objects.create_user("ada", password=RIGHT)
    codes: list[int] = []

    def attempt() -> None:
        codes.append(try_in(Client(), "wrong").status_code)
        connections.close_all()

    threads = [threading.Thread(target=attempt) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert codes.count(200) == FREE + 1 and codes.count(429) == 12 - FREE - 1


def test_old_counts_are_forgotten(ada) -> None:
    spend()
    keep, now = retention.Keep(timedelta(days=90), timedelta(days=90)), timezone.now()
    assert retention.forget(keep, now)["login_failures"] == 0
    assert retention.forget(keep, now + timedelta(days=2))["login_failures"] == 2
    assert not LoginFailure.objects.exists()


DOORS = [
    "/ingest/alertmanager/prod",
    "/ingest/zabbix/nowhere",
    "/tickets/ops/webhook",
    "/api/v1/incidents/",
    "/metrics",
]


@pytest.mark.parametrize(("path", "key"), [*((path, {}) for path in DOORS), (DOORS[3], {"Idempotency-Key": "k"})])
def test_wrong_tokens_are_slowed_and_a_right_one_is_never_kept_waiting(db, path: str, key: dict[str, str]) -> None:
    cache.clear()
    _, token = sources.make_source("alertmanager", "prod")

    def ask(path: str, token: str) -> int:
        head = {"Authorization": f"Bearer {token}", "X-Forwarded-For": "10.0.0.1", **key}
        if path in {"/metrics", "/api/v1/incidents/"} and not key:
            return Client(headers=head).get(path).status_code
        path = "/api/v1/changes/" if path == "/api/v1/incidents/" else path
        return Client(headers=head).post(path, "{}", content_type="application/json").status_code

    assert [ask(path, f"wrong{n}") for n in range(FREE_TOGETHER + 1)] == [401] * (FREE_TOGETHER + 1)
    assert ask(path, "wrong") == 429
    assert AuditEntry.objects.get(action="wrong tokens slowed").by == "address 127.0.0.1"
    assert ask("/ingest/alertmanager/prod", token) == 202
    assert ask("/api/v1/incidents/", add_token("t", ["read", "write"])) in {200, 400}
    assert ask("/metrics", add_token("m", ["metrics"])) in {200, 405}
    cache.clear()


def test_a_guessed_path_of_a_webhook_is_not_kept(db) -> None:
    for _ in range(FREE_TOGETHER + 1):
        assert Client().post("/tickets/ops/webhook/may-be-right", "{}", "application/json").status_code == 401
    assert "may-be-right" not in str(list(AuditEntry.objects.values()))
    assert AuditEntry.objects.get().object.startswith("/tickets/ops/webhook/")


@pytest.mark.parametrize("sign", ["X-Forwarded-For", "X-Forwarded-Proto", "X-Real-IP", "Forwarded", "Via"])
def test_the_metrics_are_not_open_to_a_proxy_on_the_same_machine(db, sign: str) -> None:
    assert Client().get("/metrics").status_code == 200
    assert Client(headers={sign: "https"}).get("/metrics").status_code == 401


def test_an_accepted_delivery_costs_what_it_did_before(db, django_assert_num_queries) -> None:
    cache.clear()
    _, token = sources.make_source("alertmanager", "prod")
    client = Client(headers={"Authorization": f"Bearer {token}"})
    for _ in range(2):
        client.post("/ingest/alertmanager/prod", "{}", content_type="application/json")
    with django_assert_num_queries(1):
        client.post("/ingest/alertmanager/prod", "{}", content_type="application/json")
    assert Delivery.objects.count() == 3 and not LoginFailure.objects.exists()
    cache.clear()
