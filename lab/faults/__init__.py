"""Faults of real programs; each is a context manager that ends its fault."""
