package bounded_test

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/taglast/taglast/internal/bounded"
)

func TestAFileIsReadWholeOrNotAtAll(t *testing.T) {
	path := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(path, []byte("abcd"), 0o600); err != nil {
		t.Fatal(err)
	}
	if got, err := bounded.ReadFile(path, 4); err != nil || string(got) != "abcd" {
		t.Errorf("%q, %v", got, err)
	}
	if got, err := bounded.ReadFile(path, 3); !errors.Is(err, bounded.ErrTooLarge) || got != nil {
		t.Errorf("beyond the limit: %q, %v", got, err)
	}
	if _, err := bounded.ReadFile(path+".none", 4); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("none: %v", err)
	}
}
