"""Errors that decide what happens next: try again, show and stop, or park."""


class ProductError(Exception):
    """Base of all expected errors; its text is one sentence that names the thing and the remedy."""


class Unreachable(ProductError):
    """The other side did not answer (transport, timeout, 5xx): trying again later may help."""


class Refused(ProductError):
    """The other side answered and said no (4xx, permission): trying again does not help."""


class Malformed(ProductError):
    """What came cannot be understood. `field` names the offending place, empty if it is the whole."""

    def __init__(self, reason: str, field: str = "") -> None:
        super().__init__(f"{field}: {reason}" if field else reason)
        self.field = field
        self.reason = reason


class NotRecorded(ProductError):
    """A replay was asked a question that has no recorded answer."""
