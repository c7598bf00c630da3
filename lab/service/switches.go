package main

import (
	"os"
	"strconv"
	"strings"
	"sync"
	"time"
)

var switches sync.Map

// readSwitches takes SW_NAME=value of the environment as name=value.
func readSwitches() {
	for _, pair := range os.Environ() {
		if name, value, found := strings.Cut(pair, "="); found && strings.HasPrefix(name, "SW_") {
			set(strings.ToLower(strings.TrimPrefix(name, "SW_")), value)
		}
	}
}

func set(name, value string) { switches.Store(name, value) }

// text is empty for a switch that was not set.
func text(name string) string {
	value, _ := switches.Load(name)
	said, _ := value.(string)
	return said
}

func on(name string) bool { return text(name) != "" && text(name) != "0" }

func number(name string) float64 {
	value, _ := strconv.ParseFloat(text(name), 64)
	return value
}

func duration(name string) time.Duration {
	value, _ := time.ParseDuration(text(name))
	return value
}
