"""Follows declared Kubernetes clusters: what is seen, how it is folded, who may tell it, and the process around it."""
