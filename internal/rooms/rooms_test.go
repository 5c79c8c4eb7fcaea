// Package rooms holds the packages of this module to their order: a package imports those below it, never one above.
package rooms

import (
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const module = "github.com/taglast/taglast"

// order is the rooms from the top down. A room may import any room below its own line, none beside or above it.
var order = [][]string{
	{"cmd/taglast", "internal/e2e", "internal/rooms", "internal/docs"},
	{"cmd/taglast/view"},
	{"pkg/publish"},
	{"internal/testkit/verifytest"},
	{"pkg/verify", "internal/stage/tag"},
	{"internal/stage/prove"},
	{"internal/testkit/releasetest"},
	{"internal/stage/attest"},
	{"internal/testkit/storetest"},
	{"internal/commits"},
	{"internal/store"},
	{"internal/github"},
	{"internal/keyless", "internal/policy"},
	{"internal/trust", "internal/bundle"},
	{"internal/stage/push"},
	{"internal/image"},
	{"internal/testkit/registrytest"},
	{"internal/registry"},
	{"internal/registry/permit", "internal/buildx"},
	{"internal/provenance"},
	{"internal/identity"},
	{"pkg/release", "internal/event"},
	{"pkg/tagrule"},
	{"pkg/tagrule/internal/js"},
	{"internal/actions", "internal/sandbox/fault"},
	{"internal/sandbox"},
	{"internal/retry", "internal/checkout", "internal/sbom"},
	{"internal/ociref", "internal/platform", "internal/weburl", "internal/strictjson"},
	{"internal/bounded", "internal/buildcontext", "internal/escape", "internal/hint", "internal/jobsecret", "internal/link", "internal/nearest", "internal/network", "internal/pace", "internal/testkit/golden", "internal/testkit/buildxtest"},
}

// heavy are libraries that only the rooms named may import, in their own code.
var heavy = map[string][]string{
	"github.com/sigstore/sigstore-go/":                     {"internal/policy", "internal/trust", "pkg/verify", "internal/sandbox", "internal/bundle"},
	"github.com/google/go-containerregistry/pkg/v1/remote": {"internal/registry"},
	"github.com/spf13/cobra":                               {"cmd/taglast"},
	"github.com/taglast/taglast/internal/registry/permit":  {"internal/registry", "internal/stage/tag"},
	"github.com/sethvargo/":                                {},
}

func TestRoomsImportDownwardsOnly(t *testing.T) {
	level := map[string]int{}
	for i, line := range order {
		for _, room := range line {
			level[room] = len(order) - i
		}
	}
	imports := readImports(t)
	for _, room := range slices.Sorted(maps.Keys(imports)) {
		own, known := level[room]
		if !known {
			t.Errorf("%s is in no line of the order: put it where it belongs", room)
			continue
		}
		for _, imported := range imports[room] {
			if below, ok := strings.CutPrefix(imported, module+"/"); ok && level[below] >= own {
				t.Errorf("%s imports %s, which is not below it", room, below)
			}
			for prefix, rooms := range heavy {
				if strings.HasPrefix(imported, prefix) && room != "internal/e2e" && !slices.Contains(rooms, room) {
					t.Errorf("%s imports %s, which only %v may", room, imported, rooms)
				}
			}
		}
	}
}

// readImports is, by room, what its own code imports: tests and mutants aside.
func readImports(t *testing.T) map[string][]string {
	t.Helper()
	root := filepath.Join("..", "..")
	out := map[string][]string{}
	err := filepath.WalkDir(root, func(file string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && file != root && (d.Name() == "testdata" || strings.HasPrefix(d.Name(), ".") || nested(file)) {
			return fs.SkipDir
		}
		if !strings.HasSuffix(file, ".go") || strings.HasSuffix(file, "_test.go") || strings.HasSuffix(file, "_mutant.go") {
			return nil
		}
		rel, err := filepath.Rel(root, filepath.Dir(file))
		if err != nil {
			return err
		}
		f, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.ImportsOnly)
		if err != nil {
			return err
		}
		room := path.Clean(filepath.ToSlash(rel))
		for _, i := range f.Imports {
			name, err := strconv.Unquote(i.Path.Value)
			if err != nil {
				return err
			}
			out[room] = append(out[room], name)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(out) < 20 {
		t.Fatalf("only %d packages were found", len(out))
	}
	return out
}

// nested says that a directory is a module of its own.
func nested(dir string) bool {
	m, err := filepath.Glob(filepath.Join(dir, "go.mod"))
	return err == nil && len(m) > 0
}
