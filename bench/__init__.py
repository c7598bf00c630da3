"""Figures of speed, each a ratio within one interleaved run."""
