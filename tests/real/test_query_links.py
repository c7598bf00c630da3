"""A report's link shows its query, with its range, on a real Prometheus in a real browser."""

import shutil
from datetime import UTC, datetime, timedelta

import pytest
from playwright.sync_api import sync_playwright

from domain.text import Text
from domain.verdict import Outcome, TermResult
from lab.stage.programs import Stage, free_port
from tests.real.test_screens import SWITCHES
from tickets.report import graph_page

pytestmark = pytest.mark.real
QUERY = 'sum by (job) (up{job=~"a|itself", instance!="x"}) * 100 > bool 1'


def test_the_link_fills_in_the_query_and_its_range() -> None:
    program = shutil.which("chromium") or shutil.which("google-chrome")
    if not program or not shutil.which("prometheus"):
        pytest.skip("no Chromium or no Prometheus here: apt-get install chromium prometheus")
    end = datetime(2026, 3, 1, 8, 30, tzinfo=UTC)
    term = TermResult("m", Outcome.FOR, 1.0, Text.rendered("a", "b"), QUERY, end - timedelta(minutes=30), end)
    with Stage() as stage, sync_playwright() as play:
        port = free_port()
        stage.start("prometheus", [
            "prometheus", f"--config.file={stage.write('prometheus.yml', {'scrape_configs': []})}",
            f"--web.listen-address=127.0.0.1:{port}", f"--storage.tsdb.path={stage.folder / 'tsdb'}",
        ])  # fmt: skip
        stage.ready("prometheus", f"http://127.0.0.1:{port}/-/ready")
        page = play.chromium.launch(executable_path=program, args=SWITCHES).new_page()
        asked: list[str] = []
        page.on("request", lambda request: asked.append(f"{request.url} {request.post_data or ''}"))
        page.goto(graph_page(f"http://127.0.0.1:{port}", QUERY, term), wait_until="networkidle")
        shown = page.eval_on_selector_all("input, textarea, .cm-content", "all => all.map(e => e.value || e.innerText)")
        page.close()
    assert QUERY in shown
    assert any("query_range" in one for one in asked), "the graph asks at once"
    assert [one for one in asked if "query_range" in one and f"end={int(end.timestamp())}" in one]
    assert [one for one in asked if "query_range" in one and f"start={int(end.timestamp()) - 1800}" in one]
