//go:build unix

package trust_test

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/taglast/taglast/internal/trust"
)

// TestAFileMayBeAPipe: a shell gives --signing-config <(command) as the path of one.
func TestAFileMayBeAPipe(t *testing.T) {
	path := filepath.Join(t.TempDir(), "root")
	if err := syscall.Mkfifo(path, 0o600); err != nil {
		t.Fatal(err)
	}
	written := make(chan error, 1)
	go func() { written <- os.WriteFile(path, []byte(trustedRoot), 0o600) }()
	got, err := trust.ReadFile(path)
	if err != nil || string(got) != trustedRoot {
		t.Errorf("got %q, %v", got, err)
	}
	if err := <-written; err != nil {
		t.Error(err)
	}
}
