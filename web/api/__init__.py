"""What programs see: the API under /api/v1/."""
