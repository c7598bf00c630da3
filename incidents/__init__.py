"""The record: models, all writes, all reads."""
