"""Benchmarks; most figures are ratios within one interleaved run, so that the machine's speed cancels out."""
