"""Draws a finding's series as one SVG line chart: limit dashed, incident start marked, lines distinguished by dash."""

import math
from dataclasses import dataclass
from datetime import UTC, datetime

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import get_language, gettext

from domain.findings import Series
from web.drawing.values import limited, spoken

WIDTH, HEIGHT = 680, 190
LEFT, RIGHT, TOP, BOTTOM = 58, 12, 14, 24
MAX_LINES = 6
MAX_POINTS = 400


@dataclass(frozen=True, slots=True)
class Frame:
    """The mapping from time (epoch ms) and value to pixels."""

    from_ms: int
    to_ms: int
    top: float

    def x(self, at_ms: float) -> float:
        """Pixel column of a time."""
        span = max(1, self.to_ms - self.from_ms)
        return round(LEFT + (at_ms - self.from_ms) / span * (WIDTH - LEFT - RIGHT), 1)

    def y(self, value: float) -> float:
        """Pixel row of a value; zero is the bottom line."""
        return round(HEIGHT - BOTTOM - value / self.top * (HEIGHT - TOP - BOTTOM), 1)


def nice_ceiling(value: float) -> float:
    """The next 1, 2, 2.5 or 5 times a power of ten at or above `value`; 1 for zero and below."""
    if not value > 0:
        return 1.0
    power = 10.0 ** math.floor(math.log10(value))
    return next(step * power for step in (1, 2, 2.5, 5, 10) if value <= step * power * 1.0000001)


def line_chart(
    series: tuple[Series, ...], *, unit: str, limit: float | None, start: datetime | None, title: str
) -> SafeString:
    """The chart as `<svg>`; empty text when there is nothing to draw. Values below zero are not drawn."""
    drawn = [(s.name, _finite(s)) for s in series]
    drawn = [(name, points) for name, points in drawn if points][:MAX_LINES]
    if not drawn:
        return SafeString("")
    times = [at for _, points in drawn for at, _ in points]
    peak = max(value for _, points in drawn for _, value in points)
    if limit is not None and limit <= peak * 4:
        peak = max(peak, limit)
    frame = Frame(min(times), max(times), nice_ceiling(peak))
    body = [_grid(frame, unit), _limit(frame, limit, unit), _start(frame, start)]
    body += [_line(frame, points, index) for index, (_, points) in enumerate(drawn)]
    svg = format_html(
        '<svg class="chart" viewBox="0 0 {} {}" role="img" aria-label="{}">{}</svg>',
        WIDTH, HEIGHT, title, format_html_join("", "{}", ((part,) for part in body)),
    )  # fmt: skip
    return format_html("{}{}", svg, _legend([name for name, _ in drawn], _notes(frame, limit, unit, start)))


def _finite(series: Series) -> list[tuple[int, float]]:
    points = [(p.at_ms, p.value) for p in series.points if math.isfinite(p.value) and p.value >= 0]
    step = max(1, math.ceil(len(points) / MAX_POINTS))
    return [max(points[i : i + step], key=lambda p: p[1]) for i in range(0, len(points), step)]


def _grid(frame: Frame, unit: str) -> SafeString:
    rows = format_html_join(
        "",
        '<line class="grid" x1="{}" x2="{}" y1="{}" y2="{}"/>'
        '<text class="axis" x="{}" y="{}" text-anchor="end">{}</text>',
        (
            (LEFT, WIDTH - RIGHT, y, y, LEFT - 8, y + 4, limited(value, unit))
            for value in (0.0, frame.top / 2, frame.top)
            for y in (frame.y(value),)
        ),
    )
    return format_html("{}{}", rows, _hours(frame))


def _hours(frame: Frame) -> SafeString:
    span = frame.to_ms - frame.from_ms
    pattern = "%H:%M" if span >= 300_000 else "%H:%M:%S"
    marks = [frame.from_ms + span * i // 4 for i in range(5)]
    anchors = ("start", "middle", "middle", "middle", "end")
    return format_html_join(
        "",
        '<text class="axis" x="{}" y="{}" text-anchor="{}">{}</text>',
        (
            (frame.x(at), HEIGHT - 7, anchor, datetime.fromtimestamp(at / 1000, UTC).strftime(pattern))
            for at, anchor in zip(marks, anchors, strict=True)
        ),
    )


def _limit(frame: Frame, limit: float | None, unit: str) -> SafeString:
    if not limit or limit > frame.top:
        return SafeString("")
    y = frame.y(limit)
    return format_html(
        '<line class="limit" x1="{}" x2="{}" y1="{}" y2="{}"/>'
        '<text class="limit-text" x="{}" y="{}" text-anchor="end">{}</text>',
        LEFT, WIDTH - RIGHT, y, y, WIDTH - RIGHT - 2, max(y - 4, 10), limited(limit, unit),
    )  # fmt: skip


def _within(frame: Frame, start: datetime | None) -> bool:
    return start is not None and frame.from_ms <= start.timestamp() * 1000 <= frame.to_ms


def _start(frame: Frame, start: datetime | None) -> SafeString:
    if start is None or not _within(frame, start):
        return SafeString("")
    x = frame.x(start.timestamp() * 1000)
    return format_html(
        '<line class="start" x1="{}" x2="{}" y1="{}" y2="{}"/><text class="start-text" x="{}" y="{}">▲</text>',
        x, x, TOP, HEIGHT - BOTTOM, x - 5, HEIGHT - BOTTOM + 9,
    )  # fmt: skip


def _line(frame: Frame, points: list[tuple[int, float]], index: int) -> SafeString:
    if len(points) == 1:
        at, value = points[0]
        return format_html('<circle class="dot l{}" cx="{}" cy="{}" r="3"/>', index, frame.x(at), frame.y(value))
    path = " ".join(f"{frame.x(at)},{frame.y(value)}" for at, value in points)
    return format_html('<polyline class="line l{}" points="{}"/>', index, path)


def _notes(frame: Frame, limit: float | None, unit: str, start: datetime | None) -> list[str]:
    """What the marks of the chart mean, and the limit that lies outside of it."""
    found = []
    if limit:
        text = gettext("the limit, %s, is the dashed red line") if limit <= frame.top else gettext(
            "the limit, %s, lies above this chart"
        )  # fmt: skip
        found.append(text % spoken(limit, unit, get_language() or "en"))
    if _within(frame, start):
        found.append(gettext("▲ the first alert"))
    return [*found, gettext("times in UTC")]


def _legend(names: list[str], notes: list[str]) -> SafeString:
    named = names if len(names) > 1 or names[0] else []
    keys = format_html_join(
        "",
        '<span><svg viewBox="0 0 26 8" aria-hidden="true">'
        '<line class="l{}" x1="0" x2="26" y1="4" y2="4"/></svg>{}</span>',
        enumerate(named),
    )
    remarks = format_html_join("", "<span>{}</span>", ((note,) for note in notes))
    return format_html('<div class="legend">{}{}</div>', keys, remarks)
