"""The API against its own schema: whatever fits the schema gets an answer that the schema names, and never a 5xx."""

import pytest
import schemathesis
from django.core.signals import request_finished, request_started
from django.db import close_old_connections
from hypothesis import HealthCheck, given, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import content_type_conformance, status_code_conformance

from config.wsgi import application
from web.api.access import SCOPES, add_token

CHECKS = (not_a_server_error, status_code_conformance, content_type_conformance)


@pytest.fixture
def api(incident):
    """As Django's own test client does: the test's transaction outlives a request."""
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)
    loaded = schemathesis.openapi.from_wsgi("/api/schema", application)
    yield loaded, {"Authorization": f"Bearer {add_token('schema', SCOPES)}"}
    for signal in (request_started, request_finished):
        signal.connect(close_old_connections)


def operations() -> list[str]:
    loaded = schemathesis.openapi.from_wsgi("/api/schema", application)
    return sorted(op.ok().label for op in loaded.get_all_operations())


@pytest.mark.parametrize("label", operations())
def test_no_request_that_fits_the_schema_gets_an_answer_that_does_not(api, label: str) -> None:
    loaded, headers = api
    operation = next(op.ok() for op in loaded.get_all_operations() if op.ok().label == label)

    @settings(max_examples=15, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck))
    @given(case=operation.as_strategy())
    def holds(case) -> None:
        case.call_and_validate(headers=headers, checks=CHECKS)

    holds()
