package bounded_test

import (
	"errors"
	"io"
	"math"
	"net/http"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/taglast/taglast/internal/bounded"
)

var errBroken = errors.New("broken")

func TestReadGivesAllOrAnError(t *testing.T) {
	for name, c := range map[string]struct {
		in    io.Reader
		limit int64
		want  string
		err   error
	}{
		"fewer bytes than the limit are read":   {strings.NewReader("abc"), 4, "abc", nil},
		"as many bytes as the limit are read":   {strings.NewReader("abcd"), 4, "abcd", nil},
		"one byte more is an error":             {strings.NewReader("abcde"), 4, "", bounded.ErrTooLarge},
		"many bytes more are an error":          {strings.NewReader(strings.Repeat("a", 1<<20)), 4, "", bounded.ErrTooLarge},
		"single bytes add up":                   {iotest.OneByteReader(strings.NewReader("abcde")), 4, "", bounded.ErrTooLarge},
		"the last byte may come with the end":   {iotest.DataErrReader(strings.NewReader("abcd")), 4, "abcd", nil},
		"nothing is within a limit of nothing":  {strings.NewReader(""), 0, "", nil},
		"one byte is beyond a limit of nothing": {strings.NewReader("a"), 0, "", bounded.ErrTooLarge},
		"a negative limit is always exceeded":   {strings.NewReader(""), -1, "", bounded.ErrTooLarge},
		"the largest limit does not overflow":   {strings.NewReader("abc"), math.MaxInt64, "abc", nil},
		"a reader's own error stays":            {io.MultiReader(strings.NewReader("ab"), iotest.ErrReader(errBroken)), 4, "", errBroken},
		"an early end stays an error":           {iotest.ErrReader(io.ErrUnexpectedEOF), 4, "", io.ErrUnexpectedEOF},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := bounded.Read(c.in, c.limit)
			if string(got) != c.want || !errors.Is(err, c.err) || c.err == nil && err != nil {
				t.Fatalf("got %q and %v, want %q and %v", got, err, c.want, c.err)
			}
			if err != nil && got != nil {
				t.Errorf("bytes come with the error: %q", got)
			}
		})
	}
}

func TestReadTakesNoMoreThanOneByteBeyondTheLimit(t *testing.T) {
	r := strings.NewReader(strings.Repeat("a", 1000))
	if _, err := bounded.Read(r, 100); err == nil {
		t.Fatal("1000 bytes were read")
	}
	if r.Len() != 1000-101 {
		t.Errorf("%d bytes are left", r.Len())
	}
}

func TestTheErrorTellsTheLimit(t *testing.T) {
	_, err := bounded.Read(strings.NewReader("abc"), 2)
	var large *bounded.TooLargeError
	if !errors.As(err, &large) || large.Limit != 2 || err.Error() != "more than 2 bytes" {
		t.Errorf("the error is %v", err)
	}
}

func TestReadBodyBelievesNeitherLengthNorEnd(t *testing.T) {
	for name, c := range map[string]struct {
		body   string
		length int64
		want   string
		err    error
	}{
		"a body as long as announced is read":    {"abc", 3, "abc", nil},
		"a body of unknown length is read":       {"abc", -1, "abc", nil},
		"an announced length beyond the limit":   {"", 5, "", bounded.ErrTooLarge},
		"a body beyond the limit":                {"abcde", -1, "", bounded.ErrTooLarge},
		"a body beyond the limit and its length": {"abcde", 3, "", bounded.ErrTooLarge},
		"a body that ends too early":             {"ab", 3, "", io.ErrUnexpectedEOF},
	} {
		t.Run(name, func(t *testing.T) {
			resp := &http.Response{ContentLength: c.length, Body: io.NopCloser(strings.NewReader(c.body))}
			got, err := bounded.ReadBody(resp, 4)
			if string(got) != c.want || !errors.Is(err, c.err) || c.err == nil && err != nil {
				t.Errorf("got %q and %v, want %q and %v", got, err, c.want, c.err)
			}
		})
	}
}
