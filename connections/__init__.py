"""What is declared: the connections file, its validation, and how it comes into the record."""
