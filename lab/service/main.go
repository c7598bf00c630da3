// The lab's Go service: a probe target with switches for ways of failing, and the metrics of a Go program.
//
// Switches (environment): LISTEN_AFTER (duration before it listens), NO_ACCEPT (listens, queue of one, never
// accepts after it was told to). Routes: /healthz waits for the same lock as /work; /hold?for=20s holds it, as a
// slow dependency would; /stop-accepting closes the door; /metrics stays on its own port.
package main

import (
	"fmt"
	"net"
	"net/http"
	"os"
	"runtime"
	"runtime/debug"
	"sort"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

var (
	lock      sync.Mutex
	requests  sync.Map
	inFlight  atomic.Int64
	startTime = float64(time.Now().UnixNano()) / 1e9
	buckets   = []float64{0.005, 0.05, 0.25, 1, 2.5, 5, 10}
	latency   = make([]atomic.Int64, 8)
	latencyMs atomic.Int64
)

func main() {
	go serveMetrics()
	if wait, err := time.ParseDuration(os.Getenv("LISTEN_AFTER")); err == nil {
		fmt.Println("warming up for", wait)
		time.Sleep(wait)
	}
	if os.Getenv("NO_ACCEPT") != "" {
		refuseToAccept()
	}
	mux := http.NewServeMux()
	mux.HandleFunc("/healthz", counted("/healthz", func(w http.ResponseWriter, _ *http.Request) {
		lock.Lock()
		defer lock.Unlock()
		fmt.Fprintln(w, "ok")
	}))
	mux.HandleFunc("/work", counted("/work", func(w http.ResponseWriter, _ *http.Request) {
		lock.Lock()
		defer lock.Unlock()
		fmt.Fprintln(w, "done")
	}))
	mux.HandleFunc("/hold", counted("/hold", func(w http.ResponseWriter, r *http.Request) {
		wait, err := time.ParseDuration(r.URL.Query().Get("for"))
		if err != nil {
			http.Error(w, "for=DURATION", http.StatusBadRequest)
			return
		}
		lock.Lock()
		defer lock.Unlock()
		time.Sleep(wait)
		fmt.Fprintln(w, "held")
	}))
	if err := http.ListenAndServe(":8080", mux); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// refuseToAccept listens with a queue of one, serves through a plain accept loop for a while, then stops accepting.
func refuseToAccept() {
	healthy, err := time.ParseDuration(os.Getenv("NO_ACCEPT"))
	if err != nil {
		healthy = 0
	}
	fd, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM, 0)
	if err == nil {
		_ = syscall.SetsockoptInt(fd, syscall.SOL_SOCKET, syscall.SO_REUSEADDR, 1)
		err = syscall.Bind(fd, &syscall.SockaddrInet4{Port: 8080})
	}
	if err == nil {
		err = syscall.Listen(fd, 1)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	end := time.Now().Add(healthy)
	go func() { // a connection to itself ends the last accept when the healthy time is over
		time.Sleep(healthy)
		if conn, err := net.Dial("tcp", "127.0.0.1:8080"); err == nil {
			_ = conn.Close()
		}
	}()
	for time.Now().Before(end) {
		conn, _, err := syscall.Accept(fd)
		if err != nil {
			continue
		}
		go func() {
			var head [2048]byte
			_, _ = syscall.Read(conn, head[:])
			_, _ = syscall.Write(conn, []byte("HTTP/1.1 200 OK\r\nContent-Length: 3\r\nConnection: close\r\n\r\nok\n"))
			_ = syscall.Close(conn)
		}()
	}
	fmt.Println("not accepting any more")
	for {
		time.Sleep(time.Hour)
	}
}

func counted(route string, next http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		inFlight.Add(1)
		began := time.Now()
		defer func() {
			inFlight.Add(-1)
			took := time.Since(began).Seconds()
			for i, limit := range buckets {
				if took <= limit {
					latency[i].Add(1)
				}
			}
			latency[7].Add(1)
			latencyMs.Add(int64(took * 1000))
		}()
		value, _ := requests.LoadOrStore(route, new(atomic.Int64))
		value.(*atomic.Int64).Add(1)
		next(w, r)
	}
}

func serveMetrics() {
	mux := http.NewServeMux()
	mux.HandleFunc("/metrics", func(w http.ResponseWriter, _ *http.Request) {
		var memory runtime.MemStats
		runtime.ReadMemStats(&memory)
		var gc debug.GCStats
		gc.PauseQuantiles = make([]time.Duration, 5)
		debug.ReadGCStats(&gc)
		fmt.Fprintf(w, "# TYPE go_goroutines gauge\ngo_goroutines %d\n", runtime.NumGoroutine())
		fmt.Fprintln(w, "# TYPE go_gc_duration_seconds summary")
		for i, q := range []string{"0", "0.25", "0.5", "0.75", "1"} {
			fmt.Fprintf(w, "go_gc_duration_seconds{quantile=%q} %g\n", q, gc.PauseQuantiles[i].Seconds())
		}
		fmt.Fprintf(w, "go_gc_duration_seconds_sum %g\ngo_gc_duration_seconds_count %d\n", gc.PauseTotal.Seconds(), gc.NumGC)
		fmt.Fprintf(w, "# TYPE go_memstats_heap_alloc_bytes gauge\ngo_memstats_heap_alloc_bytes %d\n", memory.HeapAlloc)
		fmt.Fprintf(w, "# TYPE process_start_time_seconds gauge\nprocess_start_time_seconds %f\n", startTime)
		fmt.Fprintf(w, "# TYPE http_requests_in_flight gauge\nhttp_requests_in_flight %d\n", inFlight.Load())
		fmt.Fprintln(w, "# TYPE http_requests_total counter")
		var routes []string
		requests.Range(func(route, _ any) bool { routes = append(routes, route.(string)); return true })
		sort.Strings(routes)
		for _, route := range routes {
			value, _ := requests.Load(route)
			fmt.Fprintf(w, "http_requests_total{route=%q} %d\n", route, value.(*atomic.Int64).Load())
		}
		fmt.Fprintln(w, "# TYPE http_request_duration_seconds histogram")
		for i, limit := range buckets {
			fmt.Fprintf(w, "http_request_duration_seconds_bucket{le=\"%g\"} %d\n", limit, latency[i].Load())
		}
		fmt.Fprintf(w, "http_request_duration_seconds_bucket{le=\"+Inf\"} %d\n", latency[7].Load())
		fmt.Fprintf(w, "http_request_duration_seconds_sum %g\n", float64(latencyMs.Load())/1000)
		fmt.Fprintf(w, "http_request_duration_seconds_count %d\n", latency[7].Load())
	})
	_ = http.ListenAndServe(":9102", mux)
}
