package main

import (
	"fmt"
	"net/http"
	"os"
	"strconv"
	"time"
)

// serveOrders takes the lab's orders: /set?switch=value, and one route for each strain.
func serveOrders() {
	mux := http.NewServeMux()
	order := func(route string, does func(of func(string) string)) {
		mux.HandleFunc(route, func(w http.ResponseWriter, r *http.Request) {
			does(r.URL.Query().Get)
			fmt.Fprintln(w, "done")
		})
	}
	mux.HandleFunc("/set", func(_ http.ResponseWriter, r *http.Request) {
		for name, values := range r.URL.Query() {
			set(name, values[0])
		}
	})
	order("/hold", func(of func(string) string) { go holdLock(span(of("for"))) })
	order("/contend", func(of func(string) string) { contend(count(of("goroutines")), span(of("hold"))) })
	order("/leak", func(of func(string) string) { go leak(float(of("rate"))) })
	order("/grow", func(of func(string) string) { go grow(float(of("mib"))) })
	order("/keep", func(of func(string) string) { go keep(count(of("mib"))) })
	order("/burn", func(of func(string) string) { burn(count(of("goroutines"))) })
	order("/leak-connections", func(of func(string) string) { leakConnections(count(of("count"))) })
	order("/exit", func(of func(string) string) { go exitSoon(count(of("code"))) })
	order("/load", func(of func(string) string) {
		load(of("name"), of("url"), float(of("rate")), of("fresh") != "")
	})
	_ = http.ListenAndServe(":9103", mux)
}

func holdLock(wait time.Duration) {
	lock.Lock()
	defer lock.Unlock()
	time.Sleep(wait)
}

func exitSoon(code int) {
	time.Sleep(200 * time.Millisecond)
	os.Exit(code)
}

func span(said string) time.Duration {
	value, _ := time.ParseDuration(said)
	return value
}

func float(said string) float64 {
	value, _ := strconv.ParseFloat(said, 64)
	return value
}

func count(said string) int { return int(float(said)) }
