"""Runs a declared target's own check."""

import structlog
from django.utils import timezone

from domain.errors import ProductError
from domain.text import Text
from notify.targets import Target
from notify.transport import transport_to
from tickets.problems import problem_of
from tickets.system import Problem

CHECK_S = 20.0
FAULT = Text("The check itself failed ({kind}); see the log.")
log = structlog.get_logger()


def check(target: Target) -> tuple[Problem, ...]:
    """The problems of the target, none when it works; never raises."""
    try:
        with transport_to(target, timezone.now(), CHECK_S) as transport:
            return tuple(target.system.check(transport))
    except ProductError as error:
        return (problem_of(error),)
    except Exception as error:  # the page must open whatever a check does
        log.exception("check_failed", target=target.name)
        return (Problem(FAULT.format(kind=type(error).__name__)),)
