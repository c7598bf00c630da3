// The lab's Go service: a probe target with switches for ways of failing, and the metrics of a Go program.
//
// Port 8080 serves users and probes (routes.go), 9102 serves /metrics (metrics.go), 9103 takes orders (orders.go).
// Switches are environment variables named SW_NAME at the start, and /set?name=value on port 9103 later.
package main

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"
)

func main() {
	readSwitches()
	go serveMetrics()
	go serveOrders()
	if wait := duration("listen_after"); wait > 0 {
		fmt.Println("warming up for", wait)
		time.Sleep(wait)
	}
	if wait := duration("exit_after"); wait > 0 {
		go func() {
			time.Sleep(wait)
			panic("required setting PAYMENT_REGION is empty")
		}()
	}
	if size := number("pool_size"); size > 0 {
		openPool(int(size))
	}
	server := &http.Server{Handler: routes()}
	go endOnSignal(server)
	if err := server.Serve(listen()); err != http.ErrServerClosed {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	select {}
}

// endOnSignal drains as told: readiness says 503 for the time of `drain`, or the door closes at once (`close_early`).
func endOnSignal(server *http.Server) {
	end := make(chan os.Signal, 1)
	signal.Notify(end, syscall.SIGTERM)
	<-end
	fmt.Println("draining for", duration("drain"))
	set("draining", "1")
	if on("close_early") {
		_ = server.Shutdown(context.Background())
	}
	time.Sleep(duration("drain"))
	os.Exit(0)
}
