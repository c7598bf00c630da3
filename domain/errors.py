"""The expected errors; their types decide what happens next: retry, show and stop, or park."""

from domain.text import Text


class ProductError(Exception):
    """Base of all expected errors; the reason is one sentence that names the object and the remedy.

    A reason that pages and tickets show is a Text, so that `message` has every language.
    """

    def __init__(self, reason: str | Text = "") -> None:
        super().__init__(str(reason))
        self._reason = reason

    @property
    def message(self) -> Text:
        """The sentence in every language; a reason in English alone is quoted in the others."""
        if isinstance(self._reason, Text):
            return self._reason
        return Text("{reason}", context="why a query failed", reason=str(self))


class Unreachable(ProductError):
    """The other side did not answer (transport, timeout, 5xx, 429): a retry may help.

    `retry_after_s` is how long the other side asked to wait, 0 when it did not.
    """

    def __init__(self, reason: str | Text, retry_after_s: float = 0.0) -> None:
        super().__init__(reason)
        self.retry_after_s = retry_after_s


class NotYet(Unreachable):
    """The other side answers, but one object is not there yet: only requests about this object have to wait."""


class Refused(ProductError):
    """The other side answered with a refusal (4xx, permission): a retry does not help."""


class Malformed(ProductError):
    """The input cannot be decoded. `field` names the faulty part, empty if it is the whole."""

    def __init__(self, reason: str | Text, field: str = "") -> None:
        super().__init__(f"{field}: {reason}" if field else reason)
        self.field = field
        self.reason = str(reason)


class NotRecorded(ProductError):
    """A replay needed an answer that was not recorded: nobody asked then."""

    WHY = Text("{connection}: {path} was not recorded")
