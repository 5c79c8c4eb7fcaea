package publish

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
)

// output is the directory that bundles and the report are written to.
type output struct{ dir string }

func openOutput(dir string) (*output, error) {
	dir = or(dir, "taglast-out")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, fmt.Errorf("output directory: %w", err)
	}
	return &output{dir}, nil
}

func bundleName(image string) string { return image + ".sigstore.json" }

// bundle writes an image's bundle, ending in a newline.
func (o *output) bundle(image string, bundle []byte) error {
	return o.write(bundleName(image), append(bytes.Clone(bundle), '\n'))
}

// report writes report.json.
func (o *output) report(r *Report) error {
	raw, err := Marshal(r)
	if err != nil {
		return err
	}
	return o.write("report.json", raw)
}

// write replaces a file whole or not at all.
func (o *output) write(name string, content []byte) error {
	path := filepath.Join(o.dir, filepath.FromSlash(name))
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	f, err := os.CreateTemp(filepath.Dir(path), ".taglast-*")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	_, err = f.Write(content)
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	if err == nil {
		err = os.Chmod(f.Name(), 0o644)
	}
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	return err
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
