"""The sources page tells when a test came, and that a subscription is confirmed."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from incidents import sources
from ingest.sources import all_sources


@pytest.fixture
def page(db: None) -> Client:
    client = Client()
    client.force_login(User.objects.create_user("ada"))
    return client


def shown(client: Client, language: str = "en") -> str:
    client.cookies["django_language"] = language
    return client.get("/sources/", headers={"Accept-Language": language}).content.decode()


def test_a_test_notification_is_shown_with_its_age_and_its_title_as_text(page: Client) -> None:
    source, _ = sources.make_source("alertmanager", "prod")
    assert "test received" not in shown(page)
    sources.tested(source, "<b>Notification</b> test", timezone.now() - timedelta(seconds=3))
    text = shown(page)
    assert ("test received 3 s ago" in text or "test received 4 s ago" in text) and "subscription" not in text
    assert "&lt;b&gt;Notification&lt;/b&gt; test" in text and "<b>Notification" not in text


def test_an_older_test_and_a_confirmed_subscription_are_shown_in_the_readers_language(page: Client) -> None:
    source, _ = sources.make_source("cloudwatch", "prod")
    sources.tested(source, "x", timezone.now() - timedelta(hours=3))
    sources.subscribed(source, timezone.now() - timedelta(minutes=5))
    assert "test received 3 h ago" in shown(page) and "subscription confirmed 5 min ago" in shown(page)
    assert "3 小时前收到测试通知" in shown(page, "zh-hans") and "5 分钟前已确认订阅" in shown(page, "zh-hans")
    sources.subscribed(source, None)
    assert "subscription confirmed" not in shown(page)


def test_each_kind_has_its_steps_with_an_address(page: Client) -> None:
    for kind in all_sources():
        sources.make_source(kind, "prod")
    text = shown(page)
    assert all(f"/ingest/{kind}/prod" in text for kind in all_sources())
    assert "aws sns subscribe" in text and "-notifier.url=" in text
