"""Every page in a real browser: light and dark, wide and narrow, English and Chinese; pictures go to var/screens."""

import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.urls import URLPattern, get_resolver
from playwright.sync_api import Browser, Page, sync_playwright

from evaluate.recordings import FOLDER
from lab.stage.programs import Stage, wait_until
from tests.real.whole import ROOT, Whole

pytestmark = pytest.mark.real
SCREENS = ROOT / "var" / "screens"
LOOKS = [("light", 1280, "en-US"), ("dark", 1280, "zh-CN"), ("light", 390, "zh-CN"), ("dark", 390, "en-US")]
PAGES = {
    "incidents": "/", "incidents-none": "/?entity=nowhere", "incident": "/incidents/{ranked}/",
    "incident-unknown": "/incidents/{other}/", "causes": "/causes/", "sources": "/sources/",
    "deliveries": "/deliveries/", "connections": "/connections/", "outbox": "/outbox/", "api-docs": "/api/docs",
    "entity": "/entities/?key={entity}",
}  # fmt: skip
SWITCHES = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
]  # fmt: skip
FILL = """
from evaluate import recordings
from django.contrib.auth import get_user_model
from pathlib import Path
get_user_model().objects.create_superuser("ada", password="a long enough one")
for name in {names}:
    one = [r for r in recordings.recordings() if r.slug == name][0]
    recordings.await_results(one, recordings.send(one, {url!r}), 120)
"""


@pytest.fixture(scope="module")
def whole() -> Iterator[Whole]:
    with Stage() as stage:
        made = Whole(stage)
        made.start()
        names = ["etcd-switch-slow-disk", "etcd-steady-latency", "probe-handler-blocked"]
        assert all((FOLDER / name).is_dir() for name in names)
        made.python(FILL.format(names=names, url=made.url))
        yield made
        made.stop()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    program = shutil.which("chromium") or shutil.which("google-chrome")
    if program is None and not os.environ.get("CI"):
        pytest.skip("no Chromium here: apt-get install chromium")
    with sync_playwright() as play:
        started = play.chromium.launch(executable_path=program, args=SWITCHES)
        yield started
        started.close()


def signed_in(browser: Browser, whole: Whole, look: tuple[str, int, str]) -> tuple[Page, list[str]]:
    scheme, width, language = look
    context = browser.new_context(color_scheme=scheme, viewport={"width": width, "height": 900}, locale=language)  # type: ignore[arg-type]
    page, errors = context.new_page(), list[str]()
    page.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.goto(f"{whole.url}/sign-in/")
    page.screenshot(path=SCREENS / f"sign-in-{scheme}-{width}.png", full_page=True)
    page.fill("input[name=username]", "ada")
    page.fill("input[name=password]", "a long enough one")
    page.click("main button")
    return page, errors


@pytest.mark.parametrize("look", LOOKS, ids=lambda look: "-".join(map(str, look)))
def test_every_page_is_whole_in_every_look(whole: Whole, browser: Browser, look: tuple[str, int, str]) -> None:
    SCREENS.mkdir(parents=True, exist_ok=True)
    numbers = json.loads(whole.python(
        "import json\nfrom incidents.models import Incident\n"
        "print(json.dumps([Incident.objects.filter(verdict_state='ranked').first().number,"
        "Incident.objects.exclude(verdict_state='ranked').first().number,"
        "Incident.objects.filter(verdict_state='ranked').first().entities.first().key]))"
    ))  # fmt: skip
    page, errors = signed_in(browser, whole, look)
    for name, address in PAGES.items():
        answer = page.goto(whole.url + address.format(ranked=numbers[0], other=numbers[1], entity=numbers[2]))
        assert answer is not None and answer.status == 200, name
        assert page.evaluate("document.documentElement.scrollWidth - window.innerWidth") <= 0, f"{name} is too wide"
        assert page.evaluate("document.documentElement.lang").startswith(look[2][:2]), name
        assert page.title() and page.locator("h1").count() == 1, name
        page.screenshot(path=SCREENS / f"{name}-{look[0]}-{look[1]}.png", full_page=True)
        assert not errors, f"{name}: {errors}"
    page.context.close()


def test_every_page_of_the_address_table_is_looked_at() -> None:
    shown = {address.split("?")[0].strip("/").split("/")[0] for address in PAGES.values()}
    web = next(r for r in get_resolver().url_patterns if getattr(r, "urlconf_name", None) is not None
               and getattr(r.urlconf_name, "__name__", "") == "web.urls")  # fmt: skip
    first = {str(p.pattern).split("/")[0] for p in web.url_patterns if isinstance(p, URLPattern)}  # type: ignore[union-attr]
    assert first - {"sign-in", "sign-out", "language", "jsi18n"} <= shown | {""}


def test_a_page_reads_without_javascript(whole: Whole, browser: Browser) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(f"{whole.url}/sign-in/")
    page.fill("input[name=username]", "ada")
    page.fill("input[name=password]", "a long enough one")
    page.click("main button")
    wait_until(lambda: page.locator("h1").count() == 1, "the list", 20)
    page.goto(f"{whole.url}/incidents/1/")
    assert page.locator(".headline").count() == 1 and page.locator("ul.odds li").count() >= 2
    context.close()


def test_the_pictures_are_there_to_be_looked_at() -> None:
    assert len(list(Path(SCREENS).glob("*.png"))) >= len(PAGES) * len(LOOKS)
