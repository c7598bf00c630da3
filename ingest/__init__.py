"""What comes in, and the order of work."""
