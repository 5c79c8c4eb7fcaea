package bounded_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"github.com/taglast/taglast/internal/bounded"
)

// tree is a directory with a file of four bytes, a directory, and links to both where the system has links.
func tree(t *testing.T) (dir string, links bool) {
	t.Helper()
	dir = t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "file"), []byte("abcd"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(filepath.Join(dir, "folder"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("file", filepath.Join(dir, "link")); err != nil {
		if runtime.GOOS != "windows" {
			t.Fatal(err)
		}
		return dir, false
	}
	return dir, true
}

func TestFilesAreReadWholeOrNotAtAll(t *testing.T) {
	dir, links := tree(t)
	root, err := os.OpenRoot(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer root.Close()
	type test struct {
		path  string
		limit int64
		want  error
	}
	tests := map[string]test{
		"a file within the limit":  {"file", 4, nil},
		"a file beyond the limit":  {"file", 3, bounded.ErrTooLarge},
		"a directory":              {"folder", 4, bounded.ErrNotRegular},
		"a file that is not there": {"none", 4, fs.ErrNotExist},
	}
	if links {
		tests["a link"] = test{"link", 4, bounded.ErrNotRegular}
	}
	for name, c := range tests {
		t.Run(name, func(t *testing.T) {
			got, err := bounded.ReadRootFile(root, c.path, c.limit)
			if c.want == nil {
				if err != nil || string(got) != "abcd" {
					t.Errorf("got %q and %v", got, err)
				}
				return
			}
			if !errors.Is(err, c.want) || got != nil || !errors.As(err, new(*fs.PathError)) {
				t.Errorf("got %q and %v, want %v", got, err, c.want)
			}
		})
	}
}

func TestNoFileOutsideARootIsRead(t *testing.T) {
	dir, _ := tree(t)
	root, err := os.OpenRoot(filepath.Join(dir, "folder"))
	if err != nil {
		t.Fatal(err)
	}
	defer root.Close()
	if got, err := bounded.ReadRootFile(root, "../file", 4); err == nil {
		t.Errorf("it is %q", got)
	}
}
