"""Tests on real upstream programs, run by make test-real."""
