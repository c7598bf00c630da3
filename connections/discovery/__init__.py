"""Discovery: what a Prometheus-compatible server shows, as declarations with their proofs, or held against a file."""
