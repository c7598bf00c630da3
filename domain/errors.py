"""Errors that decide what happens next: try again, show and stop, or park."""


class ProductError(Exception):
    """Base of all expected errors; its text is one sentence that names the thing and the remedy."""


class Unreachable(ProductError):
    """The other side did not answer (transport, timeout, 5xx, 429): trying again later may help.

    `retry_after_s` is how long the other side asked to wait, 0 when it did not say.
    """

    def __init__(self, reason: str, retry_after_s: float = 0.0) -> None:
        super().__init__(reason)
        self.retry_after_s = retry_after_s


class NotYet(Unreachable):
    """The other side is well, but this one thing is not there yet: only this has to wait, nothing else does."""


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
