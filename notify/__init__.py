"""What goes out, and what comes back from there: tickets, chats and comments, and the events of ticket systems."""
