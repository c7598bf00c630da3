"""No query leaves the dialect that both servers understand in the same way."""

import re
from pathlib import Path

import pytest

from graph import queries
from graph.cypher import Query

GRAPH = Path(__file__).parents[2] / "graph"

# Each was seen to fail on one server or, worse, to answer wrongly without an error.
DENIED = {
    "APOC is not there": r"\bapoc\.",
    "no vector index by Cypher": r"VECTOR\s+INDEX",
    "no full-text index by Cypher": r"FULLTEXT",
    "no path selectors": r"\bSHORTEST\s",
    "no version prefix": r"^\s*CYPHER\b",
    "numeric ids differ": r"(?<![\w.])(id|elementId)\(",
    "an aggregate in a map projection gives a record without columns": r"\b\w+\s*\{[^}]*\b"
    r"(collect|count|sum|avg|min|max)\(",
    "no temporal values": r"\b(datetime|date|time|localdatetime|localtime|duration|timestamp)\(",
    "names of indexes differ": r"SHOW\s+INDEX",
    "no existence constraints": r"IS\s+NOT\s+NULL|NODE\s+KEY",
    "labels are set at creation": r"(SET|REMOVE)\s+\w+\s*:",
    "averages of big integers differ": r"\bavg\(",
}


@pytest.mark.parametrize("query", queries.ALL, ids=lambda query: query.name)
def test_a_query_uses_nothing_that_is_denied(query: Query) -> None:
    for reason, pattern in DENIED.items():
        assert not re.search(pattern, query.text, re.IGNORECASE), reason


def test_the_deny_list_finds_what_it_is_for() -> None:
    examples = (
        *("CALL apoc.do()", "CREATE VECTOR INDEX x", "CREATE FULLTEXT INDEX x", "MATCH p = SHORTEST 1 ()"),
        *("CYPHER 5 RETURN 1", "RETURN id(n)", "RETURN n {.id, xs: collect(m.id)}", "RETURN datetime($x)"),
        *("SHOW INDEXES", "REQUIRE n.id IS NOT NULL", "SET n:Pod", "RETURN avg(n.x)"),
    )
    for pattern, example in zip(DENIED.values(), examples, strict=True):
        assert re.search(pattern, example, re.IGNORECASE), example


def test_names_of_queries_are_unique() -> None:
    names = [query.name for query in queries.ALL]
    assert len(names) == len(set(names))


def test_the_declared_parameters_are_those_of_the_text() -> None:
    for query in queries.ALL:
        assert set(re.findall(r"\$(\w+)", query.text)) == set(query.parameters), query.name


def test_cypher_stands_in_two_files_only() -> None:
    written = re.compile(r"\b(MATCH|MERGE|UNWIND)\b.*[({]")
    found = {file.name for file in GRAPH.glob("*.py") if written.search(file.read_text())}
    assert found == {"cypher.py", "queries.py"}
