"""What could be wrong: the catalogue of causes and their ranking."""
