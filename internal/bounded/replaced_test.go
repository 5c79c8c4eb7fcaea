package bounded

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
)

func TestAFileThatWasReplacedBeforeItWasOpenedIsRefused(t *testing.T) {
	dir := t.TempDir()
	first, second := filepath.Join(dir, "first"), filepath.Join(dir, "second")
	for _, path := range []string{first, second} {
		if err := os.WriteFile(path, []byte("abc"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	info, err := os.Stat(first)
	got, err := read(first, 4, info, err, func(string) (*os.File, error) { return os.Open(second) })
	if !errors.Is(err, ErrReplaced) || got != nil {
		t.Errorf("got %q and %v", got, err)
	}
}
