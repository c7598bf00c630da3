"""What is published of Jira's shapes: documents against Atlassian's ADF schema, bodies against those of jira.js."""

import json
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema_rs

SCHEMAS = Path(__file__).parent / "schemas"


@cache
def _document() -> Any:
    return jsonschema_rs.Draft4Validator(json.loads((SCHEMAS / "adf.json").read_text()))


@cache
def _shape(name: str) -> Any:
    return jsonschema_rs.Draft202012Validator(json.loads((SCHEMAS / "jira.json").read_text())[name])


def shape_fault(name: str, body: Any) -> str:
    """Why a body is not of the named shape; empty when it is."""
    error = next(_shape(name).iter_errors(body), None)
    return f"{name} at {list(error.instance_path)}: {error.message}" if error else ""


def document_fault(document: Any) -> str:
    """Why this is no ADF document; empty when it is."""
    if not isinstance(document, dict):
        return "not an ADF object"
    error = next(_document().iter_errors(document), None)
    return f"at {list(error.instance_path)}: {error.message[:200]}" if error else ""


def text_of(document: Any) -> str:
    """The text form of a document, as Jira counts it and as searches see it."""
    if isinstance(document, str):
        return document
    if not isinstance(document, dict):
        return ""
    inner = "".join(text_of(child) for child in document.get("content", ()))
    ends = "\n" if document.get("type") in {"paragraph", "heading", "codeBlock"} else ""
    return str(document.get("text", "")) + inner + ends


def document_of(text: str) -> dict[str, Any]:
    """A text as the plainest document."""
    content = [{"type": "paragraph", "content": [{"type": "text", "text": text}]}] if text else []
    return {"type": "doc", "version": 1, "content": content}


def units(text: str) -> int:
    """Length as Java counts it: UTF-16 code units."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2
