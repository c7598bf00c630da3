"""The report, and the systems that it is sent to."""
