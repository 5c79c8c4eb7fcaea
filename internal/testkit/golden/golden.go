// Package golden compares what a program shows with a file that a person has looked at.
package golden

import (
	"flag"
	"os"
	"strings"
	"testing"
)

// Update is the flag by which files are rewritten instead of compared: go test ./cmd/taglast/... -update.
var Update = flag.Bool("update", false, "rewrite golden files")

// Compare fails the test where got is not what the file at path has, with line endings of any system. With Update it
// writes the file.
func Compare(tb testing.TB, path, got string) {
	tb.Helper()
	if *Update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil { //nolint:gosec // a file of the repository
			tb.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		tb.Fatal(err)
	}
	if strings.ReplaceAll(string(want), "\r\n", "\n") != got {
		tb.Errorf("%s differs (-update rewrites it):\n%s", path, got)
	}
}
