//go:build !windows

package buildx_test

import (
	"context"
	"errors"
	"syscall"
	"testing"
	"time"

	"github.com/taglast/taglast/internal/buildx"
	"github.com/taglast/taglast/internal/testkit/buildxtest"
)

func TestCancel(t *testing.T) {
	for name, script := range map[string]buildxtest.Script{
		"a build that ends when it is told to": {Hang: true},
		"a build that must be killed":          {Hang: true, Deaf: true},
	} {
		t.Run(name, func(t *testing.T) {
			s := newScene(t, script)
			cause := errors.New("enough")
			ctx, cancel := context.WithCancelCause(t.Context())
			defer cancel(nil)
			ended := make(chan error, 1)
			go func() {
				_, err := s.client.Build(ctx, s.request, s.job())
				ended <- err
			}()
			waitFor(t, func() bool { return len(s.standin.Calls(t, "build")) == 1 })
			cancel(cause)
			select {
			case err := <-ended:
				if !errors.Is(err, cause) {
					t.Errorf("it ended with %v", err)
				}
			case <-time.After(time.Minute):
				t.Fatal("it did not end")
			}
			child := only(t, s.standin).Child
			waitFor(t, func() bool { return syscall.Kill(child, 0) != nil })
		})
	}
}

func TestWhoWaitsBuildsItselfWhenTheFirstIsStopped(t *testing.T) {
	s := newScene(t, buildxtest.Script{Await: t.TempDir() + "/gate"})
	first, stop := context.WithCancel(t.Context())
	defer stop()
	results := make(chan error, 2)
	build := func(ctx context.Context) {
		_, err := s.client.Build(ctx, s.request, s.job())
		results <- err
	}
	go build(first)
	waitFor(t, func() bool { return len(s.standin.Calls(t, "build")) == 1 })
	second, stopSecond := context.WithCancel(t.Context())
	defer stopSecond()
	go build(second)
	stop()
	if err := <-results; !errors.Is(err, context.Canceled) {
		t.Errorf("the first ended with %v", err)
	}
	waitFor(t, func() bool { return len(s.standin.Calls(t, "build")) == 2 })
	stopSecond()
	if err := <-results; !errors.Is(err, context.Canceled) {
		t.Errorf("the second ended with %v", err)
	}
}

func TestCheckObeysItsContext(t *testing.T) {
	s := newScene(t, buildxtest.Script{})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	err := s.client.Check(ctx, s.request)
	var usage *buildx.UsageError
	if !errors.Is(err, context.Canceled) || errors.As(err, &usage) {
		t.Errorf("the error is %v", err)
	}
}

func TestABuildThatEndsWellIsNotHeldByWhatItStarted(t *testing.T) {
	s := newScene(t, buildxtest.Script{Leave: true})
	if _, err := s.build(t); err != nil {
		t.Fatal(err)
	}
	child := only(t, s.standin).Child
	waitFor(t, func() bool { return syscall.Kill(child, 0) != nil })
}
