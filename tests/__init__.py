"""Tests mirror the rooms; sentences as names."""
