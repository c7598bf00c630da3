"""Real programs in scratch folders on free loopback ports."""
