"""What we remember: the knowledge graph."""
