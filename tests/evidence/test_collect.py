"""Each check has its own time: what is late is unknown with its reason, and what was in time counts."""

import threading
from dataclasses import replace

import pytest

from domain.text import Text
from evidence import collect as collecting
from evidence.check import Ask, Check, Measure, MeasureResult
from evidence.recording import ReplayTransports
from tests.causes.scenes import scope

QUICK = Check(
    "quick", Text.rendered("Quick?", "快？"), (Measure("is-quick", Text.rendered("Quick?", "快？")),), lambda _: True,
    lambda _: {"is-quick": MeasureResult(True, Text.rendered("Yes.", "是。"))},
)  # fmt: skip


@pytest.mark.parametrize(("budget_s", "seen"), [(30.0, None), (600.0, True)], ids=["live", "replay"])
def test_a_check_that_is_over_its_limit_is_unknown_in_a_live_look_only(
    monkeypatch: pytest.MonkeyPatch, budget_s: float, seen: bool | None
) -> None:
    over = threading.Event()

    def collect(ask: Ask) -> dict[str, MeasureResult]:
        over.wait(0.6)
        return {"is-slow": MeasureResult(True, Text.rendered("Yes.", "是。"))}

    slow = replace(
        QUICK, slug="slow", measures=(Measure("is-slow", Text.rendered("Slow?", "慢？")),), collect=collect, limit_s=0.2
    )
    monkeypatch.setattr(collecting, "all_checks", lambda: (QUICK, slow))
    found = {f.measure: f for f in collecting.collect(scope("probe"), ReplayTransports(()), budget_s=budget_s).findings}
    over.set()
    assert found["is-quick"].seen is True and found["is-slow"].seen is seen
    if seen is None:
        why = found["is-slow"].why_unknown
        assert why is not None and "time limit" in why.en
