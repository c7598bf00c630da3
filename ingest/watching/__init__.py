"""Watches declared Kubernetes clusters: groups events into alerts and reports them as deliveries."""
