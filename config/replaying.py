"""Replays with the alert sources of this version; the rooms `ingest` and `investigate` do not import each other."""

from evidence.bundles import Bundle
from ingest.sources import all_sources
from investigate.replay import Replayed, replay


def replayed(bundle: Bundle) -> Replayed:
    """The replayed incident with the verdict of this version. Raises Malformed."""
    return replay(bundle, all_sources())
