package retry

import (
	"net/http"
	"testing"
	"time"
)

func TestParseRetryAfter(t *testing.T) {
	now := time.Date(2026, 11, 22, 14, 31, 7, 0, time.UTC)
	for value, want := range map[string]time.Duration{
		"0":                              0,
		"120":                            2 * time.Minute,
		" 3 ":                            3 * time.Second,
		"1.5":                            1500 * time.Millisecond,
		"-5":                             0,
		"12.5ms":                         12500 * time.Microsecond,
		"1m30s":                          90 * time.Second,
		"-1s":                            0,
		"3600":                           time.Hour,
		"3601":                           time.Hour,
		"2h":                             time.Hour,
		"99999999999999999999":           time.Hour,
		"-99999999999999999999":          0,
		"Sun, 22 Nov 2026 14:31:37 GMT":  30 * time.Second,
		"Sun, 22 Nov 2026 14:30:00 GMT":  0,
		"Mon, 22 Nov 2027 14:31:07 GMT":  time.Hour,
		"Sunday, 22-Nov-26 14:31:08 GMT": time.Second,
	} {
		if got, ok := parseRetryAfter(value, now); !ok || got != want {
			t.Errorf("%q: got %s, %v; want %s", value, got, ok, want)
		}
	}
	for _, value := range []string{"", "soon", "1e3", "0x10", ".", "5.", "NaN", "1 2", "-", "+", string(make([]byte, 100))} {
		if got, ok := parseRetryAfter(value, now); ok {
			t.Errorf("%q: got %s, want nothing", value, got)
		}
	}
}

func FuzzParseRetryAfter(f *testing.F) {
	for _, s := range []string{"1", "-1", "12.5ms", "1h", "9e9", time.Unix(0, 0).UTC().Format(http.TimeFormat)} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, value string) {
		if d, ok := parseRetryAfter(value, time.Now()); d < 0 || d > time.Hour || !ok && d != 0 {
			t.Errorf("%q: %s, %v", value, d, ok)
		}
	})
}
