"""Tests of the developers' stage, as far as they need no upstream program."""
