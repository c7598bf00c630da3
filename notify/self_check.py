"""Asks a told target's own check what keeps it from working."""

import structlog
from django.utils import timezone

from domain.errors import ProductError
from domain.text import Text
from notify.targets import Target
from notify.transport import transport_to
from tickets.faults import trouble_of
from tickets.system import Problem

CHECK_S = 20.0
FAULT = Text("The check itself failed ({kind}); see the log.", "检查本身失败（{kind}）；请查看日志。")
log = structlog.get_logger()


def check(addressee: Target) -> tuple[Problem, ...]:
    """What is wrong, in sentences; nothing when all is well."""
    try:
        with transport_to(addressee, timezone.now(), CHECK_S) as means:
            return tuple(addressee.system.check(means))
    except ProductError as error:
        return (trouble_of(error),)
    except Exception as error:  # the page must open whatever a check does
        log.exception("check_failed", target=addressee.name)
        return (Problem(FAULT.format(kind=type(error).__name__)),)
