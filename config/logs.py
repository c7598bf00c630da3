"""Logs: one line per event; credentials in the text of an error are removed."""

import logging
from collections.abc import MutableMapping
from typing import Any

import structlog

from domain.redaction import redacted


class Formatter(logging.Formatter):
    """The standard library's lines, tracebacks included."""

    def format(self, record: logging.LogRecord) -> str:
        """The whole line, redacted."""
        return redacted(super().format(record))


def redact(logger: object, method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """A structlog processor that turns every value but numbers into redacted text."""
    return {key: value if isinstance(value, int | float) else redacted(str(value)) for key, value in event.items()}


def configure() -> None:
    """Configure structlog. Tracebacks are plain, as one with local variables would show tokens."""
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            redact,
            structlog.processors.LogfmtRenderer(key_order=["timestamp", "level", "event"], bool_as_flag=False),
        ],
        cache_logger_on_first_use=False,
    )
