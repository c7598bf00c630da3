"""What every operation of the schema has in common: its refusals."""

from typing import Any

PROBLEMS = {
    "400": "What was sent does not fit; `errors` names the fields",
    "401": "No token, or one that is unknown or expired",
    "403": "The token's scopes do not include this",
    "404": "There is no such thing",
    "406": "The answer exists as JSON only",
    "409": "Not in this state; `detail` says what to do first",
    "415": "Send application/json",
    "422": "The same Idempotency-Key came with another request",
    "429": "Too many wrong tokens came from this address; Retry-After says when to try again",
}
PROBLEM = {
    "type": "object",
    "required": ["title", "status"],
    "properties": {
        "type": {"type": "string"}, "title": {"type": "string"}, "status": {"type": "integer"},
        "detail": {"type": "string"},
    },
}  # fmt: skip


def with_problems(result: dict[str, Any], **_: Any) -> dict[str, Any]:
    """The schema with every refusal of every operation as application/problem+json."""
    result.setdefault("components", {}).setdefault("schemas", {})["Problem"] = PROBLEM
    content = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
    for operations in result["paths"].values():
        for operation in operations.values():
            for code, description in PROBLEMS.items():
                response = operation["responses"].setdefault(code, {"description": description})
                response.update(description=response.get("description") or description, content=content)
    return result
