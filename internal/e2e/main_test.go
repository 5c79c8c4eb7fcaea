//go:build e2e

package e2e

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// shared is the one stack of this test binary.
var shared *stack

func TestMain(m *testing.M) {
	if kind := os.Getenv(leashVariable); kind != "" {
		_ = os.Unsetenv(leashVariable)
		os.Exit(leash(os.Args[1:], kind == leashIsolated))
	}
	flag.Parse()
	code, err := testAll(m)
	if err != nil {
		fmt.Fprintln(os.Stderr, "e2e:", err)
		code = 1
	}
	os.Exit(code)
}

func testAll(m *testing.M) (code int, err error) {
	ctx, stop := context.WithTimeout(context.Background(), 30*time.Minute)
	defer stop()
	if err := installInTime(ctx); err != nil {
		return 1, err
	}
	dir, err := os.MkdirTemp("", "taglast-e2e-")
	if err != nil {
		return 1, err
	}
	defer func() {
		if code == 0 && err == nil {
			err = os.RemoveAll(dir)
			return
		}
		folders, _ := filepath.Glob(filepath.Join(dir, "*", "root")) // of builders
		for _, images := range append(folders, filepath.Join(dir, "distribution"), filepath.Join(dir, "olareg")) {
			_ = os.RemoveAll(images) // gigabytes
		}
		fmt.Fprintln(os.Stderr, "e2e: logs of the servers are in", dir)
	}()
	shared, err = newStack(ctx, dir)
	defer func() {
		if shared != nil {
			shared.close()
		}
	}()
	if err != nil {
		return 1, err
	}
	return m.Run(), nil
}

// installInTime builds the tools, but does not wait for `go test` to kill it: its -timeout counts from now.
func installInTime(ctx context.Context) error {
	const forTests = 3 * time.Minute
	timeout := flag.Lookup("test.timeout").Value.(flag.Getter).Get().(time.Duration)
	if timeout > forTests {
		var stop context.CancelFunc
		ctx, stop = context.WithTimeoutCause(ctx, timeout-forTests, errors.New("not everything is built within -timeout: run it again, what is built is kept"))
		defer stop()
	}
	if err := install(ctx); err != nil {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		return err
	}
	return nil
}

// servers is the stack, for one test: what the servers log meanwhile is shown if it fails.
func servers(t testing.TB) *stack {
	t.Helper()
	sizes := make([]int64, len(shared.servers))
	for i, p := range shared.servers {
		sizes[i] = p.size()
	}
	mark := shared.gateway.mark()
	t.Cleanup(func() {
		if !t.Failed() {
			return
		}
		for i, p := range shared.servers {
			if text := p.tail(sizes[i]); text != "" {
				t.Logf("log of %s:\n%s", p.name, text)
			}
		}
		var refused []string // logins and tags that are not there yet are the ordinary case
		for _, e := range shared.gateway.since(mark) {
			if e.Status >= 400 && e.Status != http.StatusUnauthorized && e.Status != http.StatusNotFound {
				refused = append(refused, e.String())
			}
		}
		if len(refused) > 0 {
			t.Logf("refused at the gateway:\n%s", strings.Join(refused, "\n"))
		}
	})
	return shared
}
