package publish

import (
	"bufio"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/taglast/taglast/internal/escape"
	"github.com/taglast/taglast/pkg/release"
)

// warnOfContext says that what an earlier run left in the output directory may get into an image: the directory lies in
// the context of a build, and no .dockerignore names it. Then one commit does not give one digest.
func (r *run) warnOfContext(rec *record) {
	s, ok := rec.file.Source.(release.DockerfileSource)
	if !ok || s.RemoteContext() {
		return
	}
	if _, err := os.Stat(r.out.dir); err != nil {
		return
	}
	inside, ok := within(r.inFile(s.Context), r.out.dir)
	if !ok || ignores(r.inFile(s.File)+".dockerignore", inside) || ignores(filepath.Join(r.inFile(s.Context), ".dockerignore"), inside) {
		return
	}
	r.o.Observer.Warn(fmt.Sprintf("image %s: the output directory %s of an earlier run lies in the build's context, and a COPY may take it along: "+
		"name it in .dockerignore, or set --output-dir", rec.name(), escape.Text(inside)))
}

// inFile is a path of the release file, from the working directory.
func (r *run) inFile(path string) string {
	if filepath.IsAbs(path) {
		return path
	}
	return filepath.Join(r.o.File.Dir, path)
}

// within is a path as seen from a folder, with slashes; false where it is not below it.
func within(folder, path string) (string, bool) {
	var err error
	for _, p := range []*string{&folder, &path} {
		if *p, err = filepath.Abs(*p); err != nil {
			return "", false
		}
	}
	rel, err := filepath.Rel(folder, path)
	return filepath.ToSlash(rel), err == nil && filepath.IsLocal(rel) && rel != "."
}

// ignores says that a .dockerignore names the path or a folder above it, in one of the plain ways of writing it. A pattern
// that matches in another way is not seen, and costs a warning too many.
func ignores(file, path string) bool {
	f, err := os.Open(file)
	if err != nil {
		return false
	}
	defer f.Close()
	for lines := bufio.NewScanner(f); lines.Scan(); {
		pattern := strings.TrimSuffix(strings.TrimSuffix(strings.Trim(strings.TrimSpace(lines.Text()), "/"), "/**"), "/*")
		pattern = strings.TrimPrefix(pattern, "**/")
		if pattern == "*" || pattern == path || pattern != "" && strings.HasPrefix(path, pattern+"/") {
			return true
		}
	}
	return false
}
