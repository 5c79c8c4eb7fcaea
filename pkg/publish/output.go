package publish

import (
	"bytes"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"

	"github.com/taglast/taglast/internal/bundle"
)

// output is the directory that bundles and the report are written to.
type output struct{ dir string }

// openOutput finds out whether the directory can be made, and leaves none that was not there: the context of a build may
// be around it, and one commit gives one digest only if nothing of a run lies in it.
func openOutput(dir string) (*output, error) {
	o := &output{filepath.Clean(or(dir, "taglast-out"))}
	var made []string
	for path := o.dir; ; path = filepath.Dir(path) {
		if _, err := os.Lstat(path); !errors.Is(err, fs.ErrNotExist) {
			break
		}
		made = append(made, path)
	}
	if err := o.make(); err != nil {
		return nil, err
	}
	for _, path := range made {
		_ = os.Remove(path) // it is made again at the first write
	}
	return o, nil
}

func (o *output) make() error {
	if err := os.MkdirAll(o.dir, 0o755); err != nil {
		return fmt.Errorf("output directory: %w", err)
	}
	return nil
}

// bundle writes the canonical form of a bundle to the file of that name, ending in a newline.
func (o *output) bundle(name string, b *bundle.Bundle) error {
	raw, err := b.Canonical()
	if err != nil {
		return err
	}
	return o.write(name, append(raw, '\n'))
}

// report writes report.json.
func (o *output) report(r *Report) error {
	raw, err := Marshal(r)
	if err != nil {
		return err
	}
	return o.write("report.json", raw)
}

// write replaces a file whole or not at all. A link that stands in the directory, for a file or a folder, leads nothing out of it.
func (o *output) write(name string, content []byte) error {
	if err := o.make(); err != nil {
		return err
	}
	root, err := os.OpenRoot(o.dir)
	if err != nil {
		return fmt.Errorf("output directory: %w", err)
	}
	defer root.Close()
	if err := root.MkdirAll(path.Dir(name), 0o755); err != nil {
		return fmt.Errorf("output directory %s: %w", o.dir, err)
	}
	tmp := path.Join(path.Dir(name), ".taglast-"+rand.Text())
	err = root.WriteFile(tmp, content, 0o644)
	if err == nil {
		err = root.Rename(tmp, name)
	}
	if err != nil {
		_ = root.Remove(tmp) // where it was made
		return fmt.Errorf("output directory %s: %w", o.dir, err)
	}
	return nil
}

// Marshal is the report's JSON document, indented, ending in a newline.
func Marshal(r *Report) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	err := e.Encode(r)
	return b.Bytes(), err
}
