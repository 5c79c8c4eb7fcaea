package buildx

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

func TestMask(t *testing.T) {
	for name, tc := range map[string]struct {
		secrets    []string
		line, want string
	}{
		"no secret":                    {nil, "a line", "a line"},
		"a secret":                     {[]string{"hunter22"}, "it is hunter22, hunter22", "it is ***, ***"},
		"blanks around it":             {[]string{" hunter22 \r\n"}, "it is hunter22", "it is ***"},
		"a short one":                  {[]string{"abc", ""}, "abc", "abc"},
		"one of four":                  {[]string{"abcd"}, "abcd", "***"},
		"each line by itself":          {[]string{"first\nsecond\nab"}, "second ab first", "*** ab ***"},
		"one that another begins with": {[]string{"token", "token-long"}, "token-long token", "*** ***"},
		"one that another ends with":   {[]string{"long-token", "token"}, "long-token token", "*** ***"},
	} {
		t.Run(name, func(t *testing.T) {
			if got := string(newMask(tc.secrets...).hide([]byte(tc.line))); got != tc.want {
				t.Errorf("%q, want %q", got, tc.want)
			}
		})
	}
}

// TestAFileOfManySecretsIsMaskedInTime: a build does not wait for the mask of a whole dictionary.
func TestAFileOfManySecretsIsMaskedInTime(t *testing.T) {
	var file strings.Builder
	for i := range 40_000 {
		fmt.Fprintf(&file, "secret-%d\n", i)
	}
	begun := time.Now()
	m := newMask(file.String())
	line := []byte(strings.Repeat("nothing of it in 100 bytes of output ", 3))
	for range 10_000 {
		m.hide(line)
	}
	if got := string(m.hide([]byte("x secret-39999 y"))); got != "x *** y" {
		t.Errorf("%q", got)
	}
	if took := time.Since(begun); took > 10*time.Second {
		t.Errorf("10,000 lines took %s", took)
	}
}
