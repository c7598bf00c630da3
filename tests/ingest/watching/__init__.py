"""The watcher of Kubernetes clusters."""
