package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"runtime"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

var (
	subscribers atomic.Int64
	scratch     atomic.Int64
	hoard       [][]byte
	answered    atomic.Bool
)

// spend uses up CPU time of its own thread, so that a throttled container takes longer for the same work.
func spend(wanted time.Duration) {
	if wanted <= 0 {
		return
	}
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	for end := threadTime() + wanted; threadTime() < end; {
		for i := range 2000 {
			scratch.Store(int64(i))
		}
	}
}

const rusageThread = 1

func threadTime() time.Duration {
	var usage syscall.Rusage
	_ = syscall.Getrusage(rusageThread, &usage)
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}

// burn keeps so many goroutines busy.
func burn(count int) {
	for range count {
		go func() {
			for {
				spend(time.Second)
				runtime.Gosched()
			}
		}()
	}
}

// leak adds goroutines that wait for ever, each a subscriber that is never removed.
func leak(perSecond float64) {
	for range time.Tick(time.Duration(float64(time.Second) / perSecond)) {
		subscribers.Add(1)
		go func() { select {} }()
	}
}

// notifySubscribers takes `subscriber_cost` for each of them.
func notifySubscribers() {
	time.Sleep(time.Duration(subscribers.Load()) * duration("subscriber_cost"))
}

// grow allocates and keeps memory until the kernel ends the process.
func grow(mibPerSecond float64) {
	for range time.Tick(100 * time.Millisecond) {
		block := make([]byte, int(mibPerSecond*1024*1024/10))
		for i := 0; i < len(block); i += 4096 {
			block[i] = 1
		}
		hoard = append(hoard, block)
	}
}

// kept is a cache of small linked objects: each cycle of the garbage collector has to follow every one of them.
var kept []*link

type link struct {
	next *link
	rest [3]*link
}

const linksPerMiB = 1024 * 1024 / 32

// keep fills the cache with so many MiB more, and never removes anything.
func keep(mib int) {
	for range mib {
		var head *link
		for range linksPerMiB {
			head = &link{next: head}
		}
		kept = append(kept, head)
	}
}

var garbage atomic.Value

// waste allocates so many MiB that are garbage at once.
func waste(mib float64) {
	for range int(mib * 1024 / 32) {
		garbage.Store(make([]byte, 32*1024))
	}
}

// contend makes goroutines that take the lock again and again and hold it for a while.
func contend(count int, hold time.Duration) {
	for range count {
		go func() {
			for {
				lock.Lock()
				time.Sleep(hold)
				lock.Unlock()
				time.Sleep(hold / 4)
			}
		}()
	}
}

var client = &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 64}}

func callDependency(ctx context.Context) error {
	if wait := duration("dependency_timeout"); wait > 0 {
		inner, cancel := context.WithTimeout(ctx, wait)
		defer cancel()
		ctx = inner
	}
	return call(ctx, text("dependency"), text("dependency_name"))
}

func call(ctx context.Context, url, name string) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	began := time.Now()
	answer, err := client.Do(request)
	if err != nil {
		called.observe(name, 0, time.Since(began))
		return fmt.Errorf("dependency %s: %w", name, err)
	}
	_, _ = io.Copy(io.Discard, answer.Body)
	_ = answer.Body.Close()
	called.observe(name, answer.StatusCode, time.Since(began))
	if answer.StatusCode >= 400 {
		return fmt.Errorf("dependency %s answered %d", name, answer.StatusCode)
	}
	return nil
}

// onceAnswered is true from the dependency's first good answer on.
func onceAnswered(url string) bool {
	if answered.Load() {
		return true
	}
	ctx, cancel := context.WithTimeout(context.Background(), 500*time.Millisecond)
	defer cancel()
	if call(ctx, url, text("dependency_name")) == nil {
		answered.Store(true)
	}
	return answered.Load()
}

var (
	loads     = map[string]context.CancelFunc{}
	loadsLock sync.Mutex
)

// load asks a URL so many times a second until it is told another rate for the same name; 0 ends it.
func load(name, url string, perSecond float64, fresh bool) {
	loadsLock.Lock()
	defer loadsLock.Unlock()
	if end := loads[name]; end != nil {
		end()
	}
	ctx, cancel := context.WithCancel(context.Background())
	loads[name] = cancel
	if perSecond > 0 {
		go asking(ctx, name, url, perSecond, fresh)
	}
}

func asking(ctx context.Context, name, url string, perSecond float64, fresh bool) {
	user := &http.Client{Timeout: 8 * time.Second,
		Transport: &http.Transport{MaxIdleConnsPerHost: 256, DisableKeepAlives: fresh}}
	tick := time.NewTicker(time.Duration(float64(time.Second) / perSecond))
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			go func() {
				began, code := time.Now(), 0
				if answer, err := user.Get(url); err == nil {
					_, _ = io.Copy(io.Discard, answer.Body)
					_ = answer.Body.Close()
					code = answer.StatusCode
				}
				called.observe(name, code, time.Since(began))
			}()
		}
	}
}
