//go:build tools

// Package ksm pins kube-state-metrics for the lab's node; nothing imports it.
package ksm

import _ "k8s.io/kube-state-metrics/v2/pkg/app"
