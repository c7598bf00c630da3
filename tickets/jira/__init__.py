"""How an incident gets into Jira and back, Cloud and Data Center; `tickets.systems.jira` is its door."""
