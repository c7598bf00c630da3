"""Forms in which several senders write alerts, and the envelope in which messages come by SNS. Pure."""
