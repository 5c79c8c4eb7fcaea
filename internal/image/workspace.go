package image

import (
	"errors"
	"fmt"
	"os"
	"sync"
)

// Workspace is the temporary directory of a run. It is created when it is first asked for. The zero value is ready for use,
// from several goroutines.
type Workspace struct {
	mu      sync.Mutex
	root    string
	removed bool
}

// Dir creates a new, empty directory of the workspace. Nobody but its user can read it. After Remove it is an error.
func (w *Workspace) Dir() (string, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.removed {
		return "", errors.New("temporary directory: the run is over")
	}
	if w.root == "" {
		root, err := os.MkdirTemp("", "taglast-")
		if err != nil {
			return "", fmt.Errorf("temporary directory: %w", err)
		}
		w.root = root
	}
	dir, err := os.MkdirTemp(w.root, "")
	if err != nil {
		return "", fmt.Errorf("temporary directory: %w", err)
	}
	return dir, nil
}

// Remove removes all directories of the workspace with what is in them. It may be called again.
func (w *Workspace) Remove() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.removed = true
	if w.root == "" {
		return nil
	}
	return os.RemoveAll(w.root)
}
