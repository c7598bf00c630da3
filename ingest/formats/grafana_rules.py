"""The webhook of Grafana's legacy alerting, versions 4 to 10: one message for each change of one rule."""

from datetime import datetime
from typing import Any, Literal

import msgspec

_ENDED = ("ok", "paused")
_FIRING = ("alerting", "no_data", "pending", "unknown")


class _Match(msgspec.Struct):
    metric: str = ""
    value: float | None = None
    tags: dict[str, str] | None = None


class Rule(msgspec.Struct):
    """The message; `state` is the rule's new one."""

    ruleName: str
    state: Literal["ok", "paused", "alerting", "no_data", "pending", "unknown"]
    ruleId: int = 0
    orgId: int = 0
    ruleUrl: str = ""
    message: str = ""
    tags: dict[str, str] | None = None
    evalMatches: list[_Match] | None = None

    def fields(self, at: datetime) -> dict[str, Any]:
        """The fields of an alert of Alertmanager's webhook. The message has no times: it is sent at the change."""
        ended = self.state in _ENDED
        matches = self.evalMatches or []
        own = (matches[0].tags or {}) if len(matches) == 1 else {}
        name = "DatasourceNoData" if self.state == "no_data" else self.ruleName
        return {
            "status": "resolved" if ended else "firing",
            "startsAt": at, "endsAt": at if ended else None,
            "labels": {**own, **(self.tags or {}), "alertname": name, "rulename": self.ruleName},
            "annotations": {"summary": self.ruleName, "description": self.message},
            "generatorURL": self.ruleUrl,
            "fingerprint": f"grafana{self.orgId}rule{self.ruleId}",
            "values": {match.metric: match.value for match in matches},
        }  # fmt: skip


_DECODER = msgspec.json.Decoder(Rule)


def rule_of(body: bytes) -> Rule | None:
    """The rule that a body is about, None for another body."""
    if b'"ruleName"' not in body:
        return None
    try:
        return _DECODER.decode(body)
    except msgspec.DecodeError:
        return None
