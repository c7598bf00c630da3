"""What the catalogue's weights expect to see under each cause, for the training of the small classifier."""

from causes.catalogue import all_causes
from causes.cause import Cause, Condition
from ml.train import Expectation


def expectations() -> list[Expectation]:
    """One per cause, in slug order; terms on values are left out, as the vector only knows seen and not seen."""
    return [Expectation(c.slug, _odds(c)) for c in all_causes().values()]


def _odds(cause: Cause) -> tuple[tuple[str, float], ...]:
    sign = {Condition.SEEN: 1.0, Condition.NOT_SEEN: -1.0}
    return tuple((t.measure, sign[t.when] * max(t.supports, 0.5)) for t in cause.terms if t.when in sign)
