// Command generate writes the OCI layout of the quickstart: `go run ./testdata/quickstart/generate`, from the root of
// the repository.
package main

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"

	"github.com/taglast/taglast/testdata/quickstart/generate/layout"
)

func main() {
	dir := flag.String("o", filepath.Join("testdata", "quickstart", "image"), "directory of the layout, replaced")
	flag.Parse()
	if err := write(*dir); err != nil {
		fmt.Fprintln(os.Stderr, "generate:", err)
		os.Exit(1)
	}
}

func write(dir string) error {
	files, err := layout.Files()
	if err != nil {
		return err
	}
	if err := os.RemoveAll(dir); err != nil {
		return err
	}
	for name, content := range files {
		path := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(path, content, 0o644); err != nil {
			return err
		}
	}
	return nil
}
