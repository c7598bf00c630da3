"""A stage whose pods run unmodified upstream software, monitored as kube-prometheus does it."""
