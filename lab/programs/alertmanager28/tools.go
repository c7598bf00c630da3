//go:build tools

// Package alertmanager28 pins Alertmanager 0.28 for the lab's stage; nothing imports it.
package alertmanager28

import _ "github.com/prometheus/alertmanager/cmd/alertmanager"
