"""The rooms as a drawing and as a table, made from the imports and the docstrings: `python -m tools.rooms`.

It writes what stands between the marks in docs/how-it-works.md and CONTRIBUTING.md; a test holds both to the code.
"""

import ast
import re
import tomllib
from pathlib import Path

import grimp

ROOT = Path(__file__).parents[1]
BEGIN, END = "<!-- {}: made by python -m tools.rooms -->", "<!-- end of {} -->"
PAGES = {"docs/how-it-works.md": "drawing of the rooms", "CONTRIBUTING.md": "map of the rooms"}


def floors() -> list[list[str]]:
    """The rooms from the top floor to the lowest, as the import contract names them."""
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["importlinter"][
        "contracts"
    ]
    layers = next(c["layers"] for c in contracts if c["name"] == "Imports run downstairs only")
    return [[room.strip() for room in layer.split("|")] for layer in layers]


def arrows() -> list[tuple[str, str]]:
    """Which room imports which, without what follows from two other arrows."""
    rooms = [room for floor in floors() for room in floor]
    graph = grimp.build_graph(*rooms, cache_dir=None)
    direct = {(a, b) for a in rooms for b in rooms if a != b and _imports(graph, a, b)}
    reach = _closure(direct, rooms)
    longer = {(a, c) for a, b in direct for c in rooms if (b, c) in reach}
    return sorted(direct - longer)


def _imports(graph: grimp.ImportGraph, above: str, below: str) -> bool:
    inside = graph.find_descendants(above) | {above}
    return any(imported == below or imported.startswith(f"{below}.")
               for module in inside for imported in graph.find_modules_directly_imported_by(module))  # fmt: skip


def _closure(direct: set[tuple[str, str]], rooms: list[str]) -> set[tuple[str, str]]:
    reach = set(direct)
    for middle in rooms:
        reach |= {(a, c) for a in rooms for c in rooms if (a, middle) in reach and (middle, c) in reach}
    return reach


def drawing() -> str:
    """A Mermaid flow chart: one box for each floor, an arrow for each import that no other arrows imply."""
    lines = ["```mermaid", "flowchart TB"]
    for number, floor in enumerate(floors()):
        lines += [f"  subgraph floor{number}[ ]", *(f"    {room}" for room in floor), "  end"]
    return "\n".join([*lines, *(f"  {above} --> {below}" for above, below in arrows()), "```"])


def sentence(module: Path) -> str:
    """The first sentence of a module's docstring."""
    text = ast.get_docstring(ast.parse(module.read_text(encoding="utf-8"))) or ""
    return re.split(r"(?<=\.)\s", " ".join(text.split()), maxsplit=1)[0].rstrip(".") + "."


def room_map() -> str:
    """A table of all rooms with the files in each."""
    rows = ["| room | what it holds | files |", "|---|---|---|"]
    for room in (room for floor in floors() for room in floor):
        folder = ROOT / room
        files = sorted(p.stem for p in folder.glob("*.py") if p.stem not in {"__init__", "apps"})
        folders = sorted(f"{p.parent.name}/" for p in folder.glob("*/__init__.py") if p.parent.name != "migrations")
        names = ", ".join(f"`{name}`" for name in [*folders, *files])
        rows.append(f"| `{room}/` | {sentence(folder / '__init__.py')} | {names} |")
    return "\n".join(rows)


def with_made(page: str, text: str) -> str:
    """The page's text with the made part as the code is now."""
    name = PAGES[page]
    begin, end = BEGIN.format(name), END.format(name)
    made = drawing() if page.startswith("docs/") else room_map()
    pattern = re.compile(f"{re.escape(begin)}.*?{re.escape(end)}", re.DOTALL)
    return pattern.sub(lambda _: f"{begin}\n\n{made}\n\n{end}", text)


def main() -> None:
    """Write both pages anew."""
    for page in PAGES:
        path = ROOT / page
        path.write_text(with_made(page, path.read_text(encoding="utf-8")), encoding="utf-8")


if __name__ == "__main__":
    main()
