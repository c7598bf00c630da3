"""What people see: one module per page."""
