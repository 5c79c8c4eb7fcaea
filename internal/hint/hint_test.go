package hint_test

import (
	"errors"
	"fmt"
	"testing"

	"github.com/taglast/taglast/internal/hint"
)

func TestOf(t *testing.T) {
	cause := errors.New("no such file")
	for name, tc := range map[string]struct {
		err  error
		want string
	}{
		"nothing has no hint":                   {nil, ""},
		"a plain error has no hint":             {cause, ""},
		"a hint is found":                       {hint.With(cause, "look"), "look"},
		"a hint is found under a wrap":          {fmt.Errorf("read: %w", hint.With(cause, "look")), "look"},
		"the outermost hint wins":               {hint.With(fmt.Errorf("read: %w", hint.With(cause, "inner")), "outer"), "outer"},
		"a hint is found among joined errors":   {errors.Join(cause, hint.With(cause, "look")), "look"},
		"an empty hint does not hide the inner": {hint.With(hint.With(cause, "inner"), ""), "inner"},
	} {
		t.Run(name, func(t *testing.T) {
			if got := hint.Of(tc.err); got != tc.want {
				t.Errorf("hint is %q, want %q", got, tc.want)
			}
		})
	}
}

func TestWithKeepsTheError(t *testing.T) {
	cause := errors.New("no such file")
	err := hint.With(fmt.Errorf("read: %w", cause), "look")
	if !errors.Is(err, cause) || err.Error() != "read: no such file" {
		t.Errorf("got %v", err)
	}
	if hint.With(nil, "look") != nil {
		t.Error("a nil error became one")
	}
}
