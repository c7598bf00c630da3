"""Declared connections: the connections file, its validation, and writing it to the record."""
