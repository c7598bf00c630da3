package main

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"time"
)

// pool is the real database/sql with a driver whose queries only take time; its waits and limits are the library's own.
var pool *sql.DB

type store struct{}

func (store) Open(string) (driver.Conn, error) { return store{}, nil }

func (store) Prepare(string) (driver.Stmt, error) { return nil, errors.New("not used") }

func (store) Close() error { return nil }

func (store) Begin() (driver.Tx, error) { return nil, errors.New("not used") }

func (store) ExecContext(ctx context.Context, _ string, _ []driver.NamedValue) (driver.Result, error) {
	select {
	case <-time.After(varied(duration("query_latency"))):
		return driver.RowsAffected(1), nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func openPool(size int) {
	sql.Register("store", store{})
	pool, _ = sql.Open("store", "")
	pool.SetMaxOpenConns(size)
	pool.SetMaxIdleConns(size)
}

func query(ctx context.Context) error {
	if pool == nil {
		return nil
	}
	_, err := pool.ExecContext(ctx, "SELECT 1")
	return err
}

// leakConnections takes connections, as transactions that are never ended do.
func leakConnections(count int) {
	for range count {
		go func() {
			if conn, err := pool.Conn(context.Background()); err == nil {
				time.Sleep(time.Hour)
				_ = conn.Close()
			}
		}()
	}
}

func writePool(w io.Writer) {
	if pool == nil {
		return
	}
	stats := pool.Stats()
	for _, one := range []struct {
		name, kind string
		value      float64
	}{
		{"go_sql_max_open_connections", "gauge", float64(stats.MaxOpenConnections)},
		{"go_sql_open_connections", "gauge", float64(stats.OpenConnections)},
		{"go_sql_in_use_connections", "gauge", float64(stats.InUse)},
		{"go_sql_idle_connections", "gauge", float64(stats.Idle)},
		{"go_sql_wait_count_total", "counter", float64(stats.WaitCount)},
		{"go_sql_wait_duration_seconds_total", "counter", stats.WaitDuration.Seconds()},
	} {
		fmt.Fprintf(w, "# TYPE %s %s\n%s{db_name=\"main\"} %g\n", one.name, one.kind, one.name, one.value)
	}
}
