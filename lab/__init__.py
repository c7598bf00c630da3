"""Real faults on real programs, recorded as bundles: the developers' tool, never imported by the product."""
