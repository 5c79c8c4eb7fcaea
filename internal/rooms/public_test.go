package rooms

import (
	"bytes"
	"fmt"
	"go/importer"
	"go/token"
	"go/types"
	"io"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// public are the packages that other modules may import.
var public = []string{"pkg/publish", "pkg/verify", "pkg/release", "pkg/tagrule"}

// Nobody outside of this module can write a type of an internal package: an option of one cannot be set, a result of one
// cannot be stored in a variable.
func TestPublicPackagesMentionNoInternalType(t *testing.T) {
	imports := compiled(t, "./pkg/...")
	for _, room := range public {
		pkg, err := imports.Import(module + "/" + room)
		if err != nil {
			t.Fatal(err)
		}
		if n := len(pkg.Scope().Names()); n < 5 {
			t.Errorf("%s: only %d declarations were found", room, n)
		}
		for _, mention := range internalMentions(pkg) {
			t.Errorf("%s: %s", room, mention)
		}
	}
}

// The public packages are these and no others: a new one is to be decided on, not to happen.
func TestPublicPackagesAreFour(t *testing.T) {
	for room := range readImports(t) {
		if strings.HasPrefix(room, "pkg/") && !internal(room) && !slices.Contains(public, room) {
			t.Errorf("%s can be imported by other modules", room)
		}
	}
}

// compiled imports packages as the compiler sees them: `go list` says where it keeps what each of them exports.
func compiled(t *testing.T, pattern string) types.Importer {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "go", "list", "-export", "-deps", "-f", "{{.ImportPath}} {{.Export}}", pattern)
	cmd.Dir = "../.."
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	listed, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v: %s", err, &stderr)
	}
	files := map[string]string{}
	for line := range strings.Lines(string(listed)) {
		name, file, _ := strings.Cut(strings.TrimSpace(line), " ")
		files[name] = file
	}
	return importer.ForCompiler(token.NewFileSet(), "gc", func(name string) (io.ReadCloser, error) {
		if files[name] == "" {
			return nil, fmt.Errorf("no compiled package %s", name)
		}
		return os.Open(files[name])
	})
}
