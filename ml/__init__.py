"""What is unusual, and what was learnt."""
