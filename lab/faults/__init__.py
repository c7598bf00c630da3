"""Ways to break a real program, each a context that ends cleanly."""
