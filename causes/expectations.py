"""What the catalogue's weights expect to see under each cause, for the training of the small classifier."""

from causes.catalogue import all_causes
from causes.cause import Cause, Condition
from ml.train import Expectation

# The sign of the log-odds that the measure is seen.
SIGNS = {Condition.SEEN: 1.0, Condition.NOT_SEEN: -1.0}
# A weaker term still expects its measure with these log-odds, in nats.
LEAST_LOG_ODDS = 0.5


def expectations() -> list[Expectation]:
    """One per cause, in slug order; terms on values are left out, as the vector only knows seen and not seen."""
    return [Expectation(cause.slug, _log_odds(cause)) for cause in all_causes().values()]


def _log_odds(cause: Cause) -> tuple[tuple[str, float], ...]:
    """Log-odds in nats by measure that it is seen under this cause."""
    terms = [term for term in cause.terms if term.when in SIGNS]
    return tuple((term.measure, SIGNS[term.when] * max(term.supports, LEAST_LOG_ODDS)) for term in terms)
