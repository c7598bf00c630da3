"""Measures how often the ranking is right, on recorded incidents whose true cause is known."""
