"""The knowledge graph: its schema, its queries, its store and the embedded server."""
