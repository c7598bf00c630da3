//go:build tools

// Package prometheus3 pins Prometheus 3 for the lab's stage; nothing imports it.
package prometheus3

import _ "github.com/prometheus/prometheus/cmd/prometheus"
