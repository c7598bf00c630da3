package main

import (
	"fmt"
	"math/rand"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"
)

var (
	lock    sync.Mutex
	started = time.Now()
)

// routes: four for probes, two of the business; /items shares nothing with the others.
func routes() http.Handler {
	mux := http.NewServeMux()
	for _, route := range []string{"/healthz", "/readyz", "/livez", "/startupz"} {
		mux.HandleFunc(route, counted(route, probe))
	}
	mux.HandleFunc("/work", counted("/work", work))
	mux.HandleFunc("/items", counted("/items", func(w http.ResponseWriter, r *http.Request) {
		if misbehaves(w, r, "all_") {
			return
		}
		time.Sleep(duration("items_latency") + 2*time.Millisecond)
		spend(duration("work_cpu"))
		fmt.Fprintln(w, "items")
	}))
	return mux
}

// probe answers as the switches tell: `uses` (of the route, else of all) names what it needs before it answers.
func probe(w http.ResponseWriter, r *http.Request) {
	name := strings.TrimPrefix(r.URL.Path, "/")
	if misbehaves(w, r, "all_") || misbehaves(w, r, "") {
		return
	}
	if wait := duration("serve_after"); wait > 0 && time.Since(started) < wait {
		http.Error(w, "still loading", http.StatusServiceUnavailable)
		return
	}
	if on("draining") && name != "livez" {
		http.Error(w, "draining", http.StatusServiceUnavailable)
		return
	}
	if needs := text("needs"); needs != "" && name != "livez" && !onceAnswered(needs) {
		http.Error(w, "waiting for "+needs, http.StatusServiceUnavailable)
		return
	}
	uses := text("uses")
	if own := text("uses_" + name); own != "" {
		uses = own
	}
	if err := use(r, uses); err != nil {
		http.Error(w, err.Error(), http.StatusServiceUnavailable)
		return
	}
	time.Sleep(varied(duration("probe_latency")))
	notifySubscribers()
	spend(duration("probe_cpu"))
	fmt.Fprintln(w, "ok")
}

func work(w http.ResponseWriter, r *http.Request) {
	if misbehaves(w, r, "all_") {
		return
	}
	if err := use(r, text("work_uses")); err != nil {
		http.Error(w, err.Error(), http.StatusServiceUnavailable)
		return
	}
	time.Sleep(varied(duration("work_latency")))
	if on("subscribers") {
		notifySubscribers()
	}
	waste(number("work_waste"))
	spend(duration("work_cpu"))
	fmt.Fprintln(w, "done")
}

// use waits for each named resource in turn: lock, pool, dependency.
func use(r *http.Request, names string) error {
	for _, name := range strings.Split(names, ",") {
		switch name {
		case "lock":
			lock.Lock()
			time.Sleep(duration("lock_hold"))
			lock.Unlock()
		case "pool":
			if err := query(r.Context()); err != nil {
				return err
			}
		case "dependency":
			if err := callDependency(r.Context()); err != nil {
				return err
			}
		}
	}
	return nil
}

// misbehaves answers in a wrong way when a switch with this prefix tells so.
func misbehaves(w http.ResponseWriter, r *http.Request, prefix string) bool {
	switch {
	case number(prefix+"status") > 0:
		http.Error(w, "refused by policy", int(number(prefix+"status")))
	case on(prefix + "redirect"):
		http.Redirect(w, r, r.URL.Path, http.StatusFound)
	case on(prefix + "abort"):
		panic(http.ErrAbortHandler)
	case on(prefix + "reset"):
		reset(w)
	case on(prefix + "body_stall"):
		w.Header().Set("Content-Length", "4096")
		fmt.Fprintln(w, "the beginning")
		_ = http.NewResponseController(w).Flush()
		select {
		case <-r.Context().Done():
		case <-time.After(time.Minute):
		}
	default:
		return false
	}
	return true
}

// reset closes the connection so that the peer gets RST and not FIN.
func reset(w http.ResponseWriter) {
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		return
	}
	if tcp, ok := conn.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0)
	}
	_ = conn.Close()
}

// varied is the duration, a quarter less to a quarter more.
func varied(base time.Duration) time.Duration {
	return time.Duration(float64(base) * (0.75 + rand.Float64()/2))
}
