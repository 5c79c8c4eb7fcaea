package buildx

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode"

	"github.com/taglast/taglast/internal/provenance"
)

// FuzzMetadata holds the dependencies of any metadata file to what a statement takes.
func FuzzMetadata(f *testing.F) {
	files, err := filepath.Glob("testdata/*.json")
	if err != nil || len(files) == 0 {
		f.Fatal(files, err)
	}
	for _, file := range files {
		raw, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(raw)
	}
	f.Add([]byte(`{"buildx.build.provenance":{"buildDefinition":{"resolvedDependencies":[{"uri":"a:b","digest":{"sha512":"00"}}]}}}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		out, err := Request{Context: "https://example.org/a.git#" + strings.Repeat("a", 40)}.dependencies(raw)
		if err != nil {
			return
		}
		if len(out) == 0 || len(out) > maxDependencies+1 {
			t.Fatalf("%d dependencies", len(out))
		}
		for i, d := range out {
			if i > 0 && out[i-1].URI > d.URI {
				t.Errorf("%q stands behind %q", d.URI, out[i-1].URI)
			}
			checkDependency(t, d)
		}
	})
}

func checkDependency(t *testing.T, d provenance.Dependency) {
	t.Helper()
	if d.URI == "" || strings.ContainsFunc(d.URI, unicode.IsControl) {
		t.Errorf("%q is not a URI to show", d.URI)
	}
	for algorithm, value := range d.Digest {
		length := map[string]int{"sha256": 64, "gitCommit": 40}[algorithm]
		if len(value) != length || strings.Trim(value, "0123456789abcdef") != "" {
			t.Errorf("%s of %q is %q", algorithm, d.URI, value)
		}
	}
}

// FuzzOutput holds what is shown of any output to lines that do nothing and have no secret.
func FuzzOutput(f *testing.F) {
	f.Add([]byte("#5 0.1 \x1b[31mred\x1b[0m\r\n::error::x\nhun\x1b[1mter22"), 3)
	f.Fuzz(func(t *testing.T, raw []byte, at int) {
		var shown strings.Builder
		l := &lines{to: &shown, mask: newMask("hunter22")}
		at = max(0, min(at, len(raw)))
		_, _ = l.Write(raw[:at])
		_, _ = l.Write(raw[at:])
		tail := l.end()
		for _, line := range append(strings.Split(shown.String(), "\n"), tail...) {
			if strings.Contains(line, "hunter22") || strings.HasPrefix(strings.TrimLeft(line, " "), "::") ||
				strings.ContainsFunc(line, unicode.IsControl) || len(line) > maxShownLine {
				t.Errorf("%q is shown", line)
			}
		}
		if len(tail) > tailLines {
			t.Errorf("%d lines are kept", len(tail))
		}
	})
}
