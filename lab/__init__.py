"""Makes real faults on real programs and records them as bundles: a tool of the developers, not part of the product."""
