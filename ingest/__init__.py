"""What comes in: the HTTP doors, the alert sources, missed events that are fetched, and the watcher."""
