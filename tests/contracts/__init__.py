"""Contracts that more than one implementation keeps."""
