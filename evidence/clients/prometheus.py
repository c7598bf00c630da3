"""The Prometheus HTTP API, also as VictoriaMetrics, Thanos and Mimir speak it."""

import math
from dataclasses import dataclass
from datetime import datetime

import httpx
import msgspec

from domain.errors import Malformed, Refused, Unreachable
from domain.findings import Point
from domain.text import Text

POINTS = 400
RETRIED = {502, 503, 504}


class _Result(msgspec.Struct):
    metric: dict[str, str]
    values: list[tuple[float, str]] = []


class _Data(msgspec.Struct):
    resultType: str
    result: list[_Result]


class _Envelope(msgspec.Struct):
    status: str
    data: _Data | None = None
    error: str = ""
    errorType: str = ""
    warnings: list[str] = []


class _Rule(msgspec.Struct):
    name: str = ""
    query: str = ""
    labels: dict[str, str] = {}


class _Group(msgspec.Struct):
    rules: list[_Rule] = []


class _Groups(msgspec.Struct):
    groups: list[_Group] = []


class _RulesEnvelope(msgspec.Struct):
    status: str
    data: _Groups | None = None


# Made here, in one thread: types that several threads meet for the first time at once may crash the decoder.
READER = msgspec.json.Decoder(_Envelope)
RULES_READER = msgspec.json.Decoder(_RulesEnvelope)


@dataclass(frozen=True, slots=True)
class Line:
    """One series: its labels, and its samples without NaN and infinities, which mean that nothing was measured."""

    labels: dict[str, str]
    points: tuple[Point, ...]

    def between(self, start_ms: int, end_ms: int) -> tuple[float, ...]:
        """Values with start <= time <= end, in order of time."""
        return tuple(p.value for p in self.points if start_ms <= p.at_ms <= end_ms)


@dataclass(frozen=True, slots=True)
class Answered:
    """Series with samples, in order of their labels; `partial` is the server's warning that something is missing."""

    lines: tuple[Line, ...]
    partial: str = ""


@dataclass(frozen=True, slots=True)
class Rule:
    """One alerting rule: its name, its expression, and the labels that it adds."""

    name: str
    query: str
    labels: dict[str, str]


def escape(value: str) -> str:
    """A label value inside double quotes of PromQL."""
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


def matcher(labels: dict[str, str]) -> str:
    """`a="x",b="y"` in order of the names, escaped."""
    return ",".join(f'{name}="{escape(value)}"' for name, value in sorted(labels.items()))


def seconds(time: datetime) -> str:
    """Unix time with milliseconds, as Prometheus reads it and as a replay finds it again."""
    return f"{time.timestamp():.3f}"


class Prometheus:
    """One server. All calls raise Unreachable, Refused or Malformed with one sentence."""

    def __init__(self, client: httpx.Client) -> None:
        self._client = client

    def range(self, query: str, start: datetime, end: datetime, step_s: int) -> Answered:
        """`query_range` with a step that keeps the answer under 11,000 points per series.

        Whatever a server adds outside of the range is dropped: nothing after `end` may be looked at.
        """
        step = max(step_s, math.ceil((end - start).total_seconds() / 10_000))
        asked = {"query": query, "start": seconds(start), "end": seconds(end), "step": str(step)}
        return _within(self._ask("/api/v1/query_range", asked), start, end)

    def rules(self, name: str) -> list[Rule]:
        """The alerting rules that the server evaluates; newer servers give only those of that name."""
        try:
            answer = self._client.get("/api/v1/rules", params={"type": "alert", "rule_name[]": name})
        except httpx.HTTPError as error:
            raise Unreachable(Text("Prometheus cannot be reached ({error})", error=type(error).__name__)) from error
        if answer.status_code != 200:
            raise Refused(Text("Prometheus tells no rules ({status})", status=answer.status_code))
        try:
            envelope = RULES_READER.decode(answer.content)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise Malformed(
                Text("Prometheus answered {status} with something that is not its JSON", status=answer.status_code)
            ) from error
        groups = envelope.data.groups if envelope.data else []
        return [Rule(rule.name, rule.query, rule.labels) for group in groups for rule in group.rules]

    def _ask(self, path: str, form: dict[str, str]) -> Answered:
        for attempt in (1, 2):
            try:
                answer = self._client.post(path, data=form)
            except httpx.TimeoutException as error:
                raise Unreachable(Text("Prometheus did not answer in time")) from error
            except httpx.HTTPError as error:
                if attempt == 2:
                    raise Unreachable(
                        Text("Prometheus cannot be reached ({error})", error=type(error).__name__)
                    ) from error
                continue
            if answer.status_code not in RETRIED or attempt == 2:
                break
        return _answered(answer.status_code, answer.content)


def _within(answered: Answered, start: datetime, end: datetime) -> Answered:
    first, last = math.floor(start.timestamp() * 1000), math.ceil(end.timestamp() * 1000)
    lines = [Line(x.labels, tuple(p for p in x.points if first <= p.at_ms <= last)) for x in answered.lines]
    return Answered(tuple(lines), answered.partial)


def _answered(status: int, content: bytes) -> Answered:
    """The lines of an answer, in order of their labels. Raises Unreachable, Malformed or Refused."""
    envelope = _envelope(status, content)
    if status >= 500:
        raise Unreachable(Text("Prometheus answered {status}: {error}", status=status, error=envelope.error[:200]))
    if status >= 400 or envelope.status != "success" or envelope.data is None:
        raise Refused(
            Text("Prometheus refused the query ({status}): {error}", status=status, error=envelope.error[:200])
        )
    lines = sorted((_line(result) for result in envelope.data.result), key=lambda line: sorted(line.labels.items()))
    # Remarks on the query itself do not mean missing data.
    missing = [warning for warning in envelope.warnings if not warning.startswith("PromQL ")]
    return Answered(tuple(line for line in lines if line.points), "; ".join(missing)[:300])


def _envelope(status: int, content: bytes) -> _Envelope:
    try:
        return READER.decode(content)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        if status >= 500:
            raise Unreachable(Text("Prometheus answered {status}", status=status)) from error
        raise Malformed(
            Text("Prometheus answered {status} with something that is not its JSON", status=status)
        ) from error


def _line(result: _Result) -> Line:
    values = ((at, _number(text)) for at, text in result.values)
    return Line(result.metric, tuple(Point(round(at * 1000), value) for at, value in values if math.isfinite(value)))


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return math.nan
