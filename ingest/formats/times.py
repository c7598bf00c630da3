"""Times as senders write them."""

from datetime import UTC, datetime

# Times outside these years are a sender's zero value or an error; arithmetic on them would overflow.
YEARS = range(1971, 9000)


def aware(time: datetime) -> datetime:
    """The time in UTC; one without a zone counts as UTC."""
    return time.replace(tzinfo=UTC) if time.tzinfo is None else time.astimezone(UTC)
