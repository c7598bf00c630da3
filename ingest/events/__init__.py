"""Groups of Kubernetes events: the message that reports one, the kinds of failure, and what an alert of it is about."""
