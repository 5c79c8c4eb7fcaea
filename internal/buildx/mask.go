package buildx

import (
	"cmp"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

const (
	minSecret     = 4         // shorter texts are no secret, and would mask half of the output
	maxSecretFile = 500 << 10 // BuildKit takes no larger one
)

// mask replaces the values of secrets in one line. nil replaces nothing.
type mask struct{ secrets *strings.Replacer }

// newMask masks each line of each value. Of two values that begin alike the longer one goes whole.
func newMask(values ...string) *mask {
	lines := map[string]bool{}
	for _, value := range values {
		for line := range strings.SplitSeq(value, "\n") {
			if line = strings.TrimSpace(line); len(line) >= minSecret {
				lines[line] = true
			}
		}
	}
	if len(lines) == 0 {
		return nil
	}
	longestFirst := slices.SortedFunc(maps.Keys(lines), func(a, b string) int { return cmp.Or(cmp.Compare(len(b), len(a)), cmp.Compare(a, b)) })
	var pairs []string
	for _, line := range longestFirst {
		pairs = append(pairs, line, "***")
	}
	return &mask{strings.NewReplacer(pairs...)}
}

// mask is the mask of a request's secrets, those of files as far as they can be read: Check says where they cannot.
func (v variables) mask(r Request) *mask {
	var values []string
	for _, s := range r.Secrets {
		if s.Env != "" {
			value, _ := v.get(s.Env)
			values = append(values, value)
			continue
		}
		if f, err := os.Open(r.path(s.Src)); err == nil {
			raw, _ := io.ReadAll(io.LimitReader(f, maxSecretFile))
			_ = f.Close()
			values = append(values, string(raw))
		}
	}
	return newMask(values...)
}

// hide is a line without the values.
func (m *mask) hide(line []byte) []byte {
	if m == nil {
		return line
	}
	return []byte(m.secrets.Replace(string(line)))
}

// path is p within the request's folder, unless it is absolute.
func (r Request) path(p string) string {
	if filepath.IsAbs(p) {
		return p
	}
	return filepath.Join(r.Dir, p)
}
