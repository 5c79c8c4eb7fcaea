//go:build linux || darwin

package bounded_test

import (
	"errors"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/taglast/taglast/internal/bounded"
)

func TestAPipeIsRefusedAndNotWaitedFor(t *testing.T) {
	pipe := filepath.Join(t.TempDir(), "pipe")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := bounded.ReadFile(pipe, 4); !errors.Is(err, bounded.ErrNotRegular) {
		t.Errorf("the error is %v", err)
	}
}
