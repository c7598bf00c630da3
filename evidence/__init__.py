"""What we ask of the infrastructure, and how the answers are kept."""
