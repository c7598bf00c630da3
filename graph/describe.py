"""The schema in Markdown: `python -m graph.describe` writes it between the marks of docs/graph.md."""

import re
import sys
from pathlib import Path

from graph import schema

BEGIN, END = "<!-- schema: made by python -m graph.describe -->", "<!-- end of schema -->"


def schema_text() -> str:
    """All nodes and relations as tables."""
    return "\n".join([*(_node(node) for node in schema.NODES), _relations()])


def with_schema(document: str) -> str:
    """The document with the text between its marks replaced by the schema."""
    pattern = re.compile(f"{re.escape(BEGIN)}.*?{re.escape(END)}", re.DOTALL)
    return pattern.sub(lambda _: f"{BEGIN}\n\n{schema_text()}\n{END}", document)


def _node(node: schema.Node) -> str:
    second = f" Second label: {', '.join(node.second_labels)}." if node.second_labels else ""
    lines = [f"### {node.label}", "", f"{node.description}.{second}", ""]
    lines += ["| property | type | what it is |", "|---|---|---|", f"| `id` | string | {node.key}; unique |"]
    return "\n".join([*lines, *(_property_row(prop) for prop in node.properties), ""])


def _property_row(prop: schema.Property) -> str:
    return f"| `{prop.name}` | {prop.kind.value} | {prop.description} |"


def _relations() -> str:
    lines = ["### Relations", "", "| relation | what it says | properties |", "|---|---|---|"]
    for relation in schema.RELATIONS:
        properties = "; ".join(f"`{p.name}` {p.description}" for p in relation.properties)
        lines.append(f"| `{relation.arrow}` | {relation.description} | {properties} |")
    return "\n".join([*lines, ""])


if __name__ == "__main__":
    target = Path(sys.argv[1] if len(sys.argv) > 1 else "docs/graph.md")
    target.write_text(with_schema(target.read_text(encoding="utf-8")), encoding="utf-8")
