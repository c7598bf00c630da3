"""What we tell: the report and the systems it goes to."""
