package registry

import (
	"testing"
	"time"
)

func TestParseRateLimit(t *testing.T) {
	for value, want := range map[string]struct {
		n      int
		window time.Duration
	}{
		"100;w=21600":            {100, 6 * time.Hour},
		" 76 ; w=21600":          {76, 6 * time.Hour},
		"0;w=21600":              {0, 6 * time.Hour},
		"5":                      {5, 0},
		"5;burst=1;w=60":         {5, time.Minute},
		"5;w=soon":               {5, 0},
		"5;w=-1":                 {5, 0},
		"5;w=999999999999999999": {5, 0},
	} {
		if n, window, ok := parseRateLimit(value); !ok || n != want.n || window != want.window {
			t.Errorf("%q: %d, %s, %v", value, n, window, ok)
		}
	}
	for _, value := range []string{"", "many", "-1;w=60", "9999999999999", ";w=60", "1e3", string(make([]byte, 100))} {
		if n, window, ok := parseRateLimit(value); ok {
			t.Errorf("%q: %d, %s", value, n, window)
		}
	}
}

func FuzzParseRateLimit(f *testing.F) {
	f.Add("100;w=21600")
	f.Add("76")
	f.Fuzz(func(t *testing.T, value string) {
		n, window, ok := parseRateLimit(value)
		if n < 0 || window < 0 || !ok && (n != 0 || window != 0) {
			t.Errorf("%q: %d, %s, %v", value, n, window, ok)
		}
	})
}
