"""Errors that decide what happens next: try again, show and stop, or park."""

from domain.text import Text


class ProductError(Exception):
    """Base of all expected errors; its reason is one sentence that names the thing and the remedy.

    A reason that pages and tickets show is given as a Text, and `message` is in every language then.
    """

    def __init__(self, reason: str | Text = "") -> None:
        super().__init__(str(reason))
        self._reason = reason

    @property
    def message(self) -> Text:
        """The sentence in both languages; one that is there in English alone keeps its words."""
        return (
            self._reason
            if isinstance(self._reason, Text)
            else Text("{reason}", context="why a query failed", reason=str(self))
        )


class Unreachable(ProductError):
    """The other side did not answer (transport, timeout, 5xx, 429): trying again later may help.

    `retry_after_s` is how long the other side asked to wait, 0 when it did not say.
    """

    def __init__(self, reason: str | Text, retry_after_s: float = 0.0) -> None:
        super().__init__(reason)
        self.retry_after_s = retry_after_s


class NotYet(Unreachable):
    """The other side is well, but this one thing is not there yet: only this has to wait, nothing else does."""


class Refused(ProductError):
    """The other side answered and said no (4xx, permission): trying again does not help."""


class Malformed(ProductError):
    """What came cannot be understood. `field` names the offending place, empty if it is the whole."""

    def __init__(self, reason: str | Text, field: str = "") -> None:
        super().__init__(f"{field}: {reason}" if field else reason)
        self.field = field
        self.reason = str(reason)


class NotRecorded(ProductError):
    """A replay was asked a question that has no recorded answer."""
