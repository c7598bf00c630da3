package main

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"sort"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

var (
	buckets  = []float64{0.005, 0.025, 0.1, 0.25, 0.5, 1, 2.5, 5, 10}
	inFlight atomic.Int64
	served   = &family{name: "http_request_duration_seconds", counter: "http_requests_total", label: "route"}
	called   = &family{name: "http_client_request_duration_seconds", counter: "http_client_requests_total", label: "dependency"}
)

// family is a histogram of durations by one label, and a counter by that label and the status code.
type family struct {
	name, counter, label string
	mutex                sync.Mutex
	hist                 map[string]*histogram
	codes                map[[2]string]int
}

type histogram struct {
	count [10]int
	sum   float64
}

func (f *family) observe(value string, code int, took time.Duration) {
	f.mutex.Lock()
	defer f.mutex.Unlock()
	if f.hist == nil {
		f.hist, f.codes = map[string]*histogram{}, map[[2]string]int{}
	}
	if f.hist[value] == nil {
		f.hist[value] = &histogram{}
	}
	h := f.hist[value]
	for i, limit := range buckets {
		if took.Seconds() <= limit {
			h.count[i]++
		}
	}
	h.count[9]++
	h.sum += took.Seconds()
	f.codes[[2]string{value, strconv.Itoa(code)}]++
}

func (f *family) write(w io.Writer) {
	f.mutex.Lock()
	defer f.mutex.Unlock()
	fmt.Fprintf(w, "# TYPE %s histogram\n", f.name)
	for _, value := range sortedKeys(f.hist) {
		h := f.hist[value]
		for i, limit := range buckets {
			fmt.Fprintf(w, "%s_bucket{%s=%q,le=\"%g\"} %d\n", f.name, f.label, value, limit, h.count[i])
		}
		fmt.Fprintf(w, "%s_bucket{%s=%q,le=\"+Inf\"} %d\n", f.name, f.label, value, h.count[9])
		fmt.Fprintf(w, "%s_sum{%s=%q} %g\n%s_count{%s=%q} %d\n", f.name, f.label, value, h.sum, f.name, f.label, value, h.count[9])
	}
	fmt.Fprintf(w, "# TYPE %s counter\n", f.counter)
	var lines []string
	for key, count := range f.codes {
		lines = append(lines, fmt.Sprintf("%s{%s=%q,code=%q} %d\n", f.counter, f.label, key[0], key[1], count))
	}
	sort.Strings(lines)
	fmt.Fprint(w, strings.Join(lines, ""))
}

func sortedKeys(of map[string]*histogram) []string {
	var keys []string
	for key := range of {
		keys = append(keys, key)
	}
	sort.Strings(keys)
	return keys
}

type coded struct {
	http.ResponseWriter
	code int
}

func (c *coded) WriteHeader(code int) {
	c.code = code
	c.ResponseWriter.WriteHeader(code)
}

// Unwrap lets http.ResponseController flush and hijack.
func (c *coded) Unwrap() http.ResponseWriter { return c.ResponseWriter }

// counted measures a route; a handler that panics counts as 500.
func counted(route string, next http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		inFlight.Add(1)
		began, said, ended := time.Now(), &coded{w, 200}, false
		defer func() {
			inFlight.Add(-1)
			if !ended {
				said.code = 500
			}
			served.observe(route, said.code, time.Since(began))
		}()
		next(said, r)
		ended = true
	}
}

func serveMetrics() {
	mux := http.NewServeMux()
	mux.HandleFunc("/metrics", func(w http.ResponseWriter, _ *http.Request) {
		writeRuntime(w)
		writeProcess(w)
		fmt.Fprintf(w, "# TYPE http_requests_in_flight gauge\nhttp_requests_in_flight %d\n", inFlight.Load())
		served.write(w)
		called.write(w)
		writePool(w)
	})
	_ = http.ListenAndServe(":9102", mux)
}

func writeRuntime(w io.Writer) {
	var memory runtime.MemStats
	runtime.ReadMemStats(&memory)
	gc := debug.GCStats{PauseQuantiles: make([]time.Duration, 5)}
	debug.ReadGCStats(&gc)
	fmt.Fprintf(w, "# TYPE go_goroutines gauge\ngo_goroutines %d\n", runtime.NumGoroutine())
	fmt.Fprintf(w, "# TYPE go_sched_gomaxprocs_threads gauge\ngo_sched_gomaxprocs_threads %d\n", runtime.GOMAXPROCS(0))
	fmt.Fprintln(w, "# TYPE go_gc_duration_seconds summary")
	for i, q := range []string{"0", "0.25", "0.5", "0.75", "1"} {
		fmt.Fprintf(w, "go_gc_duration_seconds{quantile=%q} %g\n", q, gc.PauseQuantiles[i].Seconds())
	}
	fmt.Fprintf(w, "go_gc_duration_seconds_sum %g\ngo_gc_duration_seconds_count %d\n", gc.PauseTotal.Seconds(), gc.NumGC)
	fmt.Fprintf(w, "# TYPE go_memstats_heap_alloc_bytes gauge\ngo_memstats_heap_alloc_bytes %d\n", memory.HeapAlloc)
	fmt.Fprintf(w, "# TYPE go_memstats_next_gc_bytes gauge\ngo_memstats_next_gc_bytes %d\n", memory.NextGC)
	writeCounters(w, map[string]string{
		"/cpu/classes/gc/total:cpu-seconds": "go_cpu_classes_gc_total_cpu_seconds_total",
		"/cpu/classes/user:cpu-seconds":     "go_cpu_classes_user_cpu_seconds_total",
		"/sync/mutex/wait/total:seconds":    "go_sync_mutex_wait_total_seconds_total",
	})
}

// writeCounters gives the runtime's own counters the names that the Prometheus client of Go gives them.
func writeCounters(w io.Writer, names map[string]string) {
	for from, to := range names {
		read := []metrics.Sample{{Name: from}}
		metrics.Read(read)
		if read[0].Value.Kind() == metrics.KindFloat64 {
			fmt.Fprintf(w, "# TYPE %s counter\n%s %g\n", to, to, read[0].Value.Float64())
		}
	}
}

func writeProcess(w io.Writer) {
	var usage syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &usage)
	spent := float64(usage.Utime.Nano()+usage.Stime.Nano()) / 1e9
	fmt.Fprintf(w, "# TYPE process_cpu_seconds_total counter\nprocess_cpu_seconds_total %g\n", spent)
	fmt.Fprintf(w, "# TYPE process_start_time_seconds gauge\nprocess_start_time_seconds %f\n", float64(started.UnixNano())/1e9)
	if open, err := os.ReadDir("/proc/self/fd"); err == nil {
		fmt.Fprintf(w, "# TYPE process_open_fds gauge\nprocess_open_fds %d\n", len(open))
	}
}
