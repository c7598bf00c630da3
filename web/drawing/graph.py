"""Draws an incident's neighbourhood in four columns: alerts, entities, the incident, causes and similar incidents."""

from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlencode

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from domain.entities import KIND_NAMES
from domain.snapshot import IncidentSnapshot
from domain.verdict import Verdict
from web.drawing.values import percent

BOX_WIDTH, BOX_HEIGHT = 196, 44
COLUMN, ROW = 232, 56
# Above the boxes stands what each column holds.
MARGIN, HEADING = 8, 22
MAX_PER_COLUMN = 6


@dataclass(frozen=True, slots=True)
class Node:
    """One box. `kind` is its style and small caption; `link` may be empty."""

    id: str
    kind: str
    caption: str
    title: str
    column: int
    link: str = ""


@dataclass(frozen=True, slots=True)
class Picture:
    """Boxes and the arrows between them, by node id; `more` counts what was left out per column."""

    nodes: tuple[Node, ...]
    edges: tuple[tuple[str, str], ...]
    more: int = 0


def picture_of(incident: IncidentSnapshot, verdict: Verdict | None, language: str) -> Picture:
    """What belongs into the picture: at most six boxes a column, the rest is counted."""
    alerts = [Node(f"a{a.id}", "alert", a.source, a.title or a.name, 0) for a in incident.alerts]
    entities = [
        Node(e.key, "entity", KIND_NAMES[e.kind].in_language(language), e.name, 1, f"/?{urlencode({'entity': e.name})}")
        for e in incident.entities
    ]
    middle = Node("i", "incident", f"#{incident.number}", incident.title, 2)
    right = _right(verdict, language)
    nodes = [*alerts[:MAX_PER_COLUMN], *entities[:MAX_PER_COLUMN], middle, *right[:MAX_PER_COLUMN]]
    known = {node.id for node in nodes}
    edges = [(f"a{a.id}", key) for a in incident.alerts for key in a.entities]
    edges += [(key.key, "i") for key in incident.entities]
    edges += [("i", node.id) for node in right]
    kept = tuple(edge for edge in edges if set(edge) <= known)
    more = max(0, len(alerts) - MAX_PER_COLUMN) + max(0, len(entities) - MAX_PER_COLUMN)
    return Picture(tuple(nodes), kept, more)


def _right(verdict: Verdict | None, language: str) -> list[Node]:
    if verdict is None:
        return []
    causes = [
        Node(f"c{c.cause}", "cause", percent(c.probability), c.title.in_language(language), 3, f"#cause-{c.cause}")
        for c in verdict.causes[:3]
    ]
    similar = [
        Node(f"s{s.incident}", "similar", f"≈ {percent(s.score)}", s.title, 3, f"/incidents/{s.incident}/")
        for s in verdict.similar[:3]
    ]
    return causes + similar


def draw(picture: Picture, title: str, headings: Sequence[str], more: str = "") -> SafeString:
    """The picture as `<svg>`; boxes with a link are links. `headings` name the columns that hold something.

    `more` says how much was left out, and stands below.
    """
    columns = [[n for n in picture.nodes if n.column == c] for c in range(4)]
    rows = max(len(column) for column in columns)
    places = {
        node.id: (MARGIN + c * COLUMN, MARGIN + HEADING + round((rows - len(column)) * ROW / 2) + i * ROW)
        for c, column in enumerate(columns)
        for i, node in enumerate(column)
    }
    width, height = MARGIN * 2 + 3 * COLUMN + BOX_WIDTH, MARGIN * 2 + HEADING + rows * ROW - (ROW - BOX_HEIGHT)
    return format_html(
        '<svg class="graph" viewBox="0 0 {} {}" role="img" aria-label="{}">{}{}{}{}</svg>',
        width, height + (HEADING if more else 0), title,
        format_html_join("", '<text class="column" x="{}" y="{}">{}</text>', (
            (MARGIN + c * COLUMN, MARGIN + 10, name) for c, name in enumerate(headings) if columns[c]
        )),
        format_html_join("", "{}", ((_edge(places[a], places[b]),) for a, b in picture.edges)),
        format_html_join("", "{}", ((_box(node, *places[node.id]),) for node in picture.nodes)),
        format_html('<text class="column" x="{}" y="{}">{}</text>', MARGIN, height + 8, more) if more else "",
    )  # fmt: skip


def _edge(start: tuple[int, int], end: tuple[int, int]) -> SafeString:
    x1, y1, x2, y2 = start[0] + BOX_WIDTH, start[1] + BOX_HEIGHT // 2, end[0], end[1] + BOX_HEIGHT // 2
    middle = (x1 + x2) // 2
    return format_html('<path class="edge" d="M{} {}C{} {} {} {} {} {}"/>', x1, y1, middle, y1, middle, y2, x2, y2)


def _box(node: Node, x: int, y: int) -> SafeString:
    drawn = format_html(
        '<g class="{}"><title>{}</title><rect class="box" x="{}" y="{}" width="{}" height="{}" rx="8"/>'
        '<text class="kind" x="{}" y="{}">{}</text><text x="{}" y="{}">{}</text></g>',
        node.kind, node.title, x, y, BOX_WIDTH, BOX_HEIGHT,
        x + 10, y + 16, shortened(node.caption, 30), x + 10, y + 34, shortened(node.title, 24),
    )  # fmt: skip
    return format_html('<a href="{}">{}</a>', node.link, drawn) if node.link else drawn


def shortened(text: str, width: int = 28) -> str:
    """The text cut to `width` columns; a Chinese character counts as two."""
    kept, used = "", 0
    for letter in text:
        used += 2 if ord(letter) > 0x2E7F else 1
        if used > width:
            return kept + "…"
        kept += letter
    return kept
