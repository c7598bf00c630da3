"""Real faults on unmodified programs outside the lab, replayed: first cause and entity."""
