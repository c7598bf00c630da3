"""A small Prometheus: series that are there now, and the few forms of PromQL that discovery asks for."""

import re
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs

from tests.fakes.server import Answer, Call, Fake

Labels = dict[str, str]
MATCHER = re.compile(r'([A-Za-z_]\w*)(=~|!~|!=|=)"((?:[^"\\]|\\.)*)"')


@dataclass
class Series:
    """One series with its value now."""

    labels: Labels
    value: float = 1.0


@dataclass
class FakePrometheus(Fake):
    """`series` are there now. `lists` are the `data` of other paths; a path without one is 404. `per_range` is how often
    each `up` was written within the range of `count_over_time`."""

    series: list[Series] = field(default_factory=list)
    lists: dict[str, Any] = field(default_factory=dict)
    per_range: float = 40.0

    def __post_init__(self) -> None:
        super().__init__()

    def add(self, name: str, value: float = 1.0, **labels: str) -> None:
        self.series.append(Series({"__name__": name, **labels}, value))

    def handle(self, call: Call) -> Answer:
        if call.path.endswith("/api/v1/query"):
            found = self.evaluate(parse_qs(call.body.decode())["query"][0])
            rows = [{"metric": s.labels, "value": [1.0, str(s.value)]} for s in found]
            return Answer(200, {"status": "success", "data": {"resultType": "vector", "result": rows}})
        name = call.path.partition("/api/v1/")[2]
        if name in self.lists:
            return Answer(200, {"status": "success", "data": self.lists[name]})
        return Answer(404, b"404 page not found")

    def evaluate(self, query: str) -> list[Series]:
        if match := re.fullmatch(r"(count|max) by \(([^)]*)\) \((.+)\)", query):
            return _grouped(match[1], match[2].split(", "), self._several(match[3]))
        if match := re.fullmatch(r"count\((.+)\)", query):
            found = self._several(match[1])
            return [Series({}, float(len(found)))] if found else []
        return self._several(query)

    def _several(self, query: str) -> list[Series]:
        found: list[Series] = []
        for part in query.split(" or "):
            if match := re.fullmatch(r"count_over_time\((.+)\[\d+s\]\)", part):
                found += [Series(s.labels, self.per_range) for s in self._selected(match[1])]
            else:
                found += [s for s in self._selected(part) if s not in found]
        return found

    def _selected(self, selector: str) -> list[Series]:
        match = re.fullmatch(r"([A-Za-z_:][\w:]*)?(\{.*\})?", selector)
        assert match, f"the fake does not know {selector}"
        matchers = [("__name__", "=", match[1])] if match[1] else []
        matchers += MATCHER.findall(match[2] or "")
        return [s for s in self.series if all(_fits(s.labels.get(n, ""), how, v) for n, how, v in matchers)]


def _fits(value: str, how: str, wanted: str) -> bool:
    plain = re.sub(r"\\(.)", r"\1", wanted)
    same = re.fullmatch(plain, value) is not None if "~" in how else value == plain
    return same is not how.startswith("!")


def _grouped(how: str, names: list[str], found: list[Series]) -> list[Series]:
    groups: dict[tuple[tuple[str, str], ...], list[float]] = {}
    for one in found:
        key = tuple((name, one.labels[name]) for name in names if one.labels.get(name))
        groups.setdefault(key, []).append(one.value)
    return [Series(dict(key), float(len(v)) if how == "count" else max(v)) for key, v in groups.items()]
