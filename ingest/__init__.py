"""What comes in: the doors, the sources, what is fetched and what is watched."""
