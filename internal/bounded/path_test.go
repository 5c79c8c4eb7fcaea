package bounded_test

import (
	"errors"
	"fmt"
	"io/fs"
	"testing"

	"github.com/taglast/taglast/internal/bounded"
)

func TestWithoutPath(t *testing.T) {
	other := errors.New("other")
	for name, c := range map[string]struct{ err, want error }{
		"nil":                    {nil, nil},
		"no file error":          {other, other},
		"a file error":           {&fs.PathError{Op: "open", Path: "/secret/place", Err: fs.ErrPermission}, fs.ErrPermission},
		"one that is wrapped":    {fmt.Errorf("read: %w", &fs.PathError{Op: "open", Path: "/secret/place", Err: other}), other},
		"a file that is missing": {&fs.PathError{Op: "open", Path: "/secret/place", Err: fs.ErrNotExist}, fs.ErrNotExist},
	} {
		t.Run(name, func(t *testing.T) {
			if got := bounded.WithoutPath(c.err); got != c.want { //nolint:errorlint // the very value
				t.Errorf("%v", got)
			}
		})
	}
}
