"""Investigates one incident: collects evidence, finds similar incidents, ranks causes, and records everything."""
