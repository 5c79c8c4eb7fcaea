package registry_test

import (
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// Whoever can import the permits can write tags.
func TestOnlyTheClientAndTheWritersOfTagsAndReferrersImportPermits(t *testing.T) {
	const module, permits = "github.com/taglast/taglast", "github.com/taglast/taglast/internal/registry/permit"
	allowed := map[string]bool{"internal/registry": true, "internal/stage/tag": true}
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	seen := 0
	err = filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") {
			return err
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ImportsOnly)
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(root, filepath.Dir(path))
		if err != nil {
			return err
		}
		for _, i := range file.Imports {
			if p, _ := strconv.Unquote(i.Path.Value); p == permits {
				seen++
				if !allowed[filepath.ToSlash(rel)] {
					t.Errorf("%s imports %s", path, strings.TrimPrefix(permits, module+"/"))
				}
			}
			if p, _ := strconv.Unquote(i.Path.Value); strings.HasSuffix(p, "go-containerregistry/pkg/v1/remote") && !strings.HasSuffix(path, "_test.go") && !strings.HasPrefix(filepath.ToSlash(rel), "internal/e2e") {
				t.Errorf("%s imports %s, which writes past the guard", path, p)
			}
		}
		return nil
	})
	if err != nil || seen == 0 {
		t.Errorf("%d imports of permits found, %v", seen, err)
	}
}
