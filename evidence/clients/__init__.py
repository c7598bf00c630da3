"""Thin clients over the one recording transport."""
