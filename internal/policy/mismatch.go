package policy

import (
	"fmt"
	"strings"

	"github.com/taglast/taglast/internal/escape"
)

// MismatchError says which field of a bundle is not what the policy asks for.
type MismatchError struct {
	Field string // "certificate source repository ref", "predicate builder.id", …
	Want  string
	Got   string
}

func (e *MismatchError) Error() string {
	return fmt.Sprintf("%s: expected %s, got %s", e.Field, quoted(e.Want), quoted(e.Got))
}

func quoted(s string) string {
	if s == "" {
		return "nothing"
	}
	return `"` + escape.Text(s) + `"`
}

// field is one comparison. foldCase is for names of GitHub, whose letter case does not matter.
type field struct {
	name      string
	want, got string
	foldCase  bool
}

// firstMismatch returns the first field that differs as a *MismatchError, and nil where none does.
func firstMismatch(fields []field) error {
	for _, f := range fields {
		if f.got == f.want || f.foldCase && strings.EqualFold(f.got, f.want) {
			continue
		}
		return &MismatchError{Field: f.name, Want: f.want, Got: f.got}
	}
	return nil
}
