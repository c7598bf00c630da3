"""What an alert is about: its subject, who only reports it, and its family. Pure; the knowledge is data."""
