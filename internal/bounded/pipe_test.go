//go:build linux || darwin

package bounded_test

import (
	"errors"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/taglast/taglast/internal/bounded"
)

func TestAPipeIsRefusedAndNotWaitedFor(t *testing.T) {
	dir := t.TempDir()
	if err := syscall.Mkfifo(filepath.Join(dir, "pipe"), 0o600); err != nil {
		t.Fatal(err)
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer root.Close()
	if _, err := bounded.ReadRootFile(root, "pipe", 4); !errors.Is(err, bounded.ErrNotRegular) {
		t.Errorf("the error is %v", err)
	}
}
