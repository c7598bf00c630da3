"""Checks and pages of the developers, made from the code; the product never imports this room."""
