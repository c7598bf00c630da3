"""A replay with the alert sources of this version: the two rooms that it needs do not know each other."""

from evidence.bundles import Bundle
from ingest.sources import all_sources
from investigate.replay import Replayed, replay


def replayed(bundle: Bundle) -> Replayed:
    """The recorded incident, and what is said of it today. Raises Malformed."""
    return replay(bundle, all_sources())
