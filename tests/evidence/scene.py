"""A small world that answers: series by name and label matchers, lists of the Kubernetes API, and errors on demand."""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs

import httpx

from domain.alerts import AlertState, ParsedAlert, Severity
from domain.connections import Access, BlackboxDecl, Connections, KubernetesDecl, PrometheusDecl
from domain.entities import EntityKind, EntityRef, Relation
from domain.findings import Finding
from domain.scope import ChangeRef, Scope
from evidence.check import Ask, run
from evidence.checks import all_checks
from evidence.recording import Answer

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
END = NOON + timedelta(minutes=5)
POD = "cart-6c8f9d7b5-x7x2q"
Values = Callable[[float], float | None]
MATCHER = re.compile(r'(\w+)(=~|!=|=)"((?:[^"\\]|\\.)*)"')


def at(seconds: float) -> float:
    """Epoch seconds of a time relative to noon, when the alert began."""
    return NOON.timestamp() + seconds


def iso(seconds: float) -> str:
    """The same as the Kubernetes API writes it."""
    return datetime.fromtimestamp(at(seconds), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def steady(value: float) -> Values:
    """The same value all the time."""
    return lambda _: value


def after(seconds: float, value: float, before: float = 0.0) -> Values:
    """One value until a time relative to noon, then another."""
    return lambda t: value if t >= seconds else before


def rising(per_s: float, since: float = -1800, start: float = 0.0) -> Values:
    """A counter that rises from a time on."""
    return lambda t: start + per_s * max(0.0, t - since)


@dataclass
class World:
    """What is there. `series` maps (name, labels) to a value by seconds since noon; `computed` by part of a query."""

    series: list[tuple[dict[str, str], Values]] = field(default_factory=list)
    computed: dict[str, list[tuple[dict[str, str], Values]]] = field(default_factory=dict)
    api: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    status: int = 200
    body: bytes | None = None
    error: type[httpx.TransportError] | None = None
    warnings: list[str] = field(default_factory=list)
    asked: list[tuple[str, str]] = field(default_factory=list)

    def add(self, name: str, values: Values | float, **labels: str) -> "World":
        """One more series of the pod in namespace shop, unless its labels say otherwise."""
        function = values if callable(values) else steady(values)
        given = {"__name__": name, "namespace": "shop", "pod": POD, **labels}
        self.series.append(({k: v for k, v in given.items() if v}, function))
        return self

    def client(self, connection: str, base_url: str, access: Access) -> httpx.Client:
        """Every connection leads here."""
        return httpx.Client(base_url=base_url, transport=httpx.MockTransport(self._answer))

    def answers(self) -> tuple[Answer, ...]:
        """Nothing is kept."""
        return ()

    def _answer(self, request: httpx.Request) -> httpx.Response:
        form = {k: v[0] for k, v in parse_qs(request.content.decode()).items()}
        self.asked.append((request.url.path, form.get("query", "")))
        if self.error:
            raise self.error("no", request=request)
        if self.body is not None or self.status != 200:
            return httpx.Response(self.status, content=self.body or b"")
        if "/query" in request.url.path:
            return httpx.Response(200, content=json.dumps(self._queried(form)))
        path = request.url.path
        if path not in self.api:
            return httpx.Response(404, json={"message": f"{path} is not there"})
        return httpx.Response(200, json={"items": self.api[path]})

    def _queried(self, form: Mapping[str, str]) -> dict[str, Any]:
        query = form["query"]
        start, end = float(form.get("start", form.get("time", "0"))), float(form.get("end", form.get("time", "0")))
        step = float(form.get("step", "15"))
        special = next((found for part, found in self.computed.items() if part in query), None)
        chosen = special if special is not None else [s for s in self.series if _matches(query, s[0])]
        count = int((end - start) // step)
        result = []
        for labels, values in chosen:
            times = [start + step * i for i in range(count + 1)]
            points = [(t, values(t - NOON.timestamp())) for t in times]
            result.append({"metric": labels, "values": [[t, str(v)] for t, v in points if v is not None]})
        data = {"resultType": "matrix", "result": [r for r in result if r["values"]]}
        return {"status": "success", "data": data, "warnings": self.warnings}


def _matches(query: str, labels: dict[str, str]) -> bool:
    """A plain selector `{...}`; anything else matches nothing and must be `computed`."""
    if not (query.startswith("{") and query.endswith("}")):
        return False
    for name, operator, raw in MATCHER.findall(query):
        wanted, value = raw.encode().decode("unicode_escape"), labels.get(name, "")
        same = re.fullmatch(wanted, value) is not None if operator == "=~" else value == wanted
        if same is (operator == "!="):
            return False
    return True


def scope(**more: Any) -> Scope:
    """A pod's alert at noon, looked at five minutes later; everything is declared."""
    pod = EntityRef(EntityKind.POD, POD, "prod-a", "shop")
    alert = ParsedAlert(
        "a", "", AlertState.FIRING, "PodProbeFailing", "a probe fails", Severity.WARNING, NOON, entities=(pod,),
        labels={"pod": POD, "namespace": "shop", "cluster": "prod-a"},
    )  # fmt: skip
    declared = Connections(
        prometheus=[PrometheusDecl(name="main", url="http://127.0.0.1:9090")],
        blackbox=[BlackboxDecl(name="probes", prometheus="main")],
        kubernetes=[KubernetesDecl(name="prod-a", api=True)],
    )
    made = Scope("i", NOON, END, (alert,), (pod,), declared)
    return replace(made, **more)


def findings(slug: str, world: World, about: Scope | None = None) -> dict[str, Finding]:
    """What one check says of the world."""
    check = next(c for c in all_checks() if c.slug == slug)
    found = {f.measure: f for f in run(check, Ask(about or scope(), world, check.before))}
    assert set(found) == {m.slug for m in check.measures}
    for finding in found.values():
        assert finding.sentence.en and finding.sentence.in_language("zh")
        assert (finding.why_unknown is not None) is (finding.seen is None)
    return found


def seen(found: dict[str, Finding]) -> set[str]:
    """The slugs that were seen."""
    return {slug for slug, finding in found.items() if finding.seen}


def change(seconds: float, *entities: str, kind: str = "deploy") -> ChangeRef:
    """A change relative to noon."""
    return ChangeRef("c", kind, "deployed 2.0", NOON + timedelta(seconds=seconds), entities)


__all__ = ["END", "NOON", "POD", "Relation", "World", "after", "at", "change", "findings", "iso", "rising", "scope",
           "seen", "steady"]  # fmt: skip
