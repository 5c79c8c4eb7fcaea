package buildx

import (
	"bytes"
	"cmp"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

const (
	minSecret     = 4         // shorter texts are no secret, and would mask half of the output
	maxSecretFile = 500 << 10 // BuildKit takes no larger one
)

// mask replaces the values of secrets in one line.
type mask []string // longest first, so that a value that holds another one goes whole

func newMask(values ...string) mask {
	var m mask
	for _, value := range values {
		for _, line := range strings.Split(value, "\n") {
			line = strings.TrimSpace(line)
			if len(line) >= minSecret && !slices.Contains(m, line) {
				m = append(m, line)
			}
		}
	}
	slices.SortFunc(m, func(a, b string) int { return cmp.Or(cmp.Compare(len(b), len(a)), cmp.Compare(a, b)) })
	return m
}

// mask is the mask of a request's secrets, those of files as far as they can be read: Check says where they cannot.
func (v variables) mask(r Request) mask {
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
func (m mask) hide(line []byte) []byte {
	for _, secret := range m {
		line = bytes.ReplaceAll(line, []byte(secret), []byte("***"))
	}
	return line
}

// path is p within the request's folder, unless it is absolute.
func (r Request) path(p string) string {
	if filepath.IsAbs(p) {
		return p
	}
	return filepath.Join(r.Dir, p)
}
