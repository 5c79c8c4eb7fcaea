package image_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/taglast/taglast/internal/image"
)

func TestWorkspace(t *testing.T) {
	temp := t.TempDir()
	t.Setenv("TMPDIR", temp) // os.TempDir of Unix
	t.Setenv("TMP", temp)    // and of Windows
	var w image.Workspace
	if entries, err := os.ReadDir(temp); err != nil || len(entries) != 0 {
		t.Fatalf("%d entries are there before anybody asks (%v)", len(entries), err)
	}
	one, err := w.Dir()
	if err != nil {
		t.Fatal(err)
	}
	two, err := w.Dir()
	if err != nil {
		t.Fatal(err)
	}
	if one == two || filepath.Dir(filepath.Dir(one)) != temp {
		t.Errorf("the directories are %s and %s", one, two)
	}
	writeFile(t, filepath.Join(one, "a"), []byte("b"))
	for range 2 {
		if err := w.Remove(); err != nil {
			t.Error(err)
		}
	}
	if _, err := os.Stat(one); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("%s is still there (%v)", one, err)
	}
	if entries, err := os.ReadDir(temp); err != nil || len(entries) != 0 {
		t.Errorf("%d entries are left (%v)", len(entries), err)
	}
	if dir, err := w.Dir(); err == nil {
		t.Errorf("%s is made after the run", dir)
	}
}

func TestAWorkspaceThatNobodyAskedForIsNothing(t *testing.T) {
	if err := new(image.Workspace).Remove(); err != nil {
		t.Error(err)
	}
}
